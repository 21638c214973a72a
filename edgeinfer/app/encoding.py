"""The encoder of a sink: its encoding, and what the user wants beside it, from names and tables to one object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from edgeinfer import registry
from edgeinfer.errors import InputError
from edgeinfer.ports import Encoder, EncoderPlace
from edgeinfer.wire.several import Several


def encoder_of(options: msgspec.Struct, place: EncoderPlace) -> Encoder:
    """What [sink.NAME] says in `encoding`, and in `also`, `encodings`, `rules`, `decision_topic` and `batch_s` where it has them.

    Raises:
        InputError: an encoding that does not exist, one whose table is wrong, or a table that nobody reads.
    """
    main, *also = _names(options)
    _check_sink(main, options)
    tables: Mapping[str, Any] = getattr(options, "encodings", {})
    if idle := sorted(set(tables) - {main, *also}):
        raise InputError(f"encodings: {idle[0]!r} is neither the encoding of this sink nor in `also`")
    delivery = getattr(options, "rules", place.delivery)
    decision_topic = getattr(options, "decision_topic", place.decision_topic)
    batches = getattr(options, "batch_s", 0.0) > 0
    place = replace(place, delivery=delivery, decision_topic=decision_topic, batches=batches)
    made = _encoder("encoding", main, tables, place)
    if not also:
        return made
    return Several(made, [_encoder("also", name, tables, place) for name in also])


def describes(options: msgspec.Struct) -> bool:
    """Whether an encoding of this sink tells others what kinds of rules there are."""
    return any(getattr(registry.find("encoders", name), "describes", False) for name in _names(options))


def _names(options: msgspec.Struct) -> tuple[str, ...]:
    main: str = options.encoding  # type: ignore[attr-defined]  # every sink has it
    return (main, *getattr(options, "also", ()))


def _check_sink(main: str, options: msgspec.Struct) -> None:
    """Whether the sink has what the encoding `needs`, and nothing is set that it `forbids` (option → why)."""
    plugin = _find("encoding", main)
    needs = getattr(plugin, "needs", "")
    if needs and not hasattr(options, needs):
        raise InputError(f'encoding: {main!r} is for a broker: write it in a sink of kind "mqtt"')
    usual = type(options)() if needs else options  # a sink with a broker can do without any option
    for key, why in getattr(plugin, "forbids", {}).items():
        if getattr(options, key) != getattr(usual, key):
            raise InputError(f"{key}: not with encoding = {main!r}: {why}")


def _find(key: str, name: str) -> Any:
    try:
        return registry.find("encoders", name)
    except InputError as error:
        raise InputError(f"{key}: {error}") from error


def _encoder(key: str, name: str, tables: Mapping[str, Any], place: EncoderPlace) -> Encoder:
    plugin = _find(key, name)
    if (key == "also") != bool(getattr(plugin, "addition", False)):
        other = 'write it in `also = ["…"]`' if key == "encoding" else "it is an encoding of its own"
        raise InputError(f"{key}: {name!r} does not go here: {other}")
    try:
        encoder: Encoder = plugin(msgspec.convert(tables.get(name, {}), plugin.Options), place)
    except (msgspec.ValidationError, InputError) as error:
        raise InputError(f"encodings: {name}: {error}") from error
    return encoder
