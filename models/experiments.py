"""Quantization, magnitude pruning and distillation at work on the model motion; writes the table of models/README.md.

`PYTHONPATH=. python models/experiments.py [--quick] [--seeds 3] [--keep DIR]`; needs models/motion/requirements.txt.
Every step starts from the same float network of its seed; accuracy is that of three people whom training never saw.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from gzip import compress
from pathlib import Path
from time import perf_counter
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "motion"))

import keras  # noqa: E402  the modules of motion lie beside its train.py
import numpy as np  # noqa: E402
from judge import accuracy, confusion, interpreter, logits_of  # noqa: E402
from learn import WIDTHS, converted, network, one_hot, train  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from recordings import fetch, scale_of, split, windows  # noqa: E402

Array = NDArray[np.float32]

SMALL = (12, 16, 24, 24)
"""Widths of the student: half of the teacher's."""
HOT = 3.0
"""The temperature of distillation. Source: Hinton, Vinyals and Dean (2015), arXiv 1503.02531, use 1 to 20."""
BEGIN, END = "<!-- experiments: begin -->", "<!-- experiments: end -->"


@dataclass(frozen=True)
class Learnt:
    """What one seed has to learn from; windows are scaled, (n, 128, 6)."""

    inputs: Array
    targets: Array
    scale: Array
    calibration: Array
    epochs: int

    def trained(self, widths: tuple[int, ...] = WIDTHS, targets: Any = None, loss: Any = None) -> keras.Model:
        wanted = self.targets if targets is None else targets
        return train(network(widths), self.inputs, wanted, self.scale, self.epochs, loss=loss)


