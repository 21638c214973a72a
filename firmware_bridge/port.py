"""The serial port itself: open, read, write, who has it, which there are; knows nothing of the protocol.

pyserial opens and configures; reading is poll and one big os.read, which costs a tenth of its own loops.
"""

from __future__ import annotations

import grp
import os
import select
import termios
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firmware_bridge.errors import PortBusyError, PortDeniedError, PortError, PortLostError

READ_BYTES = 65536
BY_ID = Path("/dev/serial/by-id")
WRITE_S = 2.0


@dataclass(frozen=True, slots=True)
class Found:
    """A port: the name that stays (by-id where there is one), the device behind it, what it says that it is."""

    name: str
    device: str
    description: str


def ports() -> list[Found]:
    """The serial ports of this machine."""
    from serial.tools.list_ports import comports

    links = {os.path.realpath(link): str(link) for link in BY_ID.iterdir()} if BY_ID.is_dir() else {}
    return [Found(links.get(p.device, p.device), p.device, p.description) for p in sorted(comports())]


class Port:
    """An open port, ours alone; closes itself as a context manager.

    Args:
        dtr, rts: levels from the first moment on. Many boards restart when DTR changes: left asserted and with
            "hang up on close" off, only the first open after the plug went in can restart them.

    Raises:
        PortError, PortBusyError, PortDeniedError: says what to do.
    """

    def __init__(self, name: str, baud: int = 115_200, *, dtr: bool = True, rts: bool = True) -> None:
        import serial

        self.name = name
        _check(name)
        self._serial: Any = serial.Serial()
        self._serial.port, self._serial.baudrate, self._serial.exclusive = name, baud, True
        self._serial.timeout, self._serial.dtr, self._serial.rts = 0, dtr, rts
        try:
            self._serial.open()
        except (OSError, ValueError) as error:
            raise PortError(f"{name}: cannot be opened at {baud} baud: {error}") from error
        self._fd: int = self._serial.fileno()
        os.set_blocking(self._fd, False)
        self._poll = select.poll()
        self._poll.register(self._fd, select.POLLIN)
        _keep_dtr(self._fd)

    def read(self, timeout_s: float) -> bytes:
        """What is there, after waiting for the first byte at most so long; empty when nothing came.

        Raises:
            PortLostError: the port went away.
        """
        try:
            if not self._poll.poll(timeout_s * 1000):
                return b""
            data = os.read(self._fd, READ_BYTES)
        except BlockingIOError:
            return b""
        except (OSError, ValueError) as error:
            raise self._lost(error) from error
        if not data:
            raise self._lost("end of file")
        return data

    def write(self, data: bytes) -> None:
        """Raises PortLostError, also where nothing leaves for 2 s."""
        end = time.monotonic() + WRITE_S
        while data:
            try:
                data = data[os.write(self._fd, data) :]
            except BlockingIOError:
                if time.monotonic() > end:
                    raise self._lost("it takes no bytes") from None
                select.select([], [self._fd], [], 0.05)
            except (OSError, ValueError) as error:
                raise self._lost(error) from error

    def close(self) -> None:
        self._serial.close()

    def __enter__(self) -> Port:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _lost(self, why: object) -> PortLostError:
        return PortLostError(f"{self.name} went away ({why}): is the cable in, does the board have power?")


def holders(name: str) -> list[str]:
    """`["minicom (process 4711)"]`: other processes that have the port open, as far as we may look."""
    device = os.path.realpath(name)
    others = [p for p in Path("/proc").iterdir() if p.name.isdigit() and int(p.name) != os.getpid()]
    return [f"{_name(process)} (process {process.name})" for process in others if _has_open(process, device)]


def _check(name: str) -> None:
    path = Path(name)
    if not path.exists():
        known = ", ".join(found.name for found in ports()) or "none"
        raise PortError(f"{name}: there is no such port; those that are: {known}")
    if not os.access(path, os.R_OK | os.W_OK):
        group = _group(path)
        raise PortDeniedError(
            f"{name}: no permission; it belongs to the group {group}: add yourself to it "
            f"(sudo usermod -aG {group} USER) and log in again"
        )
    if found := holders(name):
        raise PortBusyError(f"{name} is open in {', '.join(found)}; end that first")


def _keep_dtr(fd: int) -> None:
    attributes = termios.tcgetattr(fd)
    attributes[2] &= ~termios.HUPCL
    termios.tcsetattr(fd, termios.TCSANOW, attributes)


def _has_open(process: Path, device: str) -> bool:
    try:
        return any(_target(link) == device for link in (process / "fd").iterdir())
    except OSError:  # it ended, or belongs to somebody else
        return False


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except OSError:
        return "a process"


def _group(path: Path) -> str:
    gid = path.stat().st_gid
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
