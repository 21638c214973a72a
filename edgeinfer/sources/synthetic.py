"""The source `synthetic`: the demo's conveyor belt, so that a whole line runs with nothing plugged in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from edgeinfer.config.values import check_seconds
from edgeinfer.errors import InputError
from edgeinfer.events import Frame
from edgeinfer.ports import Flow, SourcePlace, Stop
from edgeinfer.sources.camera import REPLAY_START, Pace, replayed, unix_ns
from edgeinfer.sources.options import Size, block_s, check_fps, check_size
from edgeinfer.sources.pace import RealTime

if TYPE_CHECKING:
    from edgeinfer.sources.belt import Belt


class Synthetic:
    """See docs/sources.md for what each option means.

    Raises:
        InputError: an option is wrong in itself.
    """

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
        """How often it looks, for how long, and what the belt looks like (see `belt.BeltSettings`)."""

        fps: float = 15.0
        pace: Pace = "real"
        for_s: float = 0.0
        starts_at: datetime = REPLAY_START
        size: Size = (480, 360)
        seed: int = 0
        speed_px_s: float = 80.0
        parts_per_minute: float = 36.0
        scratched: float = 0.15
        hole_missing: float = 0.15
        light: float = 1.0
        blur_px: float = 0.5
        noise: float = 3.0
        overlap: float = 0.04

    def __init__(self, options: Options, place: SourcePlace) -> None:
        _check(options)
        self._options, self._place = options, place
        self.flow: Flow = "lockstep" if options.pace == "lockstep" else "newest"
        self.block_s = block_s(2.0, options.fps)

    def samples(self, stop: Stop) -> Iterator[Frame]:
        """Frames of the belt until `stop`, or until `for_s` seconds of belt time are over."""
        belt, options = _belt(self._options), self._options
        start_ns = unix_ns(options.starts_at)
        for position_ns in self._positions(stop):
            moment = replayed(start_ns, position_ns) if options.pace == "lockstep" else None
            key, at = self._place.stamp(moment)
            yield Frame(key, at, belt.render(position_ns / 1e9))

    def _positions(self, stop: Stop) -> Iterator[int]:
        """Belt times in ns; in real time those that a slow machine cannot draw are left out."""
        options, clock = self._options, RealTime(stop)
        period_ns, number = round(1e9 / options.fps), 0
        while not (options.for_s and number * period_ns >= round(options.for_s * 1e9)):
            if options.pace == "real":
                number = max(number, clock.elapsed_ns() // period_ns)
                clock.wait_for(number * period_ns)
            if stop.is_set():
                return
            yield number * period_ns
            number += 1


def _belt(options: Synthetic.Options) -> Belt:
    # Imports cv2, hence only now.
    from edgeinfer.sources.belt import Belt, BeltSettings

    return Belt(
        BeltSettings(
            seed=options.seed,
            size_px=options.size,
            speed_px_s=options.speed_px_s,
            parts_per_minute=options.parts_per_minute,
            scratched=options.scratched,
            hole_missing=options.hole_missing,
            light=options.light,
            blur_px=options.blur_px,
            noise=options.noise,
            overlap=options.overlap,
        )
    )


def _check(options: Synthetic.Options) -> None:
    check_fps(options.fps)
    check_size(options.size)
    if min(options.size) < 96:
        raise InputError(
            f"size: expected [width, height] of at least 96 pixels each, found {list(options.size)}"
        )
    if options.for_s:
        check_seconds("for_s", options.for_s, least_s=0.0)
    for name in ("speed_px_s", "parts_per_minute", "light"):
        if getattr(options, name) <= 0.0:
            raise InputError(f"{name}: expected a number above 0, found {getattr(options, name)}")
    for name in ("seed", "blur_px", "noise"):
        if getattr(options, name) < 0:
            raise InputError(f"{name}: expected a number from 0 up, found {getattr(options, name)}")
    _check_shares(options)


def _check_shares(options: Synthetic.Options) -> None:
    for name in ("scratched", "hole_missing", "overlap"):
        if not 0.0 <= getattr(options, name) <= 1.0:
            raise InputError(f"{name}: expected a share of the parts, 0 to 1, found {getattr(options, name)}")
    if options.scratched + options.hole_missing > 1.0:
        raise InputError("scratched, hole_missing: expected shares that make at most 1 together, found more")
