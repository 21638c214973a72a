"""What models/shrinking.py asks of motion: recordings of ten people, three of whom training never sees."""

from typing import Any

import keras
import numpy as np
from judge import accuracy, confusion, logits_of
from learn import WIDTHS, converted, network, one_hot, train
from recordings import fetch, scale_of, split, windows


class Lesson:
    """See the protocol in models/shrinking.py. Windows are scaled, (n, 128, 6)."""

    judged_by = "accuracy, unseen people"
    widths = WIDTHS
    small = (12, 16, 24, 24)
    classes = 7

    def __init__(self, seed: int, *, quick: bool) -> None:
        learn, test = split(fetch())
        raw, kinds = windows(learn, hop=32)
        self._scale = scale_of(raw)
        self._inputs, self._targets = (raw - self._scale[0]) / self._scale[1], one_hot(kinds)
        chosen = np.random.default_rng(seed).permutation(len(self._inputs))[:300]
        self._calibration = self._inputs[chosen]
        unseen, self._true = windows(test)
        self._unseen = (unseen - self._scale[0]) / self._scale[1]
        self.epochs = 2 if quick else 40

    def network(self, widths: tuple[int, ...]) -> keras.Model:
        return network(widths)

    def train(
        self,
        model: keras.Model,
        epochs: int,
        rate: float | None = None,
        teacher: keras.Model | None = None,
        loss: Any = None,
        callbacks: tuple[Any, ...] = (),
    ) -> keras.Model:
        def taught(inputs: Any) -> Any:
            """(n, 14): the teacher's logits, then the truth."""
            return np.hstack([teacher.predict(inputs, batch_size=512, verbose=0), self._targets])

        targets = self._targets if teacher is None else taught
        return train(model, self._inputs, targets, self._scale, epochs, rate or 2e-3, loss, callbacks)

    def converted(
        self, model: keras.Model, widths: tuple[int, ...], *, full: bool = False, dynamic: bool = False
    ) -> bytes:
        return converted(
            model, widths, calibration=self._calibration.copy() if full else None, dynamic=dynamic
        )

    def score(self, model: bytes) -> float:
        return accuracy(confusion(self._true, logits_of(model, self._unseen)))
