"""Trains, exports and runs a YOLO with Ultralytics' own tools: what tests/parity compares edgeinfer with.

    python teach.py FOLDER MODEL [--epochs N] [--size PIXELS] [--end2end | --integer] [--score SHARE]

Runs in an interpreter that has ultralytics (AGPL, never a part of edgeinfer), a CPU build of torch, torchvision,
litert-torch and ai-edge-quantizer: pip installs them in a minute. MODEL is one of its yaml names: yolov5n, yolov8n,
yolo11n, yolo26n, yolov10n, with -pose, -seg or -cls. Writes FOLDER/pictures/*.png, FOLDER/MODEL.tflite (int8 inside,
with metadata) and FOLDER/MODEL.npz: what Ultralytics finds with that file. Nothing is downloaded: pictures are drawn,
weights begin at random. A model that is there already is not trained again.

With --end2end, yolo26 and yolov10 are exported in float with their end-to-end head, which Ultralytics leaves out of
other exports. With --integer, inputs and outputs are int8 too.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import types
import zipfile
from pathlib import Path

import cv2
import numpy as np

WIDTH, HEIGHT = 240, 200
IOU, MOST = 0.6931, 100
"""int8 boxes lie on a lattice, where overlaps of just 0.7 (Ultralytics' default) are common and a rounding decides."""
COUNTS = {"train": 48, "val": 50}


def draw(rng: np.random.Generator) -> tuple[np.ndarray, list[tuple[int, int, int, int]]]:
    """A picture (BGR) with one to four squares (class 0) and discs (class 1): (class, x, y, radius) each."""
    picture = rng.integers(60, 120, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    things = []
    for _ in range(int(rng.integers(1, 5))):
        kind, r = int(rng.integers(0, 2)), int(rng.integers(14, 34))
        x, y = int(rng.integers(r, WIDTH - r)), int(rng.integers(r, HEIGHT - r))
        colour = [(230, 60, 40), (40, 40, 230)][kind]
        if kind:
            cv2.circle(picture, (x, y), r, colour, -1)
        else:
            cv2.rectangle(picture, (x - r, y - r), (x + r, y + r), colour, -1)
        things.append((kind, x, y, r))
    return picture, things


def row(task: str, kind: int, x: int, y: int, r: int) -> str:
    """A line of a label file, as Ultralytics documents it for each task."""
    w, h = WIDTH, HEIGHT
    if task == "segment":
        turns = (
            np.linspace(0, 2 * np.pi, 24, endpoint=False) if kind else np.pi / 4 + np.arange(4) * np.pi / 2
        )
        far = r if kind else r * 2**0.5
        places = [f"{(x + far * np.cos(t)) / w} {(y + far * np.sin(t)) / h}" for t in turns]
        return f"{kind} {' '.join(places)}"
    box = f"{kind} {x / w} {y / h} {2 * r / w} {2 * r / h}"
    if task != "pose":
        return box
    points = [(x, y), (x, y - r), (x + r, y)]
    return f"{box} {' '.join(f'{px / w} {py / h} 2' for px, py in points)}"


def write_data(folder: Path, task: str) -> Path:
    """Pictures and labels in `folder`; gives what `train` takes as data."""
    rng = np.random.default_rng(5)
    for part, count in COUNTS.items():
        for i in range(count):
            picture, things = draw(rng)
            if task == "classify":
                write_class(folder, part, i, picture, things)
                continue
            for name in ("images", "labels"):
                (folder / part / name).mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(folder / part / "images" / f"{i:03}.png"), picture)
            (folder / part / "labels" / f"{i:03}.txt").write_text("\n".join(row(task, *t) for t in things))
    if task == "classify":
        return folder
    points = "kpt_shape: [3, 3]\nflip_idx: [0, 1, 2]\n" if task == "pose" else ""
    text = f"path: {folder}\ntrain: train/images\nval: val/images\n{points}names:\n  0: square\n  1: disc\n"
    (folder / "data.yaml").write_text(text)
    return folder / "data.yaml"


def write_class(folder: Path, part: str, i: int, picture: np.ndarray, things) -> None:
    name = ("square", "disc")[things[-1][0]]
    (folder / part / name).mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(folder / part / name / f"{i:03}.png"), picture)


