"""The control socket: a unix socket in the runtime folder, one JSON line in, one JSON line out.

Who may open the file (its owner and root, mode 0600) may ask everything.
"""

from __future__ import annotations

import logging
import pwd
import socket
import struct
from pathlib import Path
from threading import Event, Thread
from typing import Any

import msgspec

from edgeinfer.commands.table import Asker, Commands, Permission
from edgeinfer.errors import EdgeinferError, InputError
from edgeinfer.runtime.supervisor import Supervisor

log = logging.getLogger(__name__)

_LINE_MAX = 65_536
_PATIENCE_S = 2.0  # a client that connects and says nothing does not hold the door for long
_GRANTED: frozenset[Permission] = frozenset({"read", "look", "operate"})
SOCKET = "socket"
_PATH_MAX = 107  # sizeof(sockaddr_un.sun_path) - 1


class Door:
    """The post that answers at `path`."""

    def __init__(self, path: Path, commands: Commands, supervisor: Supervisor) -> None:
        self._path, self._commands, self._supervisor = path, commands, supervisor
        self._stop = Event()
        self._thread = Thread(target=self._serve, name="door", daemon=True)
        self._socket = _listen(path)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float) -> bool:
        self._stop.set()
        self._thread.join(timeout_s)
        self._socket.close()
        self._path.unlink(missing_ok=True)
        return not self._thread.is_alive()

    def watch(self, now_ns: int) -> None:
        """Nothing to do."""

    def _serve(self) -> None:
        self._socket.settimeout(0.5)
        while not self._stop.is_set():
            try:
                client, _ = self._socket.accept()
            except OSError:
                continue
            with client:
                client.settimeout(_PATIENCE_S)
                try:
                    client.sendall(self._answer(_line(client), _asker(client)) + b"\n")
                except OSError as error:
                    log.debug("a client of the control socket left: %s", error)

    def _answer(self, line: bytes, asker: Asker) -> bytes:
        try:
            command = self._commands.parse(line, _GRANTED)
            result = self._supervisor.ask(lambda: self._commands.execute(command, asker))
        except EdgeinferError as error:
            return msgspec.json.encode({"ok": False, "error": str(error), "exit_code": error.exit_code})
        except Exception as error:
            return msgspec.json.encode({"ok": False, "error": f"it failed: {error!r}", "exit_code": 1})
        return msgspec.json.encode({"ok": True, "result": result})


def ask(path: Path, command: dict[str, Any], timeout_s: float = 10.0) -> Any:
    """What a running daemon answers to `command`.

    Raises:
        EdgeinferError: nobody answers at `path`, or the daemon refused; InputError when the asker is at fault.
    """
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(timeout_s)
        try:
            client.connect(str(path))
            client.sendall(msgspec.json.encode(command) + b"\n")
            answer = msgspec.json.decode(_line(client, limit=1 << 26))
        except (OSError, msgspec.DecodeError) as error:
            raise EdgeinferError(
                f"no daemon answers at {path}: {error}; is `edgeinfer run` running?"
            ) from error
    if not answer["ok"]:
        raise (InputError if answer["exit_code"] == 2 else EdgeinferError)(answer["error"])
    return answer["result"]


def _asker(client: socket.socket) -> Asker:
    """The kernel says whose process it is (unix(7), SO_PEERCRED: pid, uid, gid)."""
    said = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid, uid, _ = struct.unpack("3i", said)
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = str(uid)
    return Asker(SOCKET, f"{name}, process {pid}")


def _listen(path: Path) -> socket.socket:
    if len(str(path).encode()) > _PATH_MAX:
        raise InputError(
            f"the path of the control socket is over {_PATH_MAX} bytes: {path}; give a shorter [state] dir"
        )
    path.unlink(missing_ok=True)  # the state folder is locked: whoever left it here is gone
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    path.chmod(0o600)
    listener.listen(8)
    return listener


def _line(client: socket.socket, limit: int = _LINE_MAX) -> bytes:
    parts: list[bytes] = []
    size = 0
    while size < limit:
        part = client.recv(65_536)
        parts.append(part)
        size += len(part)
        if not part or part.endswith(b"\n"):
            break
    return b"".join(parts)
