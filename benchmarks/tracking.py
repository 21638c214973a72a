"""Is who is who? Our tracker against supervision's ByteTrack on the same boxes: IDF1, counting, time per picture.

    pip install motmetrics "supervision<0.27"        (later ones have no tracker; an environment of its own will do)
    python -m benchmarks.tracking [--pairs N] [--minutes M]

The boxes are those of rendered belts with perfect truth at three speeds, worsened as a detector worsens them: places
off, scores that fall with what is covered, misses, false ones; both trackers get the same. IDF1 is motmetrics'
(Ristani et al. 2016), pairs at IoU 0.5. The count is of parts that cross the middle, by the rule `line`, against
the parts that did. Bounds: IDF1 at most 2 points below, at most half of its time, 50 boxes in at most 1 ms, a count
wrong by at most 0.1 %. Exit 1 when a bound is missed. 53 minutes of belt are 10,000 parts.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from dataclasses import dataclass

import numpy as np

from benchmarks.pairs import alternate
from edgeinfer.events import Detection, Inference, Instant
from edgeinfer.geometry import Box
from edgeinfer.ports import RulePlace
from edgeinfer.rules.line import Line
from edgeinfer.sources.belt import Belt, BeltSettings, Part
from edgeinfer.tracking.matching import overlaps
from edgeinfer.tracking.tracker import Tracker, TrackOptions

POINTS, TIME, CROWD_US, COUNT = 0.02, 0.5, 1000.0, 0.001
FPS = 10.0
SPEEDS = {"slow": (60.0, 30.0), "middle": (120.0, 60.0), "fast": (240.0, 100.0)}  # px/s, parts a minute
LEAST_VISIBLE = 0.25  # of a part, below which no detector gives a box


@dataclass(frozen=True)
class Picture:
    """What is true, and what a detector made of it."""

    numbers: list[int]
    truth: np.ndarray  # (n, 4)
    boxes: np.ndarray  # (m, 4)
    scores: np.ndarray  # (m,)


def belt_of(speed: float, per_minute: float, seed: int) -> Belt:
    return Belt(BeltSettings(seed=seed, speed_px_s=speed, parts_per_minute=per_minute, overlap=0.15))


def truths(speed: float, per_minute: float, minutes: float, seed: int) -> list[list[Part]]:
    """What is true in each picture; ends when no part is just on its way across the middle."""
    belt, made = belt_of(speed, per_minute, seed), []
    while True:
        made.append(belt.truth(len(made) / FPS))
        if len(made) >= minutes * 60 * FPS and all(abs(p.centre[0] - 0.5) > 0.05 for p in made[-1]):
            return made


def pictures(true: list[list[Part]], seed: int) -> list[Picture]:
    chance = np.random.default_rng([seed, 7])
    return [_picture(parts, chance) for parts in true]


def _picture(parts, chance) -> Picture:
    parts = [part for part in parts if part.visible > LEAST_VISIBLE]
    truth = np.array([part.box for part in parts]).reshape(-1, 4)
    visible = np.array([part.visible for part in parts])
    score = np.clip(0.15 + 0.8 * visible + chance.normal(0, 0.08, len(parts)), 0.01, 0.99)
    seen = chance.random(len(parts)) > 0.03
    size = np.tile(truth[:, 2:] - truth[:, :2], 2)
    boxes = (truth + chance.normal(0, 0.03, truth.shape) * size)[seen]
    scores = score[seen]
    if chance.random() < 0.05:  # a stain that looks like a part, now and then
        x, y = chance.random(2) * 0.8
        boxes = np.vstack([boxes, [x, y, x + 0.16, y + 0.2]])
        scores = np.append(scores, chance.uniform(0.3, 0.7))
    return Picture([part.number for part in parts], truth, boxes, scores)


class Ours:
    def __init__(self):
        self.tracker, self.n = Tracker(TrackOptions()), 0

    def __call__(self, picture: Picture):
        self.n += 1
        numbers = np.array(self.tracker(round(self.n / FPS * 1e9), picture.boxes, picture.scores), int)
        return picture.boxes[numbers > 0], numbers[numbers > 0], picture.scores[numbers > 0]


class Theirs:
    """supervision's ByteTrack in pixels of the belt's picture (480 x 360)."""

    def __init__(self):
        import supervision as sv

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.tracker = sv.ByteTrack(
                track_activation_threshold=0.5, lost_track_buffer=30, frame_rate=round(FPS)
            )
        self._detections = sv.Detections

    def __call__(self, picture: Picture):
        scale = np.array([480, 360, 480, 360])
        found = self._detections(
            xyxy=picture.boxes * scale, confidence=picture.scores, class_id=np.zeros(len(picture.boxes), int)
        )
        found = self.tracker.update_with_detections(found)
        numbers = found.tracker_id if len(found) else np.empty(0, int)
        return found.xyxy / scale, numbers, found.confidence


def idf1(tracker, seen: list[Picture]) -> tuple[float, int]:
    """IDF1 and switches of identity."""
    import motmetrics as mm

    accumulator = mm.MOTAccumulator(auto_id=True)
    for picture in seen:
        boxes, numbers, _ = tracker(picture)
        accumulator.update(picture.numbers, list(numbers), _apart(picture.truth, boxes))
    summary = mm.metrics.create().compute(accumulator, metrics=["idf1", "num_switches"], name="all")
    return float(summary["idf1"].iloc[0]), int(summary["num_switches"].iloc[0])


def _apart(truth, boxes):
    """1 - IoU; NaN where a pair is out of the question. (motmetrics' own needs numpy 1.)"""
    alike = overlaps(truth, boxes)
    return np.where(alike >= 0.5, 1 - alike, np.nan)


def counted(tracker, seen: list[Picture]) -> int:
    """Crossings of the middle, as the rule `line` tells them."""
    rule = Line(Line.Options(line=((0.5, 0.0), (0.5, 1.0))), RulePlace("p", "line"))
    last = 0
    for n, picture in enumerate(seen):
        boxes, numbers, scores = tracker(picture)
        found = tuple(
            Detection("part", float(score), Box(*box), int(number))
            for box, number, score in zip(boxes.tolist(), numbers, scores, strict=True)
        )
        at = Instant("boot", round((n + 1) / FPS * 1e9), 0)
        for decision in rule.observe(Inference(("belt", n), at, found)):
            last = decision.state
    return int(last)


def crossed(true: list[list[Part]]) -> int:
    """How many parts were left of the middle at first and right of it later."""
    before, after = set(), set()
    for parts in true:
        for part in parts:
            (before if part.centre[0] < 0.5 else after).add(part.number)
    return len(before & after)


def report_quality(minutes: float) -> bool:
    met = True
    print(
        f"{'belt':8} {'IDF1 ours':>10} {'theirs':>8} {'switches':>11} {'crossed':>8} {'ours':>6} {'theirs':>7}"
    )
    off = total = 0
    for seed, (name, (speed, per_minute)) in enumerate(SPEEDS.items()):
        belt = truths(speed, per_minute, minutes, seed)
        seen, true = pictures(belt, seed), crossed(belt)
        (ours, our_switches), (theirs, their_switches) = idf1(Ours(), seen), idf1(Theirs(), seen)
        our_count, their_count = counted(Ours(), seen), counted(Theirs(), seen)
        met &= ours >= theirs - POINTS
        off, total = off + abs(our_count - true), total + true
        print(
            f"{name:8} {ours:10.4f} {theirs:8.4f} {our_switches:5d}/{their_switches:<5d} {true:8d} {our_count:6d} {their_count:7d}"
        )
    error = off / max(total, 1)
    print(f"IDF1 within {POINTS} of theirs: {'met' if met else 'MISSED'}")
    print(
        f"counting error {error:.4%} of {total} parts; bound {COUNT:.1%}: {'met' if error <= COUNT else 'MISSED'}"
    )
    return met and error <= COUNT


def crowd(n: int, steps: int) -> list[Picture]:
    """`n` boxes that drift and jostle in a grid of 8 columns."""
    chance = np.random.default_rng(5)
    at = np.array([(0.05 + 0.11 * (i % 8), 0.05 + 0.13 * (i // 8)) for i in range(n)])
    speed, made = chance.normal(0, 0.02, (n, 2)), []
    for _ in range(steps):
        at = at + speed / FPS
        boxes = np.hstack([at, at + np.array([0.12, 0.15])]) + chance.normal(0, 0.003, (n, 4))
        made.append(Picture(list(range(n)), boxes, boxes, chance.uniform(0.3, 0.95, n)))
    return made


def _cpu_us(run) -> float:
    """CPU time: both are one thread, and the machine may have others."""
    start = time.process_time()
    run()
    return (time.process_time() - start) * 1e6


def report_time(pairs: int) -> bool:
    seen = crowd(50, 100)

    def through(make):
        def run():
            tracker = make()
            for picture in seen:
                tracker(picture)

        return lambda: {"us": _cpu_us(run)}

    measured = alternate(through(Ours), through(Theirs), pairs)
    ratio = measured.ratio("us")
    each = [a["us"] / len(seen) for a, _ in measured.measured]
    print(
        f"50 boxes a picture: {np.median(each):.0f} us ({min(each):.0f} to {max(each):.0f}); bound {CROWD_US:.0f} us"
    )
    print(f"  ours / theirs    {ratio}; bound {TIME}: {ratio.verdict(at_most=TIME)}")
    return ratio.meets(at_most=TIME) and float(np.median(each)) <= CROWD_US


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--minutes", type=float, default=5.0)
    arguments = parser.parse_args()
    good = report_quality(arguments.minutes)
    return 0 if report_time(arguments.pairs) and good else 1


if __name__ == "__main__":
    sys.exit(main())
