"""Golden pairs for a bundle that is being made: pictures, and what it finds in them on this device's CPU."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeinfer.cli.model_store import warn
from edgeinfer.engine.golden import expected_of, findings
from edgeinfer.engine.options import ModelOptions
from edgeinfer.engine.window_predictor import open_either
from edgeinfer.errors import InputError
from edgeinfer.store import Golden, open_bundle

_PICTURES_MAX = 24
_MOMENTS_S = (2.0, 7.0)  # of the rendered belt
_NOISE_PX = (240, 320, 3)
_SEED = 8


def make_golden(folder: Path, pictures: Path | None) -> tuple[Golden, ...]:
    """Writes `golden/…` into the bundle in `folder`; what was found beforehand (x.json beside x.png) is kept.

    Raises:
        InputError: there is no picture in `pictures`.
        BundleError: the model and its manifest do not fit together.
    """
    (folder / "golden").mkdir()
    pairs = tuple(_own(folder, pictures) if pictures else _built_in(folder))
    if not pictures:
        warn("no pictures of your own (--golden DIR): it is proven with a rendered belt and noise only")
    bundle = open_bundle(folder)
    predictor = open_either(bundle, ModelOptions(bundle=bundle.manifest.name, isolate=True))
    try:
        for pair in pairs:
            if not (folder / pair.expect).exists():
                seen = findings(bundle, folder / pair.input, predictor)
                (folder / pair.expect).write_bytes(expected_of(seen))
    finally:
        predictor.close()
    return pairs


def _own(folder: Path, pictures: Path) -> Iterator[Golden]:
    """Pictures are copied byte for byte; many would make adding slow, so the first so many are taken."""
    from edgeinfer.sources.origin import Pictures

    if not pictures.is_dir():
        raise InputError(f"--golden: {pictures}: expected a folder with pictures in it")
    files = Pictures(pictures).paths()
    for i, file in enumerate(files[:_PICTURES_MAX], start=1):
        pair = Golden(f"golden/{i}{file.suffix.lower()}", f"golden/{i}.json")
        (folder / pair.input).write_bytes(file.read_bytes())
        if (known := file.with_suffix(".json")).is_file():
            (folder / pair.expect).write_bytes(known.read_bytes())
        yield pair


def _built_in(folder: Path) -> Iterator[Golden]:
    from edgeinfer.sources.belt import Belt, BeltSettings

    belt = Belt(BeltSettings(seed=_SEED))
    for i, moment_s in enumerate(_MOMENTS_S, start=1):
        yield _pair(folder, str(i), belt.render(moment_s))
    noise = np.random.default_rng(_SEED).integers(0, 256, _NOISE_PX, np.uint8)
    pair = _pair(folder, "noise", noise)
    yield Golden(pair.input, pair.expect, "noise")


def _pair(folder: Path, name: str, pixels: NDArray[np.uint8]) -> Golden:
    pair = Golden(f"golden/{name}.png", f"golden/{name}.json")
    _, data = cv2.imencode(".png", pixels)
    (folder / pair.input).write_bytes(data.tobytes())
    return pair
