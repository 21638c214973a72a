"""Where boxes will be: one constant-velocity Kalman filter a track, all tracks at once; says nothing about identity.

A track's box moves as centre and size, (x, y, w, h). With noise that is independent in the four, the usual filter of
eight states falls apart into four of two (position, velocity), exactly: three numbers of covariance each, no matrices.

All noise is in sizes of the box, so that far and near objects, and pictures of any shape, are alike; x goes with the
width and y with the height. The figures are those of DeepSORT and ByteTrack (Wojke et al. 2017; Zhang et al. 2022):
1/20 of the size in place and 1/160 a frame in speed, here in seconds at their 30 frames a second, because
an edge device drops frames.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]

_MEASURE = 1 / 20  # standard deviation of a measured place or size, in sizes
_FIRST_SPEED = np.array([3.0, 3.0, 0.5, 0.5])  # of the speed of a box seen once, in sizes a second
_AGILITY = (30**1.5 / 160) ** 2  # variance that a second adds to the speed, in (sizes a second) squared
_LEAST = 1e-4  # of the picture: below it a size says nothing

_POS, _VEL, _PP, _PV, _VV = range(5)


class Motion:
    """The filters of all tracks of one picture stream; row i is track i. Lengths are shares of the picture."""

    __slots__ = ("_s",)

    def __init__(self) -> None:
        self._s = np.empty((5, 0, 4))  # place, speed, and their variances and covariance

    def __len__(self) -> int:
        return self._s.shape[1]

    @property
    def boxes(self) -> Reals:
        """(n, 4): where the tracks are now, x0 y0 x1 y1."""
        pos = self._s[_POS]
        half = np.maximum(pos[:, 2:], _LEAST) / 2
        return np.hstack([pos[:, :2] - half, pos[:, :2] + half])

    @property
    def centres(self) -> Reals:
        """(n, 2)."""
        centres: Reals = self._s[_POS, :, :2]
        return centres

    def predict(self, dt_s: float) -> None:
        """`dt_s` seconds go by: white noise on the acceleration."""
        pos, vel, pp, pv, vv = self._s
        noise = _AGILITY * self._sizes() ** 2
        pos += vel * dt_s
        pp += (2 * pv + vv * dt_s) * dt_s + noise * (dt_s**3 / 3)
        pv += vv * dt_s + noise * (dt_s**2 / 2)
        vv += noise * dt_s

    def correct(self, rows: NDArray[np.intp], boxes: Reals) -> None:
        """The tracks `rows` were seen at `boxes`, (k, 4) x0 y0 x1 y1."""
        pos, vel, pp, pv, vv = self._s[:, rows]
        size = _sizes(pos)
        both = pp + (_MEASURE * size) ** 2
        gain, speed_gain = pp / both, pv / both
        off = _centred(boxes) - pos
        keep = 1 - gain
        self._s[:, rows] = (
            pos + gain * off,
            vel + speed_gain * off,
            keep * pp,
            keep * pv,
            vv - speed_gain * pv,
        )

    def hold_size(self, rows: NDArray[np.intp]) -> None:
        """Nobody sees these tracks: their boxes go on, and do not go on to grow or shrink."""
        self._s[_VEL, rows, 2:] = 0.0

    def add(self, boxes: Reals) -> None:
        """New tracks behind the others, seen for the first time at `boxes`."""
        pos = _centred(boxes)
        size, zero = _sizes(pos), np.zeros_like(pos)
        new = np.stack([pos, zero, (_MEASURE * size) ** 2, zero, (_FIRST_SPEED * size) ** 2])
        self._s = np.concatenate([self._s, new], axis=1)

    def keep(self, which: NDArray[np.bool_]) -> None:
        self._s = self._s[:, which]

    def _sizes(self) -> Reals:
        return _sizes(self._s[_POS])


def _sizes(pos: Reals) -> Reals:
    """Width, height, width, height: what x, y, w and h are measured in."""
    size = np.maximum(pos[:, 2:], _LEAST)
    return np.hstack([size, size])


def _centred(boxes: Reals) -> Reals:
    return np.hstack([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]])
