"""Magnitude pruning and distillation for any of our networks, and the steps of the table; trains and measures nothing itself.

A model's folder has a `lesson.py` with a class `Lesson`: what this module asks of it stands in the protocol below.
"""

from collections.abc import Callable
from typing import Any, Protocol

import keras
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Widths = tuple[int, ...]

HOT = 3.0
"""The temperature of distillation. Source: Hinton, Vinyals and Dean (2015), arXiv 1503.02531, use 1 to 20."""


class Lesson(Protocol):
    """What one seed has to learn from, and how one of our models is made, converted and judged."""

    judged_by: str  # the head of the last column
    widths: Widths
    small: Widths  # of the student
    classes: int  # logits on the last axis
    epochs: int

    def network(self, widths: Widths) -> keras.Model: ...
    def train(
        self,
        model: keras.Model,
        epochs: int,
        rate: float | None = None,
        teacher: keras.Model | None = None,
        loss: Any = None,
        callbacks: tuple[Any, ...] = (),
    ) -> keras.Model:
        """With a `teacher`, targets are its logits and then the truth, on the last axis."""

    def converted(
        self, model: keras.Model, widths: Widths, *, full: bool = False, dynamic: bool = False
    ) -> bytes: ...
    def score(self, model: bytes) -> float:
        """0 to 1, on what training never saw."""


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


def pruned(model: keras.Model, lesson: Lesson, share: float) -> keras.Model:
    """A copy, trained on for a third of the epochs at a low rate of learning (it may not forget)."""
    copy = lesson.network(lesson.widths)
    copy.set_weights(model.get_weights())
    epochs = max(2, lesson.epochs // 3)
    return lesson.train(copy, epochs, rate=5e-4, callbacks=(Prune(share, epochs),))


def distilled(teacher: keras.Model, lesson: Lesson) -> keras.Model:
    """A student that learns the teacher's answers to the very inputs that it sees, and the truth by a third."""
    return lesson.train(
        lesson.network(lesson.small), lesson.epochs, teacher=teacher, loss=_taught(lesson.classes)
    )


def _taught(classes: int) -> Callable[[Any, Any], Any]:
    """Cross entropy to the softened teacher, times HOT² as its gradients shrink by that, and to the truth."""
    entropy = keras.losses.categorical_crossentropy

    def loss(both: Any, logits: Any) -> Any:
        soft = keras.ops.softmax(both[..., :classes] / HOT)
        to_teacher = entropy(soft, logits / HOT, from_logits=True) * HOT**2
        return (2 * to_teacher + entropy(both[..., classes:], logits, from_logits=True)) / 3

    return loss


def models_of(lesson: Lesson) -> dict[str, bytes]:
    """Every step's .tflite; all start from the same float network."""
    whole, small = lesson.widths, lesson.small
    base = lesson.train(lesson.network(whole), lesson.epochs)
    longer, half, most = (pruned(base, lesson, share) for share in (0.0, 0.5, 0.8))
    alone = lesson.train(lesson.network(small), lesson.epochs)
    taught = distilled(base, lesson)
    return {
        "float": lesson.converted(base, whole),
        "int8 weights (dynamic)": lesson.converted(base, whole, dynamic=True),
        "int8 throughout": lesson.converted(base, whole, full=True),
        "int8, trained on, nothing pruned": lesson.converted(longer, whole, full=True),
        "int8, 50 % pruned": lesson.converted(half, whole, full=True),
        "int8, 80 % pruned": lesson.converted(most, whole, full=True),
        "int8, half the width": lesson.converted(alone, small, full=True),
        "int8, half the width, distilled": lesson.converted(taught, small, full=True),
    }
