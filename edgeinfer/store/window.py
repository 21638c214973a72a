"""The `[window]` table of a manifest: which readings make one input of a model; computes nothing."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from edgeinfer.config import Where
from edgeinfer.errors import Problem

_Count = Annotated[int, Meta(ge=1, le=1_000_000)]
_Hz = Annotated[float, Meta(gt=0)]


class Scale(Struct, frozen=True, forbid_unknown_fields=True):
    """(feature - mean) / std; one number for all, one a channel (`raw`), or one a feature."""

    mean: tuple[float, ...]
    std: tuple[float, ...]


class WindowOptions(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`length` readings of `channels`, a new window each `hop`; `scale` is a table or a .npy of (2, n)."""

    length: _Count
    channels: Annotated[tuple[str, ...], Meta(min_length=1)]
    rate_hz: _Hz
    hop: _Count | None = None  # default: length, windows that do not overlap
    features: Literal["raw", "bands"] = "raw"
    n_bands: Annotated[int, Meta(ge=1, le=4096)] = 64
    envelope_bins: Annotated[int, Meta(ge=0, le=4096)] = 64
    f_min: _Hz = 10.0
    f_max: _Hz | None = None  # default: half the rate
    envelope_band: tuple[float, float] | None = None  # Hz; default: an eighth of the rate to half of it
    scale: Scale | str | None = None
    name: str = ""  # of the tensor, where a model has several inputs

    @property
    def step(self) -> int:
        return self.hop or self.length

    @property
    def highest(self) -> float:
        return self.f_max or self.rate_hz / 2

    @property
    def demodulated(self) -> tuple[float, float]:
        """The band in Hz whose envelope is taken: where a bearing's impacts ring, above what a shaft does."""
        return self.envelope_band or (self.rate_hz / 8, self.rate_hz / 2)


def window_problems(options: WindowOptions, where: Where) -> list[Problem]:
    """What no single key can tell."""
    found, half = [], options.rate_hz / 2
    if len(set(options.channels)) != len(options.channels):
        found.append(Problem(where.at("channels"), f"a channel stands there twice: {list(options.channels)}"))
    if options.features == "bands":
        if not options.f_min < options.highest <= half:
            text = f"expected f_min < f_max <= {half:g} (half of rate_hz), found {options.f_min:g}, {options.highest:g}"
            found.append(Problem(where.at("f_min"), text))
        if options.envelope_bins > options.length // 2:
            text = f"a window of {options.length} has {options.length // 2} bins above zero, found {options.envelope_bins}"
            found.append(Problem(where.at("envelope_bins"), text))
        low, high = options.demodulated
        if not 0 <= low < high <= half:
            text = f"expected 0 <= low < high <= {half:g} Hz, found [{low:g}, {high:g}]"
            found.append(Problem(where.at("envelope_band"), text))
    if isinstance(options.scale, Scale) and not all(v > 0 for v in options.scale.std):
        found.append(Problem(where.at("scale", "std"), "expected numbers above 0"))
    return found
