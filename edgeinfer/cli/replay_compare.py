"""`replay A CONFIG --compare OTHER.toml`: one table of the decisions that differ; finds them not itself."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Sequence

from edgeinfer.app.blueprint import Blueprint
from edgeinfer.cli.progress import Progress
from edgeinfer.cli.replay_input import Replaced
from edgeinfer.cli.table import columns
from edgeinfer.evaluate.ahead import Ahead
from edgeinfer.evaluate.differ import Difference, Kind, differences
from edgeinfer.evaluate.memory import Memory, same_inputs
from edgeinfer.evaluate.replaying import Replayed, Way, replayed
from edgeinfer.events import Frame, Readings, State
from edgeinfer.taps import Seen
from edgeinfer.wire.json import finite
from edgeinfer.wire.times import iso

_WORDS: dict[Kind, str] = {
    "added": "only in OTHER",
    "missing": "only in CONFIG",
    "state": "other state",
    "time": "other time",
}


def compare(args: argparse.Namespace) -> int:
    ours = Replaced(args.input, args.config, args.source).silent()
    theirs = Replaced(args.input, args.compare, args.source).silent()
    memory = Memory()
    with Progress("replay") as progress:
        first = remembered(ours, memory, args.jobs, progress)
        if same_inputs(ours, theirs):
            second = replayed(memory.again(theirs), Way(memory.recall))
        else:
            second = remembered(theirs, Memory(), args.jobs, progress)
    found = differences((e.decision for e in first.entries), (e.decision for e in second.entries))
    print(json.dumps(_as_json(found, first, second)) if args.json else _as_text(found, first, second))
    for text in first.told:
        print(f"edgeinfer: {text}", file=sys.stderr)
    return max(first.code, second.code, int(bool(found)), int(bool(first.told)))


def remembered(blueprint: Blueprint, memory: Memory, jobs: int, progress: Progress) -> Replayed:
    """A first run: everything is inferred, on `jobs` cores (0: all), and kept in `memory`."""
    ahead = Ahead(jobs or len(os.sched_getaffinity(0)))
    ahead.know(blueprint)

    def count(_post: str, seen: Seen) -> None:
        if isinstance(seen, Frame | Readings):
            progress.step()

    taps = (count, memory.tap, ahead.see)
    done = replayed(blueprint, Way(memory.opening(ahead.open), ahead.ahead, taps))
    ahead.close()
    return done


def _as_text(found: Sequence[Difference], first: Replayed, second: Replayed) -> str:
    summary = f"{len(first.entries)} decisions with CONFIG, {len(second.entries)} with OTHER"
    if not found:
        return f"{summary}: the same"
    counts = Counter(d.kind for d in found)
    told = ", ".join(f"{counts[kind]} {words}" for kind, words in _WORDS.items() if counts[kind])
    rows = [["at", "rule", "subject", "difference", "CONFIG", "OTHER"]]
    rows += [_row(difference) for difference in found]
    return "\n".join([*columns(rows), f"{summary}: {told}"])


def _row(d: Difference) -> list[str]:
    words = _WORDS[d.kind]
    if d.kind == "time" and d.at_ns is not None and d.now_ns is not None:
        words = (
            f"{abs(d.now_ns - d.at_ns) / 1e9:.3f} s {'later' if d.now_ns > d.at_ns else 'earlier'} in OTHER"
        )
    return [iso(d.when_ns), d.rule, d.subject, words, _state(d.was), _state(d.now)]


def _state(state: State | None) -> str:
    return "-" if state is None else f"{state:g}" if not isinstance(state, str) else state


def _as_json(found: Sequence[Difference], first: Replayed, second: Replayed) -> object:
    return {
        "decisions": [len(first.entries), len(second.entries)],
        "differences": [
            {
                "kind": d.kind,
                "pipeline": d.pipeline,
                "rule": d.rule,
                "subject": d.subject,
                "states": [finite(d.was), finite(d.now)],
                "at": [None if ns is None else iso(ns) for ns in (d.at_ns, d.now_ns)],
            }
            for d in found
        ],
    }
