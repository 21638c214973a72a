"""Which numbers travel together in one message, and what each message settles; encodes nothing. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from edgeinfer.events import Entry, Gap

_MOST = 100  # entries in one message: about 40 kB, which any broker takes


@dataclass(frozen=True, slots=True)
class Group:
    """Entries of one rule (and one source), in order; when it is told, all up to `settles` are."""

    entries: tuple[Entry, ...]
    settles: int


def is_number(item: Entry | Gap) -> bool:
    """What may wait for others: a number. A gap, on, off and unknown may not."""
    return isinstance(item, Entry) and not isinstance(item.decision.state, str)


def grouped(batch: Sequence[Entry | Gap]) -> Iterator[Gap | Group]:
    """`batch`, with the numbers between two other items put together by rule; a group stands where its first entry does."""
    numbers: list[Entry] = []
    for item in batch:
        if isinstance(item, Entry) and is_number(item):
            numbers.append(item)
            continue
        yield from _groups(numbers)
        numbers = []
        yield item if isinstance(item, Gap) else Group((item,), item.seq)
    yield from _groups(numbers)


def _groups(numbers: Sequence[Entry]) -> Iterator[Group]:
    """All before a group's first entry stand in groups before it, so that each group settles a little more."""
    open_: dict[tuple[str, str], list[Entry]] = {}
    lists: list[list[Entry]] = []
    for entry in numbers:
        key = (entry.decision.rule, entry.decision.key[0])
        if key not in open_ or len(open_[key]) == _MOST:
            open_[key] = []
            lists.append(open_[key])
        open_[key].append(entry)
    for n, entries in enumerate(lists):
        behind = min((later[0].seq for later in lists[n + 1 :]), default=numbers[-1].seq + 1)
        yield Group(tuple(entries), behind - 1)
