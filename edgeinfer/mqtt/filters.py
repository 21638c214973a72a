"""Topic filters: what a subscription asks for, as text with + and # (MQTT 5, 4.7); connects to nothing. Pure."""

from __future__ import annotations

from edgeinfer.errors import InputError


def check(key: str, text: str) -> None:
    """Raises InputError, which begins with `key`, unless `text` is a topic filter."""
    levels = text.split("/")
    hashes = [n for n, level in enumerate(levels) if "#" in level]
    wrong = (
        not text
        or "\0" in text
        or any("+" in level and level != "+" for level in levels)
        or (hashes and (hashes != [len(levels) - 1] or levels[-1] != "#"))
    )
    if wrong:
        raise InputError(
            f'{key}: expected a topic, + for one level and # for all at the end (as in "line3/+/temp"), found {text!r}'
        )


def matches(asked: str, topic: str) -> bool:
    """Whether a subscription to `asked` gets what is published on `topic`."""
    return meet(asked, topic)


def meet(one: str, other: str) -> bool:
    """Whether there is a topic that both filters ask for; a wildcard at the start asks for no topic with a $ there."""
    if one[:1] != other[:1] and "$" in (one[:1], other[:1]):
        return False
    return _meet(one.split("/"), other.split("/"))


def _meet(one: list[str], other: list[str]) -> bool:
    for a, b in zip(one, other, strict=False):
        if "#" in (a, b):
            return True
        if a != b and "+" not in (a, b):
            return False
    longer = one[len(other) :] or other[len(one) :]
    return longer in ([], ["#"])  # "a/#" asks for "a" as well
