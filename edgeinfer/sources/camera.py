"""The source `camera`: a device, an RTSP or MJPEG stream, a video file or a folder of pictures, read by OpenCV."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Literal

import msgspec

from edgeinfer.config.values import check_seconds
from edgeinfer.errors import InputError, SourceLost
from edgeinfer.events import Frame, Instant
from edgeinfer.ports import Flow, SourcePlace, Stop
from edgeinfer.secrets import read_login
from edgeinfer.sources.capture import Capture, Transport, open_device, open_stream
from edgeinfer.sources.credentials import fill
from edgeinfer.sources.live import Frozen, grabbed
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
from edgeinfer.sources.origin import Device, Pictures, Stream, Video, origin
from edgeinfer.sources.pace import Cap, RealTime
from edgeinfer.sources.pixels import Shape
from edgeinfer.sources.recorded import recorded
from edgeinfer.sources.server import unreachable, why_closed
from edgeinfer.sources.v4l2 import apply_controls

Pace = Literal["real", "lockstep"]
REPLAY_START = datetime(2020, 1, 1, tzinfo=timezone.utc)

# The four-character codes of V4L2 from which OpenCV makes pictures.
PIXEL_FORMATS = (
    "MJPG",
    "JPEG",
    "YUYV",
    "UYVY",
    "YVYU",
    "NV12",
    "NV21",
    "YU12",
    "YV12",
    "GREY",
    "BGR3",
    "RGB3",
)


class Camera:
    """See docs/sources.md for what each option means.

    Raises:
        InputError: an option is wrong in itself, or a file that it names is missing.
    """

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
        """What a user may write; `from` is a word of Python, hence the underscore."""

        from_: int | str = msgspec.field(name="from")
        fps: float | None = None
        size: Size | None = None
        pixel_format: str | None = None
        rotate: Rotation = 0
        roi: Roi | None = None
        controls: Controls = Controls()
        credentials_file: str | None = None
        transport: Transport = "tcp"
        frozen_s: float = 0.0
        pace: Pace = "real"
        loop: bool = False
        starts_at: datetime = REPLAY_START
        block_s: float = 3.0

    def __init__(self, options: Options, place: SourcePlace) -> None:
        _check(options)
        self._options, self._place = options, place
        self._origin = origin(options.from_)
        live = isinstance(self._origin, Device | Stream)
        if live and options.pace == "lockstep":
            raise InputError(
                'pace: "lockstep" needs a video file or a folder in `from`; a live camera does not wait'
            )
        if options.credentials_file is not None:
            read_login(options.credentials_file)
        self.flow: Flow = "lockstep" if options.pace == "lockstep" else "newest"
        self.block_s = block_s(options.block_s, options.fps)
        self._shape = Shape(
            None if isinstance(self._origin, Device) else options.size, options.rotate, options.roi
        )
        self._start_ns = unix_ns(options.starts_at)
        self._frozen = Frozen(options.frozen_s)
        self._thorough = False

    def samples(self, stop: Stop) -> Iterator[Frame]:
        """Frames until `stop`, or until a file ends.

        Raises:
            SourceLost: a device or stream is away, refused, silent or frozen.
            InputError: the file is no video or picture.
        """
        if isinstance(self._origin, Video | Pictures):
            return self._recorded(self._origin, stop)
        return self._live(self._origin, stop)

    # --- live --------------------------------------------------------------------------------------------

    def _live(self, where: Device | Stream, stop: Stop) -> Iterator[Frame]:
        capture = self._device(where) if isinstance(where, Device) else self._stream(where)
        cap, name = Cap(self._options.fps), str(where)
        try:
            for _ in grabbed(capture, name, self._options.block_s, stop):
                now_ns = time.monotonic_ns()
                if cap.passes(now_ns):
                    yield self._frame(capture, name, now_ns)
        finally:
            capture.release()

    def _frame(self, capture: Capture, name: str, now_ns: int) -> Frame:
        key, at = self._place.stamp()
        there, pixels = capture.retrieve()
        if not there:
            raise SourceLost(f"{name} sent something that OpenCV cannot turn into a picture")
        self._frozen.check(pixels, now_ns, name)
        return Frame(key, at, self._shape(pixels))

    def _device(self, device: Device) -> Capture:
        options, report = self._options, self._place.report
        capture, complaints = open_device(
            device.path, options.size, options.pixel_format, options.fps, options.block_s
        )
        for topic, complaint in complaints.items():
            report(topic, complaint and f"{topic}: {complaint}")
        report("controls", "; ".join(apply_controls(device.path, options.controls.wanted())) or None)
        return capture

    def _stream(self, stream: Stream) -> Capture:
        self._report_unused("a stream")
        options, url = self._options, self._secret_url(stream)
        why = unreachable(stream.url, options.block_s)
        if why is not None:
            raise SourceLost(f"cannot open {stream}: {why}")
        capture = open_stream(url, options.transport, options.block_s, thorough=self._thorough)
        if capture is None:
            raise SourceLost(f"cannot open {stream}: {self._why_closed(stream)}")
        return capture

    def _why_closed(self, stream: Stream) -> str:
        credentials = self._options.credentials_file is not None
        found = why_closed(stream.url, self._options.block_s / 2, credentials=credentials)
        # Some cameras tell their format late: look longer the next time, and again shortly the time after.
        self._thorough = found.streams and not self._thorough
        return found.text

    def _secret_url(self, stream: Stream) -> str:
        path = self._options.credentials_file
        if path is None:
            return stream.url
        try:
            return fill(stream.url, read_login(path))  # each time: a changed password needs no restart
        except InputError as error:
            raise SourceLost(str(error)) from None

    # --- recorded ----------------------------------------------------------------------------------------

    def _recorded(self, where: Video | Pictures, stop: Stop) -> Iterator[Frame]:
        self._report_unused("a file")
        options, cap, clock = self._options, Cap(self._options.fps), RealTime(stop)
        for position_ns, load in recorded(where, options.fps, self._place.report, loop=options.loop):
            if stop.is_set():
                return
            if not cap.passes(position_ns):
                continue
            if options.pace == "real":
                clock.wait_for(position_ns)
            pixels = None if stop.is_set() else load()
            if pixels is not None:
                key, at = self._place.stamp(self._moment(position_ns))
                yield Frame(key, at, self._shape(pixels))

    def _moment(self, position_ns: int) -> Instant | None:
        return None if self._options.pace == "real" else replayed(self._start_ns, position_ns)

    def _report_unused(self, what: str) -> None:
        options = self._options
        unused = [name for name in ("pixel_format",) if options.pixel_format is not None]
        unused += [f"controls.{name}" for name in options.controls.wanted()]
        text = f"{what} cannot be told {', '.join(unused)}: only a device can" if unused else None
        self._place.report("controls", text)


def replayed(start_ns: int, position_ns: int) -> Instant:
    """The moment `position_ns` after `start_ns` (unix), the same on every machine."""
    return Instant("replay", position_ns, start_ns + position_ns, synced=False)


def unix_ns(starts_at: datetime) -> int:
    """`starts_at` (UTC where it names no zone) since 1970."""
    start = starts_at if starts_at.tzinfo else starts_at.replace(tzinfo=timezone.utc)
    since_epoch = start - datetime(1970, 1, 1, tzinfo=timezone.utc)
    seconds = since_epoch.days * 86_400 + since_epoch.seconds
    return seconds * 1_000_000_000 + since_epoch.microseconds * 1000


def _check(options: Camera.Options) -> None:
    check_fps(options.fps)
    check_size(options.size)
    check_roi(options.roi)
    check_seconds("block_s", options.block_s, least_s=0.2)
    check_seconds("frozen_s", options.frozen_s, least_s=0.0)
    if options.pixel_format is not None:
        check_one_of("pixel_format", options.pixel_format, PIXEL_FORMATS)
