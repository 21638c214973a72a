"""Finds out what `--data` is: data.yaml, coco.json, a folder or a CSV; each is read in a file of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edgeinfer.errors import InputError
from edgeinfer.evaluate.coco import read_coco
from edgeinfer.evaluate.examples import Dataset, check_labels
from edgeinfer.evaluate.folders import read_folder
from edgeinfer.evaluate.tables import read_csv
from edgeinfer.evaluate.yolo import read_yolo
from edgeinfer.store import Bundle


def read_data(path: Path, bundle: Bundle, pictures: Path | None = None) -> Dataset:
    """The examples that `path` holds for this bundle.

    Raises:
        InputError: it is none of them, or does not fit a model that takes pictures (or readings).
    """
    window = bundle.manifest.window
    channels = window.channels if window else None
    if not path.exists():
        raise InputError(f"{path}: there is no such file or folder")
    if path.is_dir():
        data = read_folder(path, channels)
    elif path.suffix.lower() in {".yaml", ".yml", ".json"} and channels is None:
        data = read_coco(path, pictures) if path.suffix.lower() == ".json" else read_yolo(path)
    elif path.suffix.lower() == ".csv" and channels is not None:
        data = read_csv(path, channels)
    else:
        wanted = (
            "a CSV, or a folder of .csv and .npy"
            if channels
            else "data.yaml, coco.json, or a folder of pictures"
        )
        raise InputError(
            f"{path}: the model takes {'readings' if channels else 'pictures'}: expected {wanted}"
        )
    if not data.examples:
        raise InputError(f"{path}: holds no sample")
    if bundle.manifest.decoder.kind != "anomaly":
        check_labels(data, bundle.labels, str(path))
    return _ordered(data, bundle.labels)


def _ordered(data: Dataset, known: Sequence[str]) -> Dataset:
    """Its classes in the model's order, what the model does not know behind them."""
    place = {label: n for n, label in enumerate(known)}
    labels = sorted(data.labels, key=lambda label: place.get(label, len(place)))
    return Dataset(data.task, tuple(labels), data.examples)
