"""`replay REC CONFIG --sweep … --truth CSV`: how well the rules do with each value; judges nothing itself."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from edgeinfer.app.blueprint import Blueprint
from edgeinfer.cli.progress import Progress
from edgeinfer.cli.replay_compare import remembered
from edgeinfer.cli.replay_input import Replaced
from edgeinfer.cli.table import columns
from edgeinfer.evaluate import sweep as sweeping
from edgeinfer.evaluate.memory import Memory
from edgeinfer.evaluate.replaying import Replayed, Way, replayed
from edgeinfer.evaluate.sweep import Axis
from edgeinfer.evaluate.truth import Happened, Matched, Timeline, match, read_truth, told_by


class Tried(NamedTuple):
    """The values of one point of the grid, and how well its decisions match."""

    values: tuple[float, ...]
    matched: Matched


def sweep(args: argparse.Namespace) -> int:
    replaced = Replaced(args.input, args.config, args.source)
    axes = [sweeping.parse(text) for text in args.sweep]
    points = sweeping.grid(axes)
    sweeping.check(replaced.config, axes)
    blueprint = replaced.silent()
    memory = Memory()
    with Progress("replay") as progress:
        first = remembered(blueprint, memory, args.jobs, progress)
    truth = read_truth(args.truth, Timeline(memory.samples), _sources(blueprint), _usual(axes))
    tried: list[Tried] = []
    with Progress("sweep", len(points)) as progress:
        for point in points:
            other = replaced.silent(sweeping.with_values(replaced.config, axes, point))
            done = replayed(memory.again(other), Way(memory.recall))
            if done.interrupted or first.interrupted:
                break
            tried.append(Tried(point, score(done, truth, args.tolerance)))
            progress.step()
    print(json.dumps(_as_json(axes, tried, args.tolerance)) if args.json else _as_text(axes, tried, truth))
    if args.plot:
        from edgeinfer.cli.sweep_plot import save

        save(args.plot, axes, [(t.values, t.matched) for t in tried])
    for text in first.told:
        print(f"edgeinfer: {text}", file=sys.stderr)
    return first.code or int(bool(first.told) or len(tried) < len(points))


def score(done: Replayed, truth: Sequence[Happened], tolerance_s: float) -> Matched:
    """Of all rules that the truth speaks of."""
    total = Matched()
    decisions = [entry.decision for entry in done.entries]
    for rule in sorted({happened.rule for happened in truth}):
        true_ns = [happened.at_ns for happened in truth if happened.rule == rule]
        total += match(true_ns, told_by(decisions, rule), tolerance_s)
    return total


def _sources(blueprint: Blueprint) -> Mapping[str, str]:
    """Rule → the first source of its pipeline; of a rule over rules there is none."""
    return {
        rule: next(iter(p.options.all_sources), "")
        for p in blueprint.pipelines.values()
        for rule in p.options.rules
    }


def _usual(axes: Sequence[Axis]) -> str | None:
    """The one rule that is swept."""
    rules = {axis.name for axis in axes if axis.section == "rule"}
    return rules.pop() if len(rules) == 1 else None


def _as_text(axes: Sequence[Axis], tried: Sequence[Tried], truth: Sequence[Happened]) -> str:
    rows = [[*map(str, axes), "precision", "recall", "F1", "right", "wrong", "missed"]]
    for values, m in tried:
        shares = ["-" if share is None else f"{share:.3f}" for share in (m.precision, m.recall, m.f1)]
        rows.append([*(f"{v:g}" for v in values), *shares, str(m.right), str(m.wrong), str(m.missed)])
    lines = list(columns(rows, figures=True))
    best = max(tried, key=lambda t: t.matched.f1 or 0.0, default=None)
    if best is None:
        return "interrupted before the first value was tried"
    said = ", ".join(f"{axis} = {value:g}" for axis, value in zip(axes, best.values, strict=True))
    return "\n".join([*lines, f"{len(truth)} true events; best F1 {best.matched.f1 or 0.0:.3f} at {said}"])


def _as_json(axes: Sequence[Axis], tried: Sequence[Tried], tolerance_s: float) -> object:
    return {
        "tolerance_s": tolerance_s,
        "axes": [str(axis) for axis in axes],
        "points": [
            {
                "values": t.values,
                "precision": t.matched.precision,
                "recall": t.matched.recall,
                "f1": t.matched.f1,
                "right": t.matched.right,
                "wrong": t.matched.wrong,
                "missed": t.matched.missed,
            }
            for t in tried
        ],
    }
