"""A bad cable: flips, drops and inserts bytes at given rates; the same seed does the same harm."""

from __future__ import annotations

import random
from dataclasses import dataclass, field


@dataclass(slots=True)
class Noise:
    """Rates are shares of bytes, 0 to 1."""

    flip: float = 0.0
    drop: float = 0.0
    insert: float = 0.0
    seed: int = 0
    _draw: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._draw = random.Random(self.seed)  # noqa: S311  noise, not a secret

    def __call__(self, data: bytes) -> bytes:
        out = bytearray()
        for byte in data:
            chance = self._draw.random()
            if chance < self.drop:
                continue
            if chance < self.drop + self.flip:
                byte ^= 1 << self._draw.randrange(8)  # noqa: PLW2901  the byte as it arrives
            out.append(byte)
            if chance > 1 - self.insert:
                out.append(self._draw.randrange(256))
        return bytes(out)
