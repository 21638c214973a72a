"""What models/shrinking.py asks of parts: rendered belts, judged on others, whose light and speed vary as widely."""

from functools import partial
from typing import Any

import keras
import numpy as np
import scenes
from judge import judge, runner
from learn import converted, fit
from train import WIDTHS, network

BELTS, PER_BELT = 150, 12
"""A seventh of what train.py renders: this makes eight models, and a step is judged against the others of the table."""
JUDGED = 400  # pictures


class Lesson:
    """See the protocol in models/shrinking.py."""

    judged_by = "F1 (mean of the three labels), unseen belts"
    widths = WIDTHS
    small = (8, 12, 24)
    classes = 4

    def __init__(self, seed: int, *, quick: bool) -> None:
        self._seed, self.epochs = seed, 2 if quick else 10
        first = scenes.TRAINING_SEED + 100_000 * seed
        self._data = scenes.dataset(first, 10 if quick else BELTS, per_belt=PER_BELT)
        self._judged = 20 if quick else JUDGED

    def network(self, widths: tuple[int, ...]) -> keras.Model:
        return network(widths=widths)

    def train(
        self,
        model: keras.Model,
        epochs: int,
        rate: float | None = None,
        teacher: keras.Model | None = None,
        loss: Any = None,
        callbacks: tuple[Any, ...] = (),
    ) -> keras.Model:
        return fit(model, self._data, epochs, self._seed, rate or 3e-3, teacher, loss, callbacks)

    def converted(
        self, model: keras.Model, widths: tuple[int, ...], *, full: bool = False, dynamic: bool = False
    ) -> bytes:
        pictures = self._data[0]
        calibration = pictures[:: max(1, len(pictures) // 300)] if full else None
        return converted(partial(network, widths=widths), model, calibration, dynamic=dynamic)

    def score(self, model: bytes) -> float:
        belts = range(scenes.HELD_OUT_SEED, scenes.HELD_OUT_SEED + self._judged // 4)
        pictures = (scene for seed in belts for scene in scenes.scenes(scenes.varied(seed), 4))
        tally = judge(runner(model), pictures)
        return float(np.mean([figure["f1"] for figure in tally.figures().values()]))
