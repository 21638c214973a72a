"""What is well and what is not, per post, since when and why; read by status, health topic and door."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Literal

from edgeinfer.meters import Meters
from edgeinfer.ports import Clock, Report
from edgeinfer.wire.times import iso

log = logging.getLogger(__name__)

Condition = Literal["starting", "ok", "degraded", "paused", "ended"]


@dataclass
class PostHealth:
    """One post: its condition, what it complains of (topic → text), and its meters."""

    condition: Condition = "ok"
    reason: str = ""
    since_ns: int = 0  # unix
    notes: dict[str, str] = field(default_factory=dict)
    noted_ns: dict[str, int] = field(
        default_factory=dict
    )  # topic → since when (unix), however its text changed
    facts: dict[str, str] = field(default_factory=dict)  # what it runs: model, runtime
    meters: Meters = field(default_factory=Meters)


class Health:
    """The board on which every post writes; any thread may read it at any time."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._lock = clock, Lock()
        self._posts: dict[str, PostHealth] = {}
        self._about: dict[str, str] = {}
        self.version = 0  # grows with each change of condition or note

    def about(self, **facts: str) -> None:
        """What holds for the device as a whole: `version` of the program, `config`."""
        with self._lock:
            self._about.update(facts)
            self.version += 1

    def post(self, name: str) -> PostHealth:
        with self._lock:
            return self._posts.setdefault(name, PostHealth(since_ns=self._clock.now().unix_ns))

    def forget(self, name: str) -> None:
        with self._lock:
            self._posts.pop(name, None)
            self.version += 1

    def mark(self, name: str, condition: Condition, reason: str = "") -> None:
        """Sets the condition of a post; logs only what changed."""
        post = self.post(name)
        with self._lock:
            if (post.condition, post.reason) == (condition, reason):
                return
            if post.condition != condition:
                post.since_ns = self._clock.now().unix_ns
            post.condition, post.reason = condition, reason
            self.version += 1
        level = logging.WARNING if condition == "degraded" else logging.INFO
        text = f": {reason}" if reason else ""
        log.log(level, "%s is %s%s", name, condition, text, extra={"post": name})

    def reporter(self, name: str) -> Report:
        """A `Report` for the parts of one post."""

        def report(topic: str, text: str | None) -> None:
            self._note(name, topic, text)

        return report

    def _note(self, name: str, topic: str, text: str | None) -> None:
        post = self.post(name)
        with self._lock:
            if post.notes.get(topic) == text:
                return
            if text is None:
                del post.notes[topic], post.noted_ns[topic]
            else:
                post.notes[topic] = text
                post.noted_ns.setdefault(topic, self._clock.now().unix_ns)
            self.version += 1
        if text is not None:
            log.warning("%s: %s", name, text, extra={"post": name})

    def degraded(self) -> dict[str, str]:
        """Why the device is not well: post → reason. Empty when it is."""
        with self._lock:
            posts = list(self._posts.items())
        found = {}
        for name, post in posts:
            reasons = [post.reason] if post.condition == "degraded" else []
            if reasons or post.notes:
                found[name] = "; ".join([*reasons, *post.notes.values()])
        return found

    def snapshot(self) -> dict[str, Any]:
        """All of it, as JSON can hold it."""
        with self._lock:
            posts = list(self._posts.items())
        degraded = self.degraded()
        return {
            **self._about,
            "condition": "degraded" if degraded else "ok",
            "degraded": degraded,
            "posts": {name: _as_json(post) for name, post in posts},
        }


def _as_json(post: PostHealth) -> Mapping[str, Any]:
    body: dict[str, Any] = {"condition": post.condition, "since": iso(post.since_ns)}
    if post.reason:
        body["reason"] = post.reason
    if post.notes:
        body["notes"] = dict(post.notes)
        body["notes_since"] = {topic: iso(ns) for topic, ns in list(post.noted_ns.items())}
    return body | dict(post.facts) | post.meters.snapshot()
