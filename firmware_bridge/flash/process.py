"""Runs the field's own flash tools as processes: their text as it comes, a time limit, and no orphan left behind.

GPL tools are never imported. What a tool prints for people is shown, and judged by its exit code only.
"""

from __future__ import annotations

import codecs
import math
import os
import selectors
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from firmware_bridge.flash.errors import FlashError

_LEASH = Path(__file__).with_name("leash.py")
_TAIL = 16_384  # what is kept of a tool's words
_LOOK_S = 0.2
_END_S = 5.0


OnText = Callable[[str], object]
"""`on_text(text)`: a piece of what a tool prints, as it comes; a line may be cut anywhere; "" when it is silent."""


@dataclass(frozen=True, slots=True)
class Done:
    """How a tool ended, and the end of what it said (stdout and stderr together)."""

    code: int
    said: str

    @property
    def last_line(self) -> str:
        lines = [line.strip() for line in self.said.replace("\r", "\n").split("\n") if line.strip()]
        return lines[-1] if lines else "it said nothing"


def find(tool: str, how: str) -> list[str]:
    """The command that starts `tool`: from PATH, or beside this Python.

    Raises:
        FlashError: it is not installed; `how` says what to type.
    """
    beside = Path(sys.executable).with_name(tool)
    path = str(beside) if os.access(beside, os.X_OK) else shutil.which(tool)
    if path is None:
        raise FlashError(f"the tool {tool} is not installed on this machine: {how}")
    return [path]


def run(
    command: Sequence[str],
    timeout_s: float,
    on_text: OnText = len,
    *,
    port: str = "",
    silence_s: float = math.inf,
) -> Done:
    """Runs `command` to its end; `on_text` sees each piece of what it prints, and "" when it prints nothing for a while.

    Ctrl-C at the terminal does not reach it: what `on_text` raises is what ends it.

    Raises:
        FlashError: it cannot be started, did not end within `timeout_s`, printed nothing for `silence_s`, or the
            `port` that it works on went away (tools go on trying for minutes); it is then killed.
    """
    leashed = [sys.executable, "-I", "-S", str(_LEASH), str(os.getpid()), *command]
    with subprocess.Popen(
        leashed, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        try:
            said = _listen(process, _Watch(timeout_s, silence_s, port), on_text)
            return Done(process.wait(_END_S), said)
        except subprocess.TimeoutExpired as error:
            process.kill()
            raise FlashError(
                f"the tool said its last word and did not end; it was stopped: {command[0]}"
            ) from error
        except BaseException:
            process.kill()
            raise


class _Watch:
    """When a tool has had its time."""

    def __init__(self, timeout_s: float, silence_s: float, port: str) -> None:
        self._timeout_s, self._silence_s, self._port = timeout_s, silence_s, port
        self._begun_s = self._heard_s = time.monotonic()

    def heard(self) -> None:
        self._heard_s = time.monotonic()

    def check(self, said: str) -> None:
        """Raises FlashError when it is over."""
        now_s, last = time.monotonic(), said[-200:].strip()
        if self._port and not Path(self._port).exists():
            raise FlashError(f"{self._port} went away: is the cable in, does the board have power?")
        if now_s - self._heard_s > self._silence_s:
            raise FlashError(
                f"the tool said nothing for {self._silence_s:.0f} s and was stopped: does the board have power? {last}"
            )
        if now_s - self._begun_s > self._timeout_s:
            raise FlashError(f"the tool did not end within {self._timeout_s:.0f} s and was stopped: {last}")


def _listen(process: subprocess.Popen[bytes], watch: _Watch, on_text: OnText) -> str:
    """All that it prints until it closes its output, the last part of it."""
    said = ""
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    if process.stdout is None:
        raise AssertionError("started with a pipe")
    descriptor = process.stdout.fileno()
    with selectors.DefaultSelector() as ready:
        ready.register(descriptor, selectors.EVENT_READ)
        while True:
            watch.check(said)
            if not ready.select(_LOOK_S):
                on_text("")
                continue
            raw = os.read(descriptor, 65_536)
            if not raw:
                return said
            watch.heard()
            text = decode(raw)
            said = (said + text)[-_TAIL:]
            on_text(text)
