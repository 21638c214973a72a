"""What drawn figures share: their letters, and how they come to a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
from numpy.typing import NDArray

from edgeinfer.errors import EdgeinferError

_FONT, _INK = cv2.FONT_HERSHEY_SIMPLEX, (50, 50, 50)


def saved(path: Path, picture: NDArray[Any], option: str = "--plot") -> None:
    """Writes the picture, (H, W, 3) uint8 BGR, in the form that the name ends with; raises EdgeinferError when it cannot be written."""
    done, data = cv2.imencode(path.suffix.lower(), picture)
    if not done:
        raise EdgeinferError(f"{option}: {path}: OpenCV cannot encode it")
    try:
        path.write_bytes(data.tobytes())
    except OSError as error:
        raise EdgeinferError(f"{option}: {path}: cannot be written: {error.strerror}") from error


def write(picture: NDArray[Any], text: str, x: int, y: int, size: float = 0.45) -> None:
    cv2.putText(picture, text, (x, y), _FONT, size, _INK, 1, cv2.LINE_AA)
