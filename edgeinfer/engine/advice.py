"""What a person should know of this board before believing in an acceleration; looks at two files, loads nothing."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from edgeinfer.engine.options import ModelOptions

_MODEL = "proc/device-tree/model"
_L4T = "etc/nv_tegra_release"


def advice(models: Iterable[ModelOptions], root: Path = Path("/")) -> list[str]:
    """Sentences; none where there is nothing to be mistaken about.

    Args:
        models: what the config says of its models.
        root: another one for tests.
    """
    board = jetson(root)
    if not board or any(set(model.backends) != {"cpu"} for model in models):
        return []
    return [
        (
            f"this is a Jetson ({board}): TFLite models run on its CPU, not on its GPU or DLA. What makes them faster here is a "
            'Coral (backends = ["edgetpu", "cpu"]) or a delegate library that you have (backend external): docs/accelerators.md'
        )
    ]


def jetson(root: Path = Path("/")) -> str:
    """The name of the board where it is one of NVIDIA's, else ""."""
    try:
        name = (root / _MODEL).read_bytes().rstrip(b"\0").decode(errors="replace").strip()
    except OSError:
        name = ""
    if "jetson" in name.lower() or "tegra" in name.lower():
        return name
    return "Jetson" if (root / _L4T).exists() else ""
