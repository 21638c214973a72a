"""A broker for the demo: the machine's mosquitto as a child on a loopback port, else amqtt in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.errors import EdgeinferError, InputError

_START_S = 10.0


@dataclass(frozen=True)
class Broker:
    """A broker that answers on 127.0.0.1:`port`; `name` says which one it is."""

    name: str
    port: int


@contextlib.contextmanager
def broker(port: int = 0) -> Iterator[Broker]:
    """Runs a broker as a child until the end of the block; port 0 means any free one.

    Raises:
        InputError: the port is taken.
        EdgeinferError: there is neither a mosquitto nor amqtt, or it did not start; says what to install.
    """
    port = _free(port)
    with tempfile.TemporaryDirectory(prefix="edgeinfer-broker-") as folder:
        name, command = _command(port, Path(folder))
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _await_answer(child, port, name)
            yield Broker(name, port)
        finally:
            child.terminate()
            try:
                child.wait(3)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _command(port: int, folder: Path) -> tuple[str, list[str]]:
    mosquitto = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if mosquitto:
        config = folder / "mosquitto.conf"
        config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
        folder.chmod(0o755)  # as root, mosquitto reads its config as a user of its own
        return "mosquitto", [mosquitto, "-c", str(config)]
    if importlib.util.find_spec("amqtt"):
        return "amqtt", [sys.executable, "-m", "edgeinfer.testing.broker", str(port)]
    raise EdgeinferError(
        "the demo needs a broker: apt-get install mosquitto, or pip install 'edgeinfer[demo]'; "
        "or see the decisions alone with --no-mqtt"
    )


def _free(port: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise InputError(
                f"--mqtt-port: port {port} on 127.0.0.1 cannot be used: {error.strerror}; give another"
            ) from error
        found: int = probe.getsockname()[1]
        return found


def _await_answer(child: subprocess.Popen[bytes], port: int, name: str) -> None:
    end = time.monotonic() + _START_S
    while time.monotonic() < end and child.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
            return
        time.sleep(0.02)
    raise EdgeinferError(f"{name} did not start on port {port}; start it by hand to see why")


async def _serve_amqtt(port: int) -> None:
    from amqtt.broker import Broker as Amqtt

    listeners = {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}}
    plugins = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}
    server = Amqtt({"listeners": listeners, "plugins": plugins})
    await server.start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve_amqtt(int(sys.argv[1])))
