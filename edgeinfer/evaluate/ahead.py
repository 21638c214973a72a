"""Infers pictures ahead of the pipelines that will ask for them, on several cores; the results and their order stay."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from threading import Lock

from msgspec import structs

from edgeinfer.app.blueprint import Blueprint
from edgeinfer.app.looking import open_here
from edgeinfer.engine.opening import Opening
from edgeinfer.engine.options import ModelOptions
from edgeinfer.events import Frame, Inference, Key
from edgeinfer.ports import Predictor, ReadingsPredictor
from edgeinfer.store import Bundle
from edgeinfer.taps import Seen


class Ahead:
    """Give `open` to the daemon as `open_model`, `ahead` as `read_ahead`, and `see` as a tap.

    Inference of one picture knows nothing of another, so that it may be done before its turn; a model with a memory
    and one that takes readings are opened as ever. Pictures that `max_fps` will thin out are not inferred ahead.

    Args:
        jobs: how many pictures are inferred at once, by sessions of one thread each.
    """

    def __init__(self, jobs: int) -> None:
        self._jobs, self.ahead = jobs, jobs + 2
        self._threads = ThreadPoolExecutor(jobs, "ahead")
        self._pools: dict[str, _Pool] = {}
        self._sources: Mapping[str, tuple[str, ...]] = {}

    def know(self, blueprint: Blueprint) -> None:
        """Whose pictures are for whom."""
        self._sources = {
            name: p.options.all_sources for name, p in blueprint.pipelines.items() if not p.options.max_fps
        }

    def open(
        self, pipeline: str, bundle: Bundle, options: ModelOptions, opening: Opening | None
    ) -> Predictor | ReadingsPredictor:
        """Raises as a daemon's opening does."""
        if bundle.manifest.window is not None or bundle.manifest.state:
            return open_here(pipeline, bundle, options, opening)
        one = structs.replace(options, threads=1)
        opened = [open_here(pipeline, bundle, one, opening) for _ in range(self._jobs)]
        predictors = [p for p in opened if not isinstance(p, ReadingsPredictor)]
        pool = self._pools[pipeline] = _Pool(predictors, self._threads)
        return pool

    def see(self, post: str, seen: Seen) -> None:
        """The tap: called by the feed before it offers the picture."""
        if isinstance(seen, Frame) and post.startswith("source."):
            for name, pool in list(self._pools.items()):
                if seen.key[0] in self._sources.get(name, ()):
                    pool.expect(seen)

    def close(self) -> None:
        self._threads.shutdown(cancel_futures=True)


class _Pool:
    """The port `Predictor` over several that are equal."""

    def __init__(self, predictors: list[Predictor], threads: ThreadPoolExecutor) -> None:
        self._predictors, self._threads, self._lock = predictors, threads, Lock()
        self._free: SimpleQueue[Predictor] = SimpleQueue()
        for predictor in predictors:
            self._free.put(predictor)
        self._expected: dict[Key, tuple[Frame, Future[Inference]]] = {}
        self.identity = predictors[0].identity

    @property
    def runtime(self) -> str:
        return f"{len(self._predictors)} x {self._predictors[0].runtime}"

    @property
    def warning(self) -> str:
        return self._predictors[0].warning

    def expect(self, frame: Frame) -> None:
        future = self._threads.submit(self._infer, frame)
        with self._lock:
            self._expected[frame.key] = (frame, future)

    def predict(self, frame: Frame) -> Inference:
        with self._lock:
            expected, future = self._expected.pop(frame.key, (None, None))
            for key in [k for k in self._expected if k[0] == frame.key[0] and k[1] < frame.key[1]]:
                del self._expected[key]  # nobody asked for it
        if future is None or expected is not frame:  # a part of it, or the first one of all
            future = self._threads.submit(self._infer, frame)
        return future.result()

    def _infer(self, frame: Frame) -> Inference:
        predictor = self._free.get()
        try:
            return predictor.predict(frame)
        finally:
            self._free.put(predictor)

    def forget(self, source: str) -> None:
        """Nothing is remembered."""

    def close(self) -> None:
        for predictor in self._predictors:
            predictor.close()
