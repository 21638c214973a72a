"""A pipeline in a house of real parts: mailboxes, an outbox on disk, health; only the model is told what it sees."""

from __future__ import annotations

from dataclasses import dataclass, field

from edgeinfer.clock import SystemClock
from edgeinfer.events import Decision, Inference, Lost, Score
from edgeinfer.runtime.health import Health
from edgeinfer.runtime.intake import Limits
from edgeinfer.runtime.mailbox import Hub, Inbox
from edgeinfer.runtime.outbox import Outbox
from edgeinfer.runtime.pipeline import Commit, Line, Pipeline
from edgeinfer.runtime.states import States
from edgeinfer.taps import Taps
from edgeinfer.testing.engine import FakePredictor


def seen(value: float) -> list[Score]:
    return [Score("bright", value)]


@dataclass
class Echo:
    """A rule that decides on everything it sees."""

    name: str = "echo"
    seen: list = field(default_factory=list)

    def observe(self, seen):
        self.seen.append(seen)
        if isinstance(seen, Lost):
            yield Decision("line", self.name, "cam", "unknown", seen.at, seen.key, {"reason": seen.reason})
        elif isinstance(seen, Inference):
            yield Decision("line", self.name, "cam", seen.findings[0].score, seen.at, seen.key)
        elif isinstance(seen, Decision):
            yield Decision("after", self.name, seen.rule, "on", seen.at, seen.key)


class House:
    def __init__(self, tmp_path) -> None:
        self.health, self.hub, self.errors, self.models = Health(SystemClock()), Hub(), [], []
        self.scripts = []  # what the models see, one script for each that is opened
        self.outbox = Outbox(tmp_path / "outbox.sqlite", "dev", SystemClock(), report=lambda *_: None)
        self.states = States(self.outbox, {"echo": "line"})
        self.rule = Echo()
        self.posts = []

    def open(self):
        self.models.append(
            FakePredictor(self.scripts.pop(0) if self.scripts else [seen(0.5)], "toy@sha256:0")
        )
        return self.models[-1]

    def pipeline(
        self, flows, open_=..., rule=None, name="line", limits=Limits(), identify=None, gives=(), judge=None
    ) -> Pipeline:
        line = Line(
            name,
            Inbox(flows, limits),
            self.open if open_ is ... else open_,
            lambda: [rule or self.rule],
            "sha256:c",
            identify,
            gives,
            judge=judge,
        )
        post = Pipeline(
            line,
            Commit(self.outbox, self.states),
            self.hub,
            Taps(),
            self.health,
            lambda _, error: self.errors.append(error),
        )
        self.posts.append(post)
        post.start()
        return post

    def kept(self):
        return self.outbox.read(0, 1000)

    def close(self) -> None:
        for post in self.posts:
            post.stop(3)
        self.outbox.close()
