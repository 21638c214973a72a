"""The source `pipe`: pictures that a supervised command (rpicam-vid, gst-launch, ffmpeg) writes to its stdout."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import msgspec
import numpy as np

from edgeinfer.config.values import check_seconds
from edgeinfer.errors import InputError
from edgeinfer.events import Frame
from edgeinfer.ports import Flow, SourcePlace, Stop
from edgeinfer.sources.command import Command, Stopped, running
from edgeinfer.sources.live import Frozen
from edgeinfer.sources.options import (
    Controls,
    Roi,
    Rotation,
    Size,
    block_s,
    check_fps,
    check_one_of,
    check_roi,
    check_size,
)
from edgeinfer.sources.pace import Cap
from edgeinfer.sources.pixels import RAW_FORMATS, Pixels, RawPicture, Shape

_PLACEHOLDER = re.compile(r"\{(width|height|fps|exposure|gain|focus|white_balance)\}")


class Pipe:
    """See docs/sources.md for what each option means.

    Raises:
        InputError: an option is wrong in itself.
    """

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
        """The command owns the device: what it is told, `{width}` or `{exposure}` in `command` tell it."""

        command: list[str]
        size: Size
        pixel_format: str = "yuv420"
        fps: float | None = None
        rotate: Rotation = 0
        roi: Roi | None = None
        controls: Controls = Controls()
        frozen_s: float = 0.0
        block_s: float = 5.0

    flow: Flow = "newest"

    def __init__(self, options: Options, place: SourcePlace) -> None:
        _check(options)
        self._options, self._place = options, place
        self._command, self._unused = filled(options)
        self._raw = RawPicture(options.size, options.pixel_format)
        self._shape = Shape(None, options.rotate, options.roi)
        self._frozen = Frozen(options.frozen_s)
        self.block_s = block_s(options.block_s, options.fps)

    def samples(self, stop: Stop) -> Iterator[Frame]:
        """Frames until `stop`.

        Raises:
            SourceLost: the command is not there, ended, or gave no whole picture within `block_s`.
        """
        unused = ", ".join(f"controls.{name} by {{{name}}}" for name in self._unused)
        self._place.report("controls", f"`command` does not ask for {unused}: ignored" if unused else None)
        convert, cap = self._raw.converter(), Cap(self._options.fps)
        with running(self._command) as command:
            for raw in self._pictures(command, stop):
                now_ns = time.monotonic_ns()
                if not cap.passes(now_ns):
                    continue
                key, at = self._place.stamp()
                self._frozen.check(raw, now_ns, self._options.command[0])
                yield Frame(key, at, self._shape(convert(raw)))

    def _pictures(self, command: Command, stop: Stop) -> Iterator[Pixels]:
        """The newest whole picture that the pipe holds, each time; older ones are read over."""
        raw = self._buffer()
        while True:
            try:
                command.fill(raw.data.cast("B"), self._options.block_s, stop)
            except Stopped:
                return
            if command.waiting() < self._raw.bytes:
                yield raw
                raw = raw if self._raw.copies else self._buffer()

    def _buffer(self) -> Pixels:
        return np.empty(self._raw.shape(), np.uint8)


def filled(options: Pipe.Options) -> tuple[list[str], list[str]]:
    """The command with its placeholders filled in, and the controls that it does not ask for.

    Raises:
        InputError: it asks for something that the options do not give.
    """
    wanted = options.controls.wanted()
    values: dict[str, object] = {"width": options.size[0], "height": options.size[1], **wanted}
    if options.fps is not None:
        values["fps"] = options.fps
    asked: set[str] = set()

    def value(found: re.Match[str]) -> str:
        name = found[1]
        asked.add(name)
        if name not in values:
            key = name if name == "fps" else f"controls.{name}"
            raise InputError(f"command: {{{name}}} stands in it; expected {key}, which is not set")
        text = values[name]
        return f"{text:g}" if isinstance(text, float) else str(text)

    command = [_PLACEHOLDER.sub(value, word) for word in options.command]
    return command, [name for name in wanted if name not in asked]


def _check(options: Pipe.Options) -> None:
    if not options.command or not options.command[0]:
        raise InputError(
            'command: expected a program and its arguments, ["rpicam-vid", "-t", "0", …]; found nothing'
        )
    check_size(options.size)
    check_one_of("pixel_format", options.pixel_format, RAW_FORMATS)
    check_fps(options.fps)
    check_roi(options.roi)
    check_seconds("block_s", options.block_s, least_s=0.2)
    check_seconds("frozen_s", options.frozen_s, least_s=0.0)
