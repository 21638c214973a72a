"""What was asked for: TOML files to named parts, each with its place; what a part means is its plugin's business."""

from edgeinfer.config.decoding import blame, decode
from edgeinfer.config.files import load, loads
from edgeinfer.config.parts import SECTIONS, SINGLE, WITH_KIND, Config, Part, Where
from edgeinfer.config.schemas import schema
from edgeinfer.config.values import bytes_of, device_problem

__all__ = [
    "SECTIONS",
    "SINGLE",
    "WITH_KIND",
    "Config",
    "Part",
    "Where",
    "blame",
    "bytes_of",
    "decode",
    "device_problem",
    "load",
    "loads",
    "schema",
]
