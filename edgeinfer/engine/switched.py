"""Several models of which one holds at a time: the one of the recipe; all are open, so that switching costs nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from edgeinfer.events import Frame, Inference
from edgeinfer.ports import Predictor


class Switched:
    """The port `Predictor`; `current()` is asked at each picture, and names one of `models`, or else "" holds."""

    def __init__(self, models: Mapping[str, Predictor], current: Callable[[], str]) -> None:
        self._models, self._current = models, current
        self._held = models[""]

    @property
    def _model(self) -> Predictor:
        return self._models.get(self._current(), self._models[""])

    @property
    def identity(self) -> str:
        """Of the one that holds."""
        return self._model.identity

    @property
    def runtime(self) -> str:
        return self._model.runtime

    @property
    def warning(self) -> str:
        return self._model.warning

    @property
    def undecided(self) -> bool:
        return bool(getattr(self._model, "undecided", False))

    def predict(self, frame: Frame) -> Inference:
        model = self._model
        if model is not self._held:  # what it remembers is from before it was put aside
            model.forget(frame.key[0])
            self._held = model
        return model.predict(frame)

    def forget(self, source: str) -> None:
        for model in self._models.values():
            model.forget(source)

    def close(self) -> None:
        for model in self._models.values():
            model.close()
