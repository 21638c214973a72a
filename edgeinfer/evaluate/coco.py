"""A COCO annotation file as examples; the pictures are looked for beside it."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from pathlib import Path

import msgspec

from edgeinfer.errors import InputError
from edgeinfer.evaluate.examples import Dataset, Example, TrueBox
from edgeinfer.evaluate.pictures import frame_of
from edgeinfer.geometry import Box


class _Image(msgspec.Struct, frozen=True):
    id: int
    file_name: str
    width: int
    height: int


class _Annotation(msgspec.Struct, frozen=True):
    image_id: int
    category_id: int
    bbox: tuple[float, float, float, float]  # left, top, width, height in pixels
    iscrowd: int = 0


class _Category(msgspec.Struct, frozen=True):
    id: int
    name: str


class _Coco(msgspec.Struct, frozen=True):
    images: list[_Image]
    annotations: list[_Annotation]
    categories: list[_Category]


def read_coco(path: Path, pictures: Path | None = None) -> Dataset:
    """The annotations of `path`; pictures lie in `pictures`, else beside the file or in `images/` there.

    Source: the COCO data format, https://cocodataset.org/#format-data (object detection).

    Raises:
        InputError: it is no such file, an annotation points nowhere, or no picture is where it should be.
    """
    try:
        coco = msgspec.json.decode(path.read_bytes(), type=_Coco)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise InputError(
            f"{path}: expected COCO annotations (images, annotations, categories): {error}"
        ) from error
    if not coco.images:
        raise InputError(f"{path}: lists no picture")
    names = {category.id: category.name for category in coco.categories}
    folder = _folder(path, pictures, coco.images[0].file_name)
    boxes = _boxes(path, coco, names)
    examples = [
        Example(i.file_name, partial(frame_of, folder / i.file_name), boxes=tuple(boxes[i.id]))
        for i in coco.images
    ]
    return Dataset("boxes", tuple(names.values()), examples)


def _folder(path: Path, pictures: Path | None, first: str) -> Path:
    places = [pictures] if pictures else [path.parent, path.parent / "images", path.parent.parent / "images"]
    for place in places:
        if (place / first).is_file():
            return place
    looked = ", ".join(map(str, places))
    raise InputError(f"{path}: its first picture {first!r} is not in {looked}; say where with --pictures DIR")


def _boxes(path: Path, coco: _Coco, names: dict[int, str]) -> dict[int, list[TrueBox]]:
    sizes = {image.id: (image.width, image.height) for image in coco.images}
    found: dict[int, list[TrueBox]] = defaultdict(list)
    for n, annotation in enumerate(coco.annotations):
        size, name = sizes.get(annotation.image_id), names.get(annotation.category_id)
        if size is None or name is None or min(size) < 1:
            raise InputError(
                f"{path}: annotations[{n}]: there is no image {annotation.image_id} with a size, or no category "
                f"{annotation.category_id}"
            )
        (x, y, w, h), (width, height) = annotation.bbox, size
        box = Box(x / width, y / height, (x + w) / width, (y + h) / height)
        found[annotation.image_id].append(TrueBox(name, box, bool(annotation.iscrowd)))
    return found
