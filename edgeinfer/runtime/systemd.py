"""What systemd hands over and wants to hear (sd_notify); the only place that reads environment variables.

Protocol: sd_notify(3), a datagram to the socket named by NOTIFY_SOCKET; `@` is the abstract namespace.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Systemd:
    """Empty where no systemd started us: then nothing is sent, and folders come from the user's home."""

    notify_socket: str = ""
    watchdog_s: float = 0.0
    state_dir: Path | None = None
    runtime_dir: Path | None = None
    journal_stream: str = ""  # "device:inode" of the stream that goes to the journal

    @classmethod
    def from_environment(cls, env: Mapping[str, str] | None = None) -> Systemd:
        env = os.environ if env is None else env
        for_us = env.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        return cls(
            notify_socket=env.get("NOTIFY_SOCKET", ""),
            watchdog_s=int(env.get("WATCHDOG_USEC", "0")) / 1e6 if for_us else 0.0,
            state_dir=_first_folder(env.get("STATE_DIRECTORY", "")),
            runtime_dir=_first_folder(env.get("RUNTIME_DIRECTORY", "")),
            journal_stream=env.get("JOURNAL_STREAM", ""),
        )

    def notify(self, **words: str) -> None:
        """Sends e.g. `READY=1`, `STATUS=…`; silence where nobody listens."""
        if not self.notify_socket:
            return
        address = "\0" + self.notify_socket[1:] if self.notify_socket.startswith("@") else self.notify_socket
        text = "\n".join(f"{word}={value}" for word, value in words.items())
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            try:
                sock.connect(address)
                sock.sendall(text.encode())
            except OSError:
                return  # systemd is being re-executed; the next word will reach it


def _first_folder(value: str) -> Path | None:
    return Path(value.split(":", maxsplit=1)[0]) if value else None
