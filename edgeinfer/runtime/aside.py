"""Pictures for the sinks that are not in the outbox: the newest of each rule, forgotten when a newer one comes."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """`jpeg` belongs to the decision `id` of `rule`; `version` grows with each."""

    rule: str
    id: str
    jpeg: bytes
    version: int


class Aside:
    """Safe from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._newest: dict[str, Thumbnail] = {}
        self.version = 0

    def put(self, rule: str, decision: str, jpeg: bytes) -> None:
        with self._lock:
            self.version += 1
            self._newest[rule] = Thumbnail(rule, decision, jpeg, self.version)

    def after(self, version: int) -> list[Thumbnail]:
        """Those that are newer than `version`, in order."""
        if version == self.version:
            return []
        with self._lock:
            return sorted((t for t in self._newest.values() if t.version > version), key=lambda t: t.version)
