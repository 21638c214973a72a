"""Runs a model on pictures, a video or a camera, without a config: prints what it finds, and draws it with --save.

A bundle brings its own manifest; of a bare .tflite a bundle is made for the moment, with the same options as
`model add`. A video is read picture by picture, a camera until Ctrl-C (or --count).
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from itertools import islice
from pathlib import Path
from threading import Event

import cv2
import msgspec

from edgeinfer.cli.model_draft import add_draft, make, wish_of
from edgeinfer.cli.model_store import warn
from edgeinfer.clock import SourceStamp, SystemClock
from edgeinfer.drawing import drawn, words
from edgeinfer.engine.options import ModelOptions
from edgeinfer.engine.predictor import open_predictor
from edgeinfer.errors import EdgeinferError, InputError
from edgeinfer.events import Frame, Inference
from edgeinfer.ports import SourcePlace
from edgeinfer.sources.camera import Camera
from edgeinfer.sources.origin import Device, Pictures, Stream, origin
from edgeinfer.store import Bundle, find_bundle, open_bundle
from edgeinfer.store.packed import is_packed, unpack


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", metavar="FILE|BUNDLE", help=".tflite, bundle's folder or name, packed bundle")
    parser.add_argument("pictures", metavar="PICTURES|VIDEO|CAMERA", help="a file, a folder, 0, rtsp://…")
    parser.add_argument("--save", type=Path, metavar="DIR", help="write each picture with its findings there")
    parser.add_argument("--count", type=int, metavar="N", help="stop after so many pictures")
    parser.add_argument("--threads", type=int, default=1, help="threads of the runtime (default 1)")
    parser.add_argument("--state", type=Path, metavar="DIR", help="a state folder, whose models/ is searched")
    add_draft(parser)


def main(args: argparse.Namespace) -> int:
    if args.count is not None and args.count < 1:
        raise InputError(f"--count: expected 1 or more, found {args.count}")
    with ExitStack() as exits:
        bundle = _bundle(args, exits)
        predictor = open_predictor(bundle, _options(args, bundle))
        exits.callback(predictor.close)
        frames = frames_of(args.pictures)
        exits.callback(frames.close)  # type: ignore[attr-defined]  # it is a generator
        exits.enter_context(suppress(KeyboardInterrupt))  # the end that a camera has
        for number, (name, frame) in enumerate(islice(frames, args.count)):
            seen = predictor.predict(frame)
            _print(args, name, seen)
            if args.save:
                _save(args.save, f"{number:05d}", frame, seen)
    return 0


def _options(args: argparse.Namespace, bundle: Bundle) -> ModelOptions:
    table = {"bundle": bundle.manifest.name, "threads": args.threads, "isolate": True}
    try:
        return msgspec.convert(table, ModelOptions)
    except msgspec.ValidationError as error:
        raise InputError(f"--threads: {error}") from error


def _bundle(args: argparse.Namespace, exits: ExitStack) -> Bundle:
    path = Path(args.what).expanduser()
    if not path.is_file() or path.name == "manifest.toml":
        return open_bundle(find_bundle(args.what, args.state))
    folder = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="edgeinfer-try-")))
    if is_packed(path):
        unpack(path, folder)
    else:
        make(path, wish_of(args), folder, golden=False)
    return open_bundle(folder)


def frames_of(named: str) -> Iterator[tuple[str, Frame]]:
    """Each picture with a name for the person who reads: the file's, or the time within the video."""
    where: int | str = int(named) if named.isdigit() else named
    found = origin(where)
    live = isinstance(found, Device | Stream)
    options = Camera.Options(from_=where, pace="real" if live else "lockstep")
    place = SourcePlace(
        "try", SourceStamp("try", SystemClock()), lambda _, text: warn(text) if text else None
    )
    names = [str(p) for p in found.paths()] if isinstance(found, Pictures) else []
    start: int | None = None
    for i, frame in enumerate(Camera(options, place).samples(Event())):
        start = frame.at.unix_ns if start is None else start
        yield names[i] if i < len(names) else f"{(frame.at.unix_ns - start) / 1e9:8.2f} s", frame


def _print(args: argparse.Namespace, name: str, seen: Inference) -> None:
    if args.json:
        told = [msgspec.to_builtins(f) | {"type": type(f).__name__.lower()} for f in seen.findings]
        print(json.dumps({"picture": name.strip(), "findings": told, "timings_ns": dict(seen.timings)}))
        return
    print(f"{name}: {'; '.join(map(words, seen.findings)) or 'nothing'}", flush=True)


def _save(folder: Path, name: str, frame: Frame, seen: Inference) -> None:
    path = folder / f"{name}.jpg"
    _, data = cv2.imencode(".jpg", drawn(frame.pixels, seen.findings))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.tobytes())
    except OSError as error:
        raise EdgeinferError(f"--save: {path}: cannot be written: {error.strerror}") from error
