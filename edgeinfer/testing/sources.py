"""A source that plays a script, and a place for any source to stand in, for tests of what comes after it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from threading import Event

import numpy as np
from numpy.typing import NDArray

from edgeinfer.clock import SourceStamp
from edgeinfer.commons import Commons
from edgeinfer.events import Frame, Sample
from edgeinfer.ports import Clock, Flow, SourcePlace, Stop
from edgeinfer.testing.clock import FakeClock


class Hang(Event):
    """In a script: the source blocks here, deaf to `stop` as a stuck driver is, until the event is set."""


Step = Sample | Exception | Hang


class ScriptedSource:
    """Gives the samples of `script` in order, raises its exceptions, hangs at its `Hang`s.

    After an exception the next `samples()` goes on with the next step, as a device that was opened again does.
    When the script is over, `samples` returns. `opened` counts the calls, `closed` those that were left.
    """

    def __init__(self, script: Iterable[Step], *, block_s: float = 1.0, flow: Flow = "lockstep") -> None:
        self._script, self.block_s, self.flow = iter(script), block_s, flow
        self.opened = self.closed = 0

    def samples(self, stop: Stop) -> Iterator[Sample]:
        self.opened += 1
        try:
            for step in self._script:
                if stop.is_set():
                    return
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, Hang):
                    step.wait()
                else:
                    yield step
        finally:
            self.closed += 1


@dataclass
class Reports:
    """A `Report` that remembers: what is wrong now (`now`), and all that was ever said (`said`)."""

    now: dict[str, str] = field(default_factory=dict)
    said: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, topic: str, text: str | None) -> None:
        if text is None:
            self.now.pop(topic, None)
        else:
            self.now[topic] = text
            self.said.append((topic, text))


def source_place(
    name: str = "cam",
    clock: Clock | None = None,
    reports: Reports | None = None,
    commons: Commons | None = None,
) -> SourcePlace:
    """A place with a clock of its own (a `FakeClock` at its start unless given) and reports that are kept.

    Sources that get the same `commons` stand in one daemon.
    """
    stamp = SourceStamp(name, clock or FakeClock())
    return SourcePlace(name, stamp, reports or Reports(), commons=commons or Commons())


def frames(place: SourcePlace, count: int, pixels: NDArray[np.uint8] | None = None) -> list[Frame]:
    """`count` frames stamped by `place`; grey 8 x 8 pictures unless `pixels` are given."""
    picture = np.full((8, 8, 3), 114, np.uint8) if pixels is None else pixels
    return [Frame(*place.stamp(), picture) for _ in range(count)]
