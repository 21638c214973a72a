"""The serial port itself: open, read, write, who has it, which there are; knows nothing of the protocol.

pyserial opens and configures; reading is poll and one big os.read, which costs a tenth of its own loops.
"""

from __future__ import annotations

import contextlib
import errno
import grp
import os
import select
import termios
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from firmware_bridge.errors import PortBusyError, PortDeniedError, PortError, PortLostError

READ_BYTES: Final = 65536
BY_ID: Final = Path("/dev/serial/by-id")
_WRITE_MS: Final = 2000
_NO_MODEM_LINES: Final = (errno.ENOTTY, errno.EINVAL)  # a pseudo-terminal has none

Parity = Literal["none", "even", "odd"]


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


@dataclass(frozen=True, slots=True)
class Setting:
    """How a port is opened; `dtr` and `rts` None leave these lines to the driver."""

    baud: int = 115_200
    data_bits: int = 8
    parity: Parity = "none"
    stop_bits: int = 1
    dtr: bool | None = None
    rts: bool | None = None


class Port:
    """An open port, ours alone; closes itself as a context manager. For one thread.

    DTR and RTS are set before the open call. Unless DTR is asked for, the port is told not to drop it at the end, so
    that a board that restarts by DTR does so once after it was plugged in, and not each time that we come back.

    Raises:
        PortError, PortBusyError, PortDeniedError: says what to do.
    """

    def __init__(self, name: str, setting: Setting = Setting()) -> None:
        self.name = name
        check(name)
        self._serial = _opened(name, setting)
        self.fd: int = self._serial.fileno()
        os.set_blocking(self.fd, False)
        self._readable, self._writable = select.poll(), select.poll()
        self._readable.register(self.fd, select.POLLIN)
        self._writable.register(self.fd, select.POLLOUT)
        if setting.dtr is None:
            _keep_dtr(self.fd)

    def read(self, timeout_s: float) -> bytes:
        """What is there, at once when something is; b"" when nothing came for so long.

        Raises:
            PortLostError: the port went away, or somebody else reads it, too.
        """
        try:
            if not self._readable.poll(max(0.0, timeout_s * 1000)):
                return b""
            data = os.read(self.fd, READ_BYTES)
        except BlockingIOError:
            others = ", ".join(holders(self.name)) or "another program"
            raise PortLostError(
                f"{self.name} said that bytes are there, and they were gone: {others} reads it too"
            ) from None
        except (OSError, ValueError) as error:
            raise self._lost(error) from error
        if not data:
            raise self._lost("end of file")
        return data

    def write(self, data: bytes) -> None:
        """Raises PortLostError, also where nothing leaves for 2 s."""
        while data:
            try:
                if not self._writable.poll(_WRITE_MS):
                    raise self._lost("it takes no bytes")
                data = data[os.write(self.fd, data) :]
            except BlockingIOError:
                continue
            except PortLostError:
                raise
            except (OSError, ValueError) as error:
                raise self._lost(error) from error

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._serial.close()

    def __enter__(self) -> Port:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _lost(self, why: object) -> PortLostError:
        return PortLostError(f"{self.name} went away ({why}): was it unplugged, does the board have power?")


_PTS_MAJORS = range(136, 144)  # Linux, Documentation/admin-guide/devices.txt


def holders(name: str, *, ours: bool = False, proc: Path = Path("/proc")) -> list[str]:
    """`["minicom (process 4711)"]`: the processes that have the port open, as far as we may look.

    Args:
        name: the port, or a link to it.
        ours: whether this process counts.
        proc: where the kernel shows its processes.
    """
    device = os.path.realpath(name)
    processes = [p for p in proc.iterdir() if p.name.isdigit()] if proc.is_dir() else []
    return [
        f"{_name(process)} (process {process.name})"
        for process in processes
        if (ours or int(process.name) != os.getpid()) and _has_open(process, device)
    ]


def check(name: str) -> None:
    """Whether the port is there, ours to open, and free.

    Raises:
        PortError, PortDeniedError, PortBusyError: says what to do.
    """
    path = Path(name)
    if not path.exists():
        known = ", ".join(found.name for found in ports()) or "none"
        raise PortError(f"{name}: there is no such port; those that are: {known}")
    if not os.access(path, os.R_OK | os.W_OK):
        raise _denied(path)
    if found := holders(name):  # a program that did not ask for exclusive use would share the bytes with us
        raise PortBusyError(f"{name} is open in {', '.join(found)}; end that first")


def _opened(name: str, setting: Setting) -> Any:
    from serial import Serial  # pyserial; imported when a port is opened

    port = Serial()
    port.port, port.baudrate, port.bytesize = name, setting.baud, setting.data_bits
    port.parity, port.stopbits = setting.parity[0].upper(), setting.stop_bits
    port.exclusive, port.timeout = True, 0
    if setting.dtr is not None:
        port.dtr = setting.dtr
    if setting.rts is not None:
        port.rts = setting.rts
    try:
        port.open()
    except (OSError, ValueError) as error:
        raise _why(name, error, setting) from error
    return port


def _why(name: str, error: Exception, setting: Setting) -> PortError:
    code = getattr(error, "errno", None)
    if code == errno.EACCES:
        return _denied(Path(name))
    if code in (errno.EAGAIN, errno.EBUSY) or "exclusively lock" in str(error):
        found = ", ".join(holders(name, ours=True)) or "another program"
        return PortBusyError(f"{name} is open in {found}; end that first")
    if isinstance(error, ValueError):
        return PortError(f"{name} does not take {setting.baud} baud: {error}")
    if code in _NO_MODEM_LINES:
        return PortError(f"{name} is no serial port (or has no line that dtr or rts could set)")
    return PortError(f"{name} cannot be opened: {error}")


def _denied(path: Path) -> PortDeniedError:
    owner = group(path)
    return PortDeniedError(
        f"{path}: no permission; it belongs to the group {owner}: add yourself to it "
        f"(sudo usermod -aG {owner} USER) and log in again (a service: SupplementaryGroups={owner})"
    )


def _keep_dtr(fd: int) -> None:
    """Without HUPCL, closing the port leaves DTR as it is."""
    with contextlib.suppress(termios.error):
        attributes = termios.tcgetattr(fd)
        attributes[2] &= ~termios.HUPCL
        termios.tcsetattr(fd, termios.TCSANOW, attributes)


def _has_open(process: Path, device: str) -> bool:
    try:
        return any(_target(link) == device and _is_ours(link, device) for link in (process / "fd").iterdir())
    except OSError:  # it ended, or belongs to somebody else
        return False


def _is_ours(link: Path, device: str) -> bool:
    """A container has pseudo-terminals of its own, whose names are those of ours."""
    try:
        theirs, here = link.stat(), Path(device).stat()
    except OSError:  # the device was unplugged while it is open: the name is all there is
        return True
    return os.major(theirs.st_rdev) not in _PTS_MAJORS or theirs.st_dev == here.st_dev


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


def group(path: Path) -> str:
    """The group that a device belongs to; its number where the group has no name."""
    gid = path.stat().st_gid
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