class Prune(keras.callbacks.Callback):
    """Keeps the smallest weights of each kernel at zero, more of them from epoch to epoch up to `share`.

    The share grows over the first half of the epochs. Source: Zhu and Gupta (2017), arXiv 1710.01878, equation 1.
    """

    def __init__(self, share: float, epochs: int) -> None:
        super().__init__()
        self._share, self._ramp, self._masks = share, max(1, epochs // 2), []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002  keras calls it so
        done = min(1.0, (epoch + 1) / self._ramp)
        share = self._share * (1 - (1 - done) ** 3)
        self._masks = [(kernel, _mask(kernel.numpy(), share)) for kernel in kernels(self.model)]
        self.on_train_batch_end(0)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002  keras calls it so
        for kernel, mask in self._masks:
            kernel.assign(kernel * mask)


def kernels(model: keras.Model) -> list[Any]:
    """The weights of convolutions and of the last layer; not biases and normalisation, which are few."""
    return [layer.kernel for layer in model.layers if hasattr(layer, "kernel")]


def _mask(weights: Array, share: float) -> Array:
    """0 for the smallest `share` of them."""
    limit = np.quantile(np.abs(weights), share)
    return (np.abs(weights) > limit).astype(np.float32)


def pruned(model: keras.Model, learnt: Learnt, share: float) -> keras.Model:
    """A copy, trained on for a third of the epochs at a tenth of the rate of learning (it may not forget)."""
    copy = network()
    copy.set_weights(model.get_weights())
    epochs = max(2, learnt.epochs // 3)
    prune = Prune(share, epochs)
    return train(copy, learnt.inputs, learnt.targets, learnt.scale, epochs, rate=5e-4, callbacks=(prune,))


def distilled(teacher: keras.Model, learnt: Learnt) -> keras.Model:
    """A student that learns the teacher's answers to the very windows that it sees, and the truth by a third."""

    def targets(inputs: Array) -> Array:
        """(n, 14): the teacher's logits, then the truth."""
        return np.hstack([teacher.predict(inputs, batch_size=512, verbose=0), learnt.targets])

    return learnt.trained(SMALL, targets, _taught)


def _taught(both: Any, logits: Any) -> Any:
    """Cross entropy to the softened teacher, times HOT² as its gradients shrink by that, and to the truth."""
    soft = keras.ops.softmax(both[:, :7] / HOT)
    entropy = keras.losses.categorical_crossentropy
    to_teacher = entropy(soft, logits / HOT, from_logits=True) * HOT**2
    return (2 * to_teacher + entropy(both[:, 7:], logits, from_logits=True)) / 3


def models_of(learnt: Learnt) -> dict[str, bytes]:
    """Every step's .tflite."""
    base = learnt.trained()
    longer, half, most = (pruned(base, learnt, share) for share in (0.0, 0.5, 0.8))
    alone, taught = learnt.trained(SMALL), distilled(base, learnt)
    fit = {"calibration": learnt.calibration}
    return {
        "float": converted(base),
        "int8 weights (dynamic)": converted(base, dynamic=True),
        "int8 throughout": converted(base, **fit),
        "int8, trained on, nothing pruned": converted(longer, **fit),
        "int8, 50 % pruned": converted(half, **fit),
        "int8, 80 % pruned": converted(most, **fit),
        "int8, half the width": converted(alone, SMALL, **fit),
        "int8, half the width, distilled": converted(taught, SMALL, **fit),
    }


def latencies(models: dict[str, bytes], rounds: int = 60, each: int = 40) -> dict[str, float]:
    """Microseconds of an invoke: the quickest tenth of rounds in which the models take turns.

    They take turns so that load hits all alike; the quickest, since what else a machine does only ever adds.
    """
    calls: dict[str, Callable[[], None]] = {}
    for name, model in models.items():
        it = interpreter(model)
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


def table(models: dict[str, bytes], accuracies: dict[str, list[float]]) -> list[str]:
    """Ratios are to the float model of the same run; accuracy is mean (lowest to highest of the seeds)."""
    times, size = latencies(models), len(models["float"])
    rows = [
        "| step | bytes | size | gzip | latency | accuracy, unseen people |",
        "|---|---|---|---|---|---|",
    ]
    packed = len(compress(models["float"]))
    for name, model in models.items():
        seen = accuracies[name]
        cells = [
            name,
            f"{len(model):,}",
            f"{len(model) / size:.2f}",
            f"{len(compress(model)) / packed:.2f}",
            f"{times[name] / times['float']:.2f}",
            f"{np.mean(seen):.3f} ({min(seen):.3f} to {max(seen):.3f})",
        ]
        rows.append("| " + " | ".join(cells) + " |")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="a smoke run: one seed, two epochs; leaves the README"
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--keep", type=Path, help="write the models of the last seed there")
    parser.add_argument(
        "--latency", type=Path, metavar="DIR", help="only the latency, of models that were kept"
    )
    asked = parser.parse_args()
    if asked.latency:
        times = latencies({path.stem: path.read_bytes() for path in sorted(asked.latency.glob("*.tflite"))})
        print("\n".join(f"{name} {took / times['float']:.2f}" for name, took in times.items()))
        return
    seeds, epochs = (1, 2) if asked.quick else (asked.seeds, asked.epochs)
    learn, test = split(fetch())
    raw, kinds = windows(learn, hop=32)
    scale = scale_of(raw)
    scaled, (unseen, true) = (raw - scale[0]) / scale[1], windows(test)
    accuracies: dict[str, list[float]] = {}
    for seed in range(seeds):
        keras.utils.set_random_seed(seed)
        some = scaled[np.random.default_rng(seed).permutation(len(scaled))[:300]]
        models = models_of(Learnt(scaled, one_hot(kinds), scale, some, epochs))
        for name, model in models.items():
            answers = logits_of(model, (unseen - scale[0]) / scale[1])
            accuracies.setdefault(name, []).append(accuracy(confusion(true, answers)))
    if asked.keep:
        asked.keep.mkdir(parents=True, exist_ok=True)
        for name, model in models.items():
            (asked.keep / f"{name.replace(' ', '_').replace(',', '')}.tflite").write_bytes(model)
    rows = table(models, accuracies)
    print("\n".join(rows))
    if not asked.quick:
        write(HERE / "README.md", rows)


def write(path: Path, rows: list[str]) -> None:
    """The table between the marks of the README; the words around it are ours."""
    before, _, rest = path.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text("\n".join([before + BEGIN, *rows, END + after]))


if __name__ == "__main__":
    main()
