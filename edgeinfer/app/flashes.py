"""What the flash log says that the audit log does not have yet: the flasher is another process, its log a file of ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

JOURNAL = Path("firmware") / "journal.jsonl"
_TOLD = ("port", "who", "what", "proof", "runs_now", "why")


@dataclass
class Flashes:
    """`told` is how many bytes of the log have been told already."""

    folder: Path
    told: int = 0
    _jobs: dict[str, dict[str, Any]] = field(default_factory=dict)

    def fresh(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Kind and facts of a line for each run that began or ended since; `upto` and `sha256` are of the log so far.

        Raises OSError when the log cannot be read.
        """
        path = self.folder / JOURNAL
        if not path.exists() or path.stat().st_size == self.told:
            return
        content = path.read_bytes()
        if len(content) < self.told:
            yield "flash-log-cut", {"was": self.told, "is": len(content)}
            self.told = 0
        start, end = self.told, content.rfind(b"\n") + 1
        for line in content[start:end].splitlines(keepends=True):
            self.told += len(line)
            if facts := self._facts(line):
                upto = {"upto": self.told, "sha256": sha256(content[: self.told]).hexdigest()}
                yield "flash", facts | upto

    def _facts(self, line: bytes) -> dict[str, Any]:
        """Of the first line of a run, and of its verdict; of all others nothing."""
        try:
            record = msgspec.json.decode(line, type=dict[str, Any])
        except msgspec.DecodeError:
            return {}  # torn by a power cut
        name = str(record.get("job", ""))
        begun = name in self._jobs
        job = self._jobs.setdefault(name, {})
        job |= {key: record[key] for key in _TOLD if record.get(key)}
        over = record.get("step") == "verdict"
        if begun and not over:
            return {}
        result = str(record.get("result", "")) if over else "begun"
        return {"job": name, "result": result, "when": str(record.get("at", "")), **job}
