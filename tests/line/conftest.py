"""The daemon as a user runs it: a process, a config on disk, signals, its control socket."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from edgeinfer.commands.door import ask
from edgeinfer.errors import EdgeinferError
from tests.waiting import wait_for

EDGEINFER = [sys.executable, "-m", "edgeinfer"]


class Daemon:
    """`edgeinfer run` on `config`; its log in `log()`."""

    def __init__(
        self, folder: Path, config: str, state: Path | None = None, options: Sequence[str] = ()
    ) -> None:
        self.folder, self.path, self.options = folder, folder / "config.toml", options
        self.state = state or folder / "state"
        self.write(config)
        self.start()

    def write(self, config: str) -> None:
        self.path.write_text(f'{config}\n[state]\ndir = "{self.state}"\n')

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*EDGEINFER, "run", *self.options, str(self.path)], stderr=log, stdout=log
            )

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def health(self) -> dict[str, Any]:
        return ask(self.state / "control.sock", {"command": "health"})

    def post(self, name: str) -> dict[str, Any]:
        return self.health()["posts"][name]

    def wait_answer(self, timeout_s: float = 20.0) -> None:
        """The control socket answers: from then on a SIGHUP means "reload"."""
        wait_for(self._answers, timeout_s, f"the daemon does not answer:\n{self.log()[-3000:]}")

    def _answers(self) -> bool:
        try:
            self.health()
        except (EdgeinferError, OSError):
            return False
        return True

    def wait_post(self, name: str, condition: str, timeout_s: float = 20.0) -> None:
        self.wait_answer(timeout_s)
        wait_for(lambda: self.post(name)["condition"] == condition, timeout_s, f"{name} {condition}")

    def hang_up(self) -> None:
        self.process.send_signal(signal.SIGHUP)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self, timeout_s: float = 8.0) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout_s)


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Callable[[str], Daemon]]:
    """`daemon(config, state=None, options=())`: a running daemon; stopped with the test."""
    made: list[Daemon] = []

    def run(config: str, state: Path | None = None, options: Sequence[str] = ()) -> Daemon:
        folder = tmp_path / f"daemon-{len(made)}"
        folder.mkdir()
        made.append(Daemon(folder, config, state, options))
        return made[-1]

    yield run
    for one in made:
        if one.process.poll() is None:
            one.kill()
        print(one.log())


def states(seen: list[Any], rule: str) -> list[str]:
    """The states that were decided, in order, each repetition of an id once."""
    found = {}
    for message in seen:
        if message.topic.endswith(f"/decision/{rule}"):
            body = json.loads(message.payload)
            found.setdefault(body["id"], body["state"])
    return list(found.values())


def retained(seen: list[Any], topic: str) -> Any:
    """The last payload on `topic`, as JSON where it is JSON."""
    last = [m.payload for m in seen if m.topic.endswith(topic)][-1]
    try:
        return json.loads(last)
    except ValueError:
        return last.decode()
