"""A supervised command and its two pipes: bytes out of it within a bound, its last words, and a sure end.

It knows nothing of pictures.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import cast

from edgeinfer.errors import SourceLost
from edgeinfer.ports import Stop

_F_SETPIPE_SZ = 1031  # fcntl.F_SETPIPE_SZ, which Python 3.10 knows on Linux only since its headers do
_PIPE_BYTES = 1 << 20  # the most that /proc/sys/fs/pipe-max-size gives to everybody
_LOOK_S = 0.2  # how often a waiting read looks whether it should stop
_TERM_S = 1.0
_LEASH = Path(__file__).with_name("leash.py")

_REMEDIES = {
    "rpicam-vid": "sudo apt install rpicam-apps",
    "libcamera-vid": "sudo apt install rpicam-apps, and call it rpicam-vid",
    "gst-launch-1.0": "sudo apt install gstreamer1.0-tools",
    "ffmpeg": "sudo apt install ffmpeg",
}


class Stopped(Exception):  # noqa: N818  no error: the reader was asked to stop
    """`stop` was set while bytes were awaited."""


@contextmanager
def running(command: Sequence[str]) -> Iterator[Command]:
    """Starts `command`, and ends it with all that it started.

    Raises:
        SourceLost: there is no such program.
    """
    if shutil.which(command[0]) is None:
        remedy = _REMEDIES.get(Path(command[0]).name, "install it, or give its whole path in `command`")
        raise SourceLost(f"there is no program {command[0]!r} on this machine: {remedy}")
    leash = [sys.executable, "-I", "-S", str(_LEASH), str(os.getpid())]
    child = subprocess.Popen(
        [*leash, *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        start_new_session=True,
    )
    with child:
        try:
            yield Command(Path(command[0]).name, child)
        finally:
            _end(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    # A stopped process hears SIGTERM only when it goes on; one that hangs in a driver needs SIGKILL.
    for number in (signal.SIGTERM, signal.SIGCONT):
        _signal(child, number)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(_TERM_S)
    _signal(child, signal.SIGKILL)  # also for what the command started and left behind


def _signal(child: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, number)


class Command:
    """A command that runs: its output within a bound, and its last words. For one thread."""

    def __init__(self, name: str, child: subprocess.Popen[bytes]) -> None:
        self._name, self._child, self._last_words = name, child, b""
        self._out, self._err = cast("FileIO", child.stdout), cast("FileIO", child.stderr)
        with contextlib.suppress(OSError):  # a smaller pipe costs wake-ups, no pictures
            fcntl.fcntl(self._out, _F_SETPIPE_SZ, _PIPE_BYTES)
        self._poll = select.poll()
        self._poll.register(self._out, select.POLLIN)
        self._poll.register(self._err, select.POLLIN)

    @property
    def pid(self) -> int:
        return self._child.pid

    def waiting(self) -> int:
        """Bytes that can be read without waiting."""
        answer = fcntl.ioctl(self._out, termios.FIONREAD, b"\0" * 4)
        return int(struct.unpack("i", answer)[0])

    def fill(self, buffer: memoryview, timeout_s: float, stop: Stop) -> None:
        """Reads until `buffer` is full.

        Raises:
            SourceLost: the command ended, or `timeout_s` passed, with its last words.
            Stopped: `stop` was set.
        """
        filled, until_s = 0, time.monotonic() + timeout_s
        while filled < len(buffer):
            if stop.is_set():
                raise Stopped
            if not self._readable(until_s):
                if time.monotonic() >= until_s:
                    raise self._lost(f"gave no whole picture for {timeout_s:.1f} s", filled, len(buffer))
                continue
            count = self._out.readinto(buffer[filled:])
            if not count:
                raise self._lost(self._ending(), filled, len(buffer))
            filled += count

    def _readable(self, until_s: float) -> bool:
        """Waits a little for stdout; reads what stands in stderr on the way."""
        wait_s = min(_LOOK_S, until_s - time.monotonic())
        ready = dict(self._poll.poll(max(0.0, wait_s * 1000)))
        if self._err.fileno() in ready:
            self._listen()
        return self._out.fileno() in ready

    def _listen(self) -> None:
        heard = self._err.read(4096)
        if not heard:
            self._poll.unregister(self._err)
            return
        self._last_words = (self._last_words + heard)[-1000:]

    def _ending(self) -> str:
        try:
            code = self._child.wait(_TERM_S)
        except subprocess.TimeoutExpired:
            return "closed its output"
        if code < 0:
            return f"was killed by signal {signal.Signals(-code).name}"
        return f"ended by itself (exit code {code})"

    def _lost(self, what: str, filled: int, whole: int) -> SourceLost:
        while select.select([self._err], [], [], 0)[0] and (heard := self._err.read(4096)):
            self._last_words = (self._last_words + heard)[-1000:]
        lines = self._last_words.decode(errors="replace").replace("\r", "\n").split("\n")
        words = next((line.strip() for line in reversed(lines) if line.strip()), "")
        part = f", after {filled} of the {whole} bytes of a picture" if filled else ""
        return SourceLost(f"{self._name} {what}{part}" + (f': "{words}"' if words else ""))
