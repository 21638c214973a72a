"""Quantization, magnitude pruning and distillation at work on our models; writes the tables of models/README.md.

`PYTHONPATH=. python models/experiments.py motion|parts [--quick] [--seeds 3] [--keep DIR]`; needs the requirements.txt of
that model. Every step starts from the same float network of its seed, and is judged on what training never saw.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Callable
from gzip import compress
from pathlib import Path
from time import perf_counter

import numpy as np

HERE = Path(__file__).parent
MODELS = ("motion", "parts")


def latencies(models: dict[str, bytes], rounds: int = 60, each: int = 40) -> dict[str, float]:
    """Microseconds of an invoke: the quickest tenth of rounds in which the models take turns.

    They take turns so that load hits all alike; the quickest, since what else a machine does only ever adds.
    """
    from ai_edge_litert.interpreter import Interpreter

    calls: dict[str, Callable[[], None]] = {}
    for name, model in models.items():
        it = Interpreter(model_content=model, num_threads=1)
        it.allocate_tensors()
        inward = it.get_input_details()[0]
        it.set_tensor(inward["index"], np.zeros(inward["shape"], inward["dtype"]))
        calls[name] = it.invoke
    spent: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(rounds):
        for name, invoke in calls.items():
            start = perf_counter()
            for _ in range(each):
                invoke()
            spent[name].append((perf_counter() - start) / each)
    return {name: float(np.quantile(times, 0.1)) * 1e6 for name, times in spent.items()}


def table(models: dict[str, bytes], scores: dict[str, list[float]], judged_by: str) -> list[str]:
    """Ratios are to the float model of the same run; the last column is mean (lowest to highest of the seeds)."""
    times, size = latencies(models), len(models["float"])
    rows = [
        f"| step | bytes | size | gzip | latency | {judged_by} |",
        "|---|---|---|---|---|---|",
    ]
    packed = len(compress(models["float"]))
    for name, model in models.items():
        seen = scores[name]
        cells = [
            name,
            f"{len(model):,}",
            f"{len(model) / size:.2f}",
            f"{len(compress(model)) / packed:.2f}",
            f"{times[name] / times['float']:.2f}",
            f"{np.mean(seen):.3f} ({min(seen):.3f} to {max(seen):.3f})"
            if len(seen) > 1
            else f"{seen[0]:.3f}",
        ]
        rows.append("| " + " | ".join(cells) + " |")
    return rows


def asked_for() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=MODELS)
    parser.add_argument(
        "--quick", action="store_true", help="a smoke run: one seed, two epochs; leaves the README"
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="write the models of the last seed there")
    parser.add_argument(
        "--latency", type=Path, metavar="DIR", help="only the latency, of models that were kept"
    )
    return parser.parse_args()


def main() -> None:
    asked = asked_for()
    if asked.latency:
        times = latencies({path.stem: path.read_bytes() for path in sorted(asked.latency.glob("*.tflite"))})
        print("\n".join(f"{name} {took / times['float']:.2f}" for name, took in times.items()))
        return
    rows = rows_of(asked.model, 1 if asked.quick else asked.seeds, asked.keep, quick=asked.quick)
    print("\n".join(rows))
    if not asked.quick:
        write(HERE / "README.md", asked.model, rows)


def rows_of(name: str, seeds: int, keep: Path | None, *, quick: bool) -> list[str]:
    """Trains every step with each seed, and makes the table."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.path.insert(0, str(HERE / name))  # its modules have the names of the other models' modules
    import keras
    from shrinking import models_of

    lesson_of = importlib.import_module("lesson").Lesson
    scores: dict[str, list[float]] = {}
    for seed in range(seeds):
        keras.utils.set_random_seed(seed)
        lesson = lesson_of(seed, quick=quick)
        models = models_of(lesson)
        for step, model in models.items():
            scores.setdefault(step, []).append(lesson.score(model))
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
        for step, model in models.items():
            (keep / f"{step.replace(' ', '_').replace(',', '')}.tflite").write_bytes(model)
    return table(models, scores, lesson.judged_by)


def write(path: Path, name: str, rows: list[str]) -> None:
    """The table between the model's marks of the README; the words around it are ours."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, _, rest = path.read_text().partition(begin)
    _, _, after = rest.partition(end)
    path.write_text("\n".join([before + begin, *rows, end + after]))


if __name__ == "__main__":
    main()
