"""Draws docs/demo.jpg: the demo's belt with what the parts model finds on it. Run from the root: python docs/picture.py"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from edgeinfer import store
from edgeinfer.engine.options import ModelOptions
from edgeinfer.engine.predictor import open_predictor
from edgeinfer.events import Detection, Frame, Instant
from edgeinfer.sources.belt import Belt, BeltSettings

COLOURS = {"good": (120, 200, 90), "scratched": (60, 60, 235), "hole_missing": (40, 170, 250)}
SCALE = 2


def draw(picture: np.ndarray, finding: Detection) -> None:
    h, w = picture.shape[:2]
    x0, y0, x1, y1 = (round(v * s) for v, s in zip(finding.box, (w, h, w, h), strict=True))
    colour = COLOURS[finding.label]
    cv2.rectangle(picture, (x0, y0), (x1, y1), colour, 2, cv2.LINE_AA)
    text = f"{finding.label} {finding.score:.2f}"
    (tw, th), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.5, 1)
    cv2.rectangle(picture, (x0, y0 - th - 8), (x0 + tw + 8, y0), colour, cv2.FILLED)
    cv2.putText(
        picture, text, (x0 + 4, y0 - 5), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1, cv2.LINE_AA
    )


def main() -> None:
    bundle = store.open_bundle(store.find_bundle("parts"))
    predictor = open_predictor(bundle, ModelOptions(bundle="parts"))
    belt = Belt(BeltSettings())
    best, most = 0.0, 0
    for t in np.arange(5.0, 200.0, 0.5):
        inside = [part.label for part in belt.truth(t) if part.visible > 0.99]
        score = len(set(inside)) * 10 + len(inside)
        if score > most:
            best, most = float(t), score
    pixels = belt.render(best)
    found = predictor.predict(Frame(("belt", 0), Instant("", 0, 0), pixels)).findings
    picture = cv2.resize(pixels, None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_CUBIC)
    for finding in found:
        if isinstance(finding, Detection):
            draw(picture, finding)
    cv2.imwrite(
        str(Path(__file__).with_name("demo.jpg")),
        cv2.resize(picture, (720, 540), interpolation=cv2.INTER_AREA),
    )


if __name__ == "__main__":
    main()
