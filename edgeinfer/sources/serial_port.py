"""Opens a serial port for us alone, reads and writes it without waiting longer than told; knows no protocol."""

from __future__ import annotations

import contextlib
import errno
import grp
import os
import select
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import msgspec

from edgeinfer.errors import SourceLost

_READ_BYTES = 65_536
_WRITE_MS = 1000
_NO_MODEM_LINES = (errno.ENOTTY, errno.EINVAL)  # a pseudo-terminal has none
Parity = Literal["none", "even", "odd"]


class Setting(msgspec.Struct, frozen=True):
    """How a port is opened; `dtr` and `rts` None leave these lines to the driver."""

    baud: int = 115_200
    data_bits: int = 8
    parity: Parity = "none"
    stop_bits: int = 1
    dtr: bool | None = None
    rts: bool | None = None


class Port:
    """An open port. For one thread."""

    def __init__(self, path: str, fd: int) -> None:
        self.path, self.fd = path, fd
        self._poll = select.poll()
        self._poll.register(fd, select.POLLIN)

    def read(self, timeout_s: float) -> bytes:
        """What came, at once when something did; b"" after `timeout_s`.

        Raises:
            SourceLost: unplugged.
        """
        if not self._poll.poll(max(0.0, timeout_s * 1000)):
            return b""
        try:
            data = os.read(self.fd, _READ_BYTES)
        except BlockingIOError:  # another reader was faster
            raise SourceLost(
                f"{self.path} said that bytes are there, and they were gone: {_holders(self.path)} reads it too"
            ) from None
        except OSError as error:
            raise SourceLost(f"{self.path} is gone: {error.strerror}; was it unplugged?") from None
        if not data:
            raise SourceLost(f"{self.path} was closed at the other end; was it unplugged?")
        return data

    def write(self, data: bytes) -> None:
        """Raises SourceLost: unplugged, or nothing is taken off."""
        while data:
            waiting = select.poll()
            waiting.register(self.fd, select.POLLOUT)
            if not waiting.poll(_WRITE_MS):
                raise SourceLost(
                    f"{self.path} took nothing for {_WRITE_MS / 1000:.0f} s: its driver is stuck"
                )
            try:
                data = data[os.write(self.fd, data) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise SourceLost(f"{self.path} is gone: {error.strerror}; was it unplugged?") from None


@contextmanager
def opened(path: str, setting: Setting) -> Iterator[Port]:
    """A port that no other program that asks for exclusive use can open meanwhile.

    DTR and RTS are set before the open call, and the port is told not to drop DTR when it is closed, so that a board
    that resets by DTR does so once after it was plugged in, and not each time that we come back.

    Raises:
        SourceLost: there is none, it is busy (says who holds it), or we may not (says which group may).
    """
    from serial import SerialException

    port = _prepared(path, setting)
    try:
        port.open()
    except (SerialException, OSError, ValueError) as error:
        raise SourceLost(_why(path, error, setting)) from None
    try:
        if setting.dtr is None:
            _keep_dtr(port.fileno())
        yield Port(path, port.fileno())
    finally:
        with contextlib.suppress(OSError):
            port.close()


def _prepared(path: str, setting: Setting) -> Any:
    from serial import Serial  # pyserial; imported when a port is opened

    port = Serial()
    port.port, port.baudrate, port.bytesize = path, setting.baud, setting.data_bits
    port.parity, port.stopbits = setting.parity[0].upper(), setting.stop_bits
    port.exclusive, port.timeout = True, 0
    if setting.dtr is not None:
        port.dtr = setting.dtr
    if setting.rts is not None:
        port.rts = setting.rts
    return port


def _keep_dtr(fd: int) -> None:
    """Without HUPCL, closing the port leaves DTR as it is."""
    with contextlib.suppress(termios.error):
        attributes = termios.tcgetattr(fd)
        attributes[2] &= ~termios.HUPCL
        termios.tcsetattr(fd, termios.TCSANOW, attributes)


def _why(path: str, error: Exception, setting: Setting) -> str:
    code = getattr(error, "errno", None)
    if code == errno.ENOENT:
        return f"there is no port {path}: is it plugged in? (ls -l /dev/serial/by-id/ shows those that are)"
    if code == errno.EACCES:
        return f"{path} may not be opened by this user: {_group(path)}"
    if code in (errno.EAGAIN, errno.EBUSY) or "exclusively lock" in str(error):
        return f"{path} is busy: {_holders(path)} holds it; stop that program"
    if isinstance(error, ValueError):
        return f"{path} does not take {setting.baud} baud: {error}"
    if code in _NO_MODEM_LINES:
        return f"{path} is no serial port (or has no line that dtr or rts could set)"
    return f"{path} cannot be opened: {error}"


def _group(path: str) -> str:
    try:
        name = grp.getgrgid(Path(path).stat().st_gid).gr_name
    except (OSError, KeyError):
        return "look at its owner with ls -l"
    return f"sudo usermod -aG {name} USER, then log in again (systemd: SupplementaryGroups={name})"


def _holders(path: str) -> str:
    """Programs that have the port open, as far as we may look."""
    device, found = os.path.realpath(path), []
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            if str(link.readlink()) == device:
                process = link.parts[2]
                name = Path("/proc", process, "comm").read_text().strip()
                found.append(f"{name} (process {process})")
    return ", ".join(dict.fromkeys(found)) or "another program"