def ultralytics(folder: Path):
    """The class YOLO, set up to ask nothing of a network, and with its own suppression.

    The torchvision of the package index is built for CUDA and loads without its operators beside a torch that is
    not: their names are declared, so that it can be imported, and Ultralytics is made to use what it has itself.

    int8 scores are often equal, and which of two equal ones comes first decides which box stays. torch leaves that
    open; it is asked for a stable order, as ours is.
    """
    os.environ |= {"YOLO_CONFIG_DIR": str(folder), "YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false"}
    import torch

    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        ultralytics.library = library  # it lives as long as its declarations
        for module in [m for m in sys.modules if m.startswith("torchvision")]:
            del sys.modules[module]
    from ultralytics import YOLO
    from ultralytics.utils import nms

    nms.sys = types.SimpleNamespace(modules={})
    sort = torch.Tensor.argsort
    torch.Tensor.argsort = lambda x, dim=-1, descending=False: sort(
        x, dim=dim, descending=descending, stable=True
    )
    return YOLO


def found(result) -> dict[str, np.ndarray]:
    """Of one picture: boxes normalised to it, scores, classes, and what the task has besides."""
    if result.probs is not None:
        return {"probs": result.probs.data.numpy()}
    told = {
        "boxes": result.boxes.xyxyn.numpy(),
        "scores": result.boxes.conf.numpy(),
        "classes": result.boxes.cls.numpy(),
    }
    if result.keypoints is not None:
        told["points"] = np.concatenate(
            [result.keypoints.xyn.numpy(), result.keypoints.conf.numpy()[..., None]], axis=2
        )
    if result.masks is not None:
        masks = result.masks.data.numpy() > 0.5
        told["masks"], told["mask_shape"] = np.packbits(masks), np.array(masks.shape)
    return told


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("model")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--size", type=int, default=160)
    parser.add_argument("--end2end", action="store_true")
    parser.add_argument("--integer", action="store_true")
    parser.add_argument(
        "--score", type=float, default=0.05, help="low, so that half-trained models find much"
    )
    args = parser.parse_args()
    folder = args.folder.resolve()
    kind = args.model.rpartition("-")[2]
    task = {"pose": "pose", "seg": "segment", "cls": "classify"}.get(kind, "detect")
    kind = "-end2end" if args.end2end else "-integer" if args.integer else ""
    exported = folder / f"{args.model}{kind}.tflite"
    yolo = ultralytics(folder)
    if not exported.is_file():
        train(yolo, exported, task, args)
    compare_with(yolo(str(exported), task=task), exported, args)


def train(yolo, exported: Path, task: str, args: argparse.Namespace) -> None:
    folder = exported.parent
    data = write_data(folder / f"data-{task}", task)
    model = yolo(f"{args.model}.yaml")
    model.train(
        data=str(data), epochs=args.epochs, imgsz=args.size, batch=8, device="cpu", workers=0, plots=False, val=False,
        verbose=False, project=str(folder / "runs"), name=args.model, exist_ok=True, amp=False, seed=1,
    )  # fmt: skip
    how = {"nms": False} if args.end2end else {} if args.integer else {"quantize": 8}
    made = Path(model.export(format="litert", data=str(data), imgsz=args.size, **how))
    if args.integer:
        make_integer(made, sorted(folder.glob("data-*/val/images/*.png"))[:20], args.size)
    shutil.move(made, exported)


def make_integer(path: Path, pictures: list[Path], size: int) -> None:
    """All of a float export to int8, inputs and outputs as well; its notes are carried over."""
    from ai_edge_quantizer import quantizer, recipe

    with zipfile.ZipFile(path) as archive:
        notes = archive.read("metadata.json")
    resized = [cv2.resize(cv2.imread(str(p)), (size, size))[..., ::-1] for p in pictures]
    samples = [{"args_0": (p.transpose(2, 0, 1)[None] / 255).astype(np.float32)} for p in resized]
    made = quantizer.Quantizer(str(path))
    made.load_quantization_recipe(recipe.static_wi8_ai8())
    seen = made.calibrate({"serving_default": samples})
    made.quantize(seen).export_model(str(path), overwrite=True)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("metadata.json", notes)


def compare_with(model, exported: Path, args: argparse.Namespace) -> None:
    folder = exported.parent / "pictures"
    pictures = sorted(folder.glob("*.png")) or draw_pictures(folder)
    told: dict[str, np.ndarray] = {"score": np.array(args.score)}
    for i, picture in enumerate(pictures):
        (result,) = model.predict(
            str(picture), imgsz=args.size, conf=args.score, iou=IOU, max_det=MOST, device="cpu", verbose=False
        )
        told |= {f"{i}/{name}": values for name, values in found(result).items()}
    np.savez_compressed(exported.with_suffix(".npz"), **told)


def draw_pictures(folder: Path, count: int = 50) -> list[Path]:
    """Pictures that no model was trained on."""
    folder.mkdir(parents=True, exist_ok=True)
    rng, paths = np.random.default_rng(77), []
    for i in range(count):
        paths.append(folder / f"{i:02}.png")
        cv2.imwrite(str(paths[-1]), draw(rng)[0])
    return paths


if __name__ == "__main__":
    main()
