"""Measures a model on this device: loading, first invoke, percentiles, memory, and what the board's meters say.

Each backend and number of threads runs in a process of its own, one after the other, with inputs of seeded noise.
Energy is told where the board has a meter (INA3221, as on a Jetson); temperature and clock before and after tell
whether the figures are those of a board that slowed down. A busy machine gives other figures than an idle one.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec

from edgeinfer import registry
from edgeinfer.cli.board import SYS, Condition, PowerMeter, condition
from edgeinfer.cli.model_backend import add_backend_options, options_of
from edgeinfer.cli.model_store import warn
from edgeinfer.cli.progress import Progress
from edgeinfer.cli.setting import seconds
from edgeinfer.cli.table import columns
from edgeinfer.engine.bench import Job, Measured, measure
from edgeinfer.engine.describe import describe
from edgeinfer.errors import EdgeinferError, InputError
from edgeinfer.store import Bundle, find_bundle, open_bundle


@dataclass(frozen=True, slots=True)
class Run:
    """One line of the table: what was asked, and either what came out or why nothing did."""

    job: Job
    measured: Measured | None
    problem: str
    before: Condition
    after: Condition
    power_mw: float | None

    @property
    def energy_mj(self) -> float | None:
        """Of one inference: the whole board's mean power, times the mean invoke."""
        if self.power_mw is None or self.measured is None:
            return None
        return self.power_mw * self.measured.mean_ms / 1000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", metavar="FILE|BUNDLE", help="a .tflite, a bundle's name or its folder")
    parser.add_argument(
        "--backends", default="", metavar="A,B", help="default: all that the bundle has a file for"
    )
    add_backend_options(parser)
    parser.add_argument("--threads", default="1", metavar="N,N", help="numbers of threads (default 1)")
    parser.add_argument(
        "--seconds", type=seconds, default=3.0, help="of invokes for each line of the table (default 3)"
    )
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw it: .png or .jpg")
    parser.add_argument("--sys", type=Path, default=SYS, metavar="DIR", help="where the board's meters are")


def main(args: argparse.Namespace) -> int:
    jobs = list(_jobs(args))
    if args.plot and args.plot.suffix.lower() not in {".png", ".jpg", ".jpeg"}:
        raise InputError(f"--plot: expected a .png or .jpg, found {args.plot}")
    runs = []
    with Progress("bench", len(jobs)) as progress:
        for job in jobs:
            runs.append(_run(job, args.sys))
            progress.step()
    if all(run.measured is None for run in runs):
        raise EdgeinferError("\n".join(run.problem for run in runs))
    print(json.dumps(_as_json(args.what, runs)) if args.json else "\n".join(_as_text(args.what, runs)))
    if args.plot:
        from edgeinfer.cli.bench_plot import save

        save(args.plot, args.what, [(_title(r.job), r.measured) for r in runs if r.measured])
    return 0


def _jobs(args: argparse.Namespace) -> Iterator[Job]:
    """Backends from the bundle, threads as asked; a file is first looked into apart, for it may be damaged."""
    path = Path(args.what).expanduser()
    wanted = [b.strip() for b in args.backends.split(",") if b.strip()]
    if path.is_file() and path.suffix == ".tflite":
        files = dict.fromkeys(wanted or ["cpu"], path)
    else:
        files = _files(open_bundle(find_bundle(args.what, args.state)), wanted, args.what)
    for file in set(files.values()):
        describe(file)
    for backend, file in files.items():
        for threads in _threads(args.threads):
            options = options_of(args, list(files), threads)
            yield Job(str(file.absolute()), backend, threads, args.seconds, options)


def _files(bundle: Bundle, wanted: list[str], what: str) -> dict[str, Path]:
    """The file that each backend takes; of those that the bundle has a file for, where none was named."""
    variants, found = bundle.manifest.variants, {}
    for backend in wanted or list(variants):
        takes = registry.find("backends", backend).files
        file = next((variants[name] for name in takes if name in variants), None)
        if file is None:
            there = ", ".join(variants)
            raise InputError(f"--backends: {what} has no file for {backend!r}, only for: {there}")
        found[backend] = bundle.path(file)
    return found


def _threads(text: str) -> list[int]:
    try:
        found = [int(part) for part in text.split(",")]
    except ValueError:
        found = [0]
    if not all(1 <= n <= 64 for n in found):
        raise InputError(f"--threads: expected numbers from 1 to 64, such as 1,2,4; found {text!r}")
    return found


def _run(job: Job, root: Path) -> Run:
    before = condition(root)
    measured, problem = None, ""
    with PowerMeter(root) as meter:
        try:
            measured = measure(job)
        except EdgeinferError as error:
            problem = f"{_title(job)}: {error}"
            warn(problem)
    power = meter.mean_mw(measured.start_ns, measured.end_ns) if measured else None
    return Run(job, measured, problem, before, condition(root), power)


def _title(job: Job) -> str:
    return f"{job.backend}, {job.threads} thread{'s' if job.threads > 1 else ''}"


def _as_json(what: str, runs: Iterable[Run]) -> dict[str, object]:
    return {
        "model": what,
        "runs": [
            {
                "backend": run.job.backend,
                "threads": run.job.threads,
                "problem": run.problem,
                "measured": msgspec.to_builtins(run.measured),
                "power_mw": run.power_mw,
                "energy_mj": run.energy_mj,
                "before": asdict(run.before),
                "after": asdict(run.after),
            }
            for run in runs
        ],
    }


_HEAD = ["", "load", "first", "p50", "p90", "p99 ms", "memory", "energy", "board before", "after"]


def _as_text(what: str, runs: list[Run]) -> Iterator[str]:
    yield f"{what}: {', '.join(sorted({r.measured.runtime for r in runs if r.measured}))}"
    yield from columns([_HEAD, *(_cells(run, run.measured) for run in runs if run.measured)])
    for run in runs:
        if run.measured and run.measured.operators:
            nodes = ", ".join(f"{n} {name}" for name, n in run.measured.operators.items())
            yield f"  {_title(run.job)}: nodes {nodes}"
    if any(run.after.limits for run in runs):
        limits = sorted({text for run in runs for text in run.after.limits})
        yield f"The board runs slower than it could ({', '.join(limits)}): cool it or feed it better, and measure again."
    yield "Time by operator is not told: neither runtime gives it to Python."


def _cells(run: Run, measured: Measured) -> list[str]:
    times = (measured.load_ms, measured.first_ms, measured.p50_ms, measured.p90_ms, measured.p99_ms)
    energy = "no meter" if run.energy_mj is None else f"{run.energy_mj:.3g} mJ"
    memory = f"{measured.memory_mb:.1f} MB"
    return [
        _title(run.job),
        *(f"{t:.3f}" for t in times),
        memory,
        energy,
        _board(run.before),
        _board(run.after),
    ]


def _board(seen: Condition) -> str:
    told = [f"{seen.temp_c:.0f} °C"] if seen.temp_c is not None else []
    told += [f"{seen.clock_mhz:.0f} MHz"] if seen.clock_mhz is not None else []
    return " ".join([*told, *seen.limits]) or "no meter"
