"""Draw the demo's conveyor belt at any moment: turned steel flanges, some scratched, some with a hole missing.

It knows no clock and keeps no state: the picture at `t_s` follows from the settings alone, so that a test, the
demo and the training of `models/parts` see the same world. It is not a source; `synthetic` makes one of it.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Reals = NDArray[np.float64]
# Keep and add, (side, side, 3) each: the picture becomes picture * keep / 255 + add.
Sprite = tuple[Picture, Picture]

GOOD, SCRATCHED, HOLE_MISSING = LABELS = ("good", "scratched", "hole_missing")

# Lengths of a flange as shares of its radius; it has four bolt holes on a circle around the bore.
BORE, BOLT_CIRCLE, HOLE = 0.27, 0.64, 0.125
RADIUS = 0.11  # of the picture's height
RAIL = 0.07  # of the picture's height, above and below the belt
FINE = 3  # sprites are drawn this much larger and then reduced: smooth edges for little work
SHIFT = 4  # fractional bits of cv2's drawing coordinates


@dataclass(frozen=True)
class BeltSettings:
    """What the world in front of the camera looks like; lengths in pixels of the picture."""

    seed: int = 0
    size_px: tuple[int, int] = (480, 360)  # width, height
    speed_px_s: float = 80.0  # to the right
    parts_per_minute: float = 36.0
    scratched: float = 0.15  # share of the parts; what is neither scratched nor short of a hole is good
    hole_missing: float = 0.15
    light: float = 1.0  # 0.4 is dusk, 1.6 is too much
    light_gradient: float = 0.25  # how much darker the far side of the picture is, 0..1
    light_angle_deg: float = 215.0  # where the light comes from, clockwise from the right: 215 is upper left
    warmth: float = 0.0  # -1 is cold light, 1 is warm
    blur_px: float = 0.5  # sigma of the lens
    exposure_s: float = 0.004  # with the speed it makes the motion blur
    noise: float = 3.0  # sigma of the sensor, in grey levels
    overlap: float = 0.04  # share of the parts that lie on top of the one ahead
    pose: float = 1.0  # spread of place and brightness from part to part; 0 is a tidy belt


@dataclass(frozen=True)
class Part:
    """One flange that touches the picture: what is true of it, whatever a model says."""

    number: int  # its identity: counts up from part to part, the same in every picture
    label: str  # one of LABELS
    centre: tuple[float, float]  # normalised, may lie outside of the picture
    box: tuple[float, float, float, float]  # x0, y0, x1, y1, normalised, clipped to the picture
    visible: float  # share of its disc that is inside the picture and under no other part
    inside: float  # share of its disc that is inside the picture


class Belt:
    """The belt of one `BeltSettings`; calls may come in any order of time."""

    def __init__(self, settings: BeltSettings | None = None) -> None:
        self.settings = s = settings or BeltSettings()
        width, height = s.size_px
        self.radius_px = RADIUS * height
        self._side = 2 * round(1.35 * self.radius_px)
        self._spacing_px = s.speed_px_s * 60.0 / s.parts_per_minute
        self._light = float(np.deg2rad(s.light_angle_deg))
        rng = np.random.default_rng([s.seed, 1])
        self._tile = _rubber(rng, width, height, round(12 * self.radius_px))
        self._rails = _rails(rng, width, round(RAIL * height))
        self._face = _turned_face(rng, round(self.radius_px * FINE), self._side * FINE, self._light)
        self._gain = _gain(s)
        self._grain = _grain(rng, width, height, s.noise)
        # Far more than fit into one picture; drawn once, a part costs a copy a frame.
        self._sprite = lru_cache(maxsize=48)(self._draw)

    def render(self, t_s: float) -> Picture:
        """The picture at `t_s` seconds: (H, W, 3) uint8, BGR."""
        width, height = self.settings.size_px
        start = -round(self.settings.speed_px_s * t_s) % (self._tile.shape[1] - width)
        picture = self._tile[:, start : start + width].copy()
        for number, x, y in self._placed(t_s):
            _blend(picture, self._sprite(number), x - self._side // 2, y - self._side // 2)
        rail = self._rails.shape[0]
        picture[:rail], picture[height - rail :] = self._rails, self._rails[::-1]
        return self._photographed(cv2.multiply(picture, self._gain, scale=1 / 128), t_s)

    def truth(self, t_s: float) -> list[Part]:
        """The parts that touch the picture at `t_s`, from the leftmost to the rightmost."""
        placed = self._placed(t_s)
        parts = [self._part(number, x, y, placed) for number, x, y in placed]
        return sorted((part for part in parts if part.inside > 0), key=lambda part: part.centre)

    def label(self, number: int) -> str:
        """What part `number` is."""
        s, chance = self.settings, self._rng(number, 1).random()
        if chance < s.scratched:
            return SCRATCHED
        return HOLE_MISSING if chance < s.scratched + s.hole_missing else GOOD

    def _rng(self, number: int, purpose: int) -> np.random.Generator:
        return np.random.default_rng([self.settings.seed, purpose, number & 0xFFFFFFFF])

    def _placed(self, t_s: float) -> list[tuple[int, int, int]]:
        """Number and centre in pixels of the parts in and around the picture; later ones lie on top."""
        travel, reach = round(self.settings.speed_px_s * t_s), self._side + self._spacing_px
        first = int((travel - self.settings.size_px[0] - reach) // self._spacing_px)
        last = int((travel + reach) // self._spacing_px)
        places = ((number, self._place(number)) for number in range(first, last + 1))
        return [(number, travel + x, y) for number, (x, y) in places]

    def _place(self, number: int) -> tuple[int, int]:
        """Where part `number` lies on the belt: x relative to the belt's zero, y in the picture, in pixels."""
        s, rng = self.settings, self._rng(number, 2)
        height, diameter = s.size_px[1], 2 * self.radius_px
        # Only an odd part may lie on the (even) one ahead: one step back tells, and piles do not grow.
        if rng.random() < 2 * s.overlap and number % 2:
            ahead_x, ahead_y = self._place(number - 1)
            dx, dy = _polar(rng.uniform(0.3, 1.2), diameter * rng.uniform(0.72, 0.95))
            return round(ahead_x - dx), round(ahead_y + (dy if ahead_y < height / 2 else -dy))
        slack = max(0.0, self._spacing_px - 1.08 * diameter) / 2
        room = (0.5 - RAIL) * height - 1.15 * self.radius_px
        x = -number * self._spacing_px + s.pose * rng.uniform(-slack, slack)
        return round(x), round(height / 2 + s.pose * rng.uniform(-room, room))

    def _part(self, number: int, x: int, y: int, placed: list[tuple[int, int, int]]) -> Part:
        width, height = self.settings.size_px
        r = self.radius_px
        px, py = x + r * _DISC[0], y + r * _DISC[1]
        inside = (px >= 0) & (px < width) & (py >= 0) & (py < height)
        seen = inside.copy()
        for above, ax, ay in placed:
            if above > number:
                seen &= (px - ax) ** 2 + (py - ay) ** 2 > r * r
        x0, y0, x1, y1 = (x - r) / width, (y - r) / height, (x + r) / width, (y + r) / height
        box = max(x0, 0.0), max(y0, 0.0), min(x1, 1.0), min(y1, 1.0)
        centre, visible = (x / width, y / height), float(seen.mean())
        return Part(number, self.label(number), centre, box, visible, float(inside.mean()))

    def _draw(self, number: int) -> Sprite:
        rng, label = self._rng(number, 3), self.label(number)
        r, turn = self.radius_px * FINE, rng.uniform(0, 2 * np.pi)
        face, solid = self._face.copy(), np.zeros(self._face.shape[:2], np.uint8)
        _disc(solid, np.zeros(2), r, 255)
        _stain(rng, face, r)
        if label == SCRATCHED:
            _scratch(rng, face, r)
        _hole(face, solid, np.zeros(2), BORE * r, self._light)
        for k in range(3 if label == HOLE_MISSING else 4):
            _hole(face, solid, _polar(turn + k * np.pi / 2, BOLT_CIRCLE * r), HOLE * r, self._light)
        face = cv2.convertScaleAbs(face, alpha=1 + self.settings.pose * rng.uniform(-0.14, 0.1))
        return _sprite(face, solid, self._side, self.radius_px, self._light)

    def _photographed(self, picture: Picture, t_s: float) -> Picture:
        """Motion blur, lens blur and noise."""
        s = self.settings
        if (motion_px := round(s.speed_px_s * s.exposure_s)) > 1:
            picture = cv2.blur(picture, (motion_px, 1))
        if s.blur_px >= 0.3:
            picture = cv2.GaussianBlur(picture, (0, 0), s.blur_px)
        dx, dy = self._rng(round(t_s * 1000), 4).integers(0, _GRAIN_SLACK, 2)
        grain = self._grain[dy : dy + s.size_px[1], dx : dx + s.size_px[0]]
        return np.asarray(cv2.addWeighted(picture, 1.0, grain, 1.0, -128.0), np.uint8)


_GRAIN_SLACK = 96  # px by which the noise is larger than the picture: each moment cuts its own piece
# Points of a unit disc, (2, n): what of them can be seen tells the share of a part that can be seen.
_DISC = np.array([at for at in np.ndindex(41, 41) if np.hypot(at[0] - 20, at[1] - 20) <= 20]).T / 20 - 1


def _bytes(levels: Reals) -> Picture:
    return np.asarray(np.clip(levels, 0, 255), np.uint8)


def _rubber(rng: np.random.Generator, width: int, height: int, period: int) -> Picture:
    """The belt: dark woven rubber with stains, repeated after `period`; (height, period + width, 3)."""
    fine = rng.normal(0, 5, (height, period))
    weave = 7.0 * ((np.add.outer(np.arange(height), np.arange(period)) // 3 % 2) - 0.5)
    cloud = rng.normal(0, 4, (height // 24, period // 24))
    rubber = 66 + fine + weave + cv2.resize(cloud, (period, height), interpolation=cv2.INTER_CUBIC)
    for _ in range(7):  # old marks: something bright or dark that is no part
        at = int(rng.integers(20, period - 20)), int(rng.integers(0, height))
        size = height * rng.uniform(0.02, 0.09)
        axes, turn = (int(size), int(size * rng.uniform(0.1, 0.8))), rng.uniform(0, 180)
        mark = cv2.ellipse(np.zeros((height, period), np.uint8), at, axes, turn, 0, 360, 255, -1)
        rubber += cv2.GaussianBlur(mark, (0, 0), 1 + size * 0.15) / 255.0 * rng.uniform(-30, 24)
    rubber[:, :3] -= 26  # the seam
    rubber[:, 3:5] += 14
    edge = np.minimum(np.arange(height), np.arange(height)[::-1]) / height - RAIL
    rubber *= np.clip(0.55 + 9 * edge, 0.4, 1.0)[:, None]  # the rails' shadow
    bgr = _bytes(rubber[..., None] * np.array([0.86, 1.0, 0.74]))
    return np.pad(bgr, ((0, 0), (0, width), (0, 0)), mode="wrap")


def _rails(rng: np.random.Generator, width: int, rail: int) -> Picture:
    """The upper rail: brushed aluminium; (rail, width, 3)."""
    profile = np.interp(np.linspace(0, 1, rail), [0, 0.55, 0.6, 0.9, 1], [120, 165, 95, 190, 50])
    brushed = cv2.blur(rng.normal(0, 14, (rail, width)), (41, 1))
    return _bytes((profile[:, None] + 2 * brushed)[..., None] * np.array([1.0, 0.98, 0.95]))


def _turned_face(rng: np.random.Generator, r: int, side: int, light: float) -> Picture:
    """A lathe-turned disc of radius `r` px without holes: conical highlights, rings, a bevel; (side, side, 3).

    It has the symmetry of a disc, so that a part's rotation does not change it and one face serves all parts.
    """
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    distance, angle = np.hypot(x, y) / r, np.arctan2(y, x) - light
    rings = cv2.GaussianBlur(rng.normal(0, 1, (1, 4 * side)), (0, 0), 2.0)[0] * 16
    steel = 150 + 34 * np.cos(2 * angle) + 12 * np.cos(angle)
    steel += np.interp(distance, np.linspace(0, 2, 4 * side), rings)
    bevel = np.clip((distance - 0.9) / 0.03, 0, 1)
    steel = steel * (1 - bevel) + bevel * (140 + 75 * np.cos(angle))
    return _bytes(steel[..., None] * np.array([1.03, 1.0, 0.97]))


def _polar(angle: float, distance: float) -> Reals:
    return distance * np.array([np.cos(angle), np.sin(angle)])


def _disc(canvas: Picture, at: Reals, r: float, *colour: int) -> None:
    """A smooth disc around `at`, counted from the canvas' middle, all in its pixels."""
    middle, one = (canvas.shape[0] - 1) / 2, 1 << SHIFT
    centre = round((middle + at[0]) * one), round((middle + at[1]) * one)
    cv2.circle(canvas, centre, round(r * one), colour, -1, cv2.LINE_AA, SHIFT)


def _hole(face: Picture, solid: Picture, at: Reals, r: float, light: float) -> None:
    """Drill through: a dark wall on the light's side, belt in shade on the other, a bright bevel around."""
    _disc(face, at, 1.2 * r, 205, 205, 200)
    _disc(face, at + _polar(light, 0.06 * r), 1.14 * r, 112, 112, 110)
    _disc(face, at, r, 24, 22, 22)
    _disc(solid, at - _polar(light, 0.2 * r), 0.78 * r, 110)


def _scratch(rng: np.random.Generator, face: Picture, r: float) -> None:
    """A groove across the face, somewhere between bore and rim: a bright edge beside a dark one."""
    angle, lean = rng.uniform(0, 2 * np.pi), rng.uniform(-1.0, 1.0)
    along = np.linspace(-0.5, 0.5, 7)[:, None] * rng.uniform(0.75, 1.2) * r
    centre = (face.shape[0] - 1) / 2 + _polar(angle, rng.uniform(0.45, 0.66) * r)
    tangent, normal = _polar(angle + lean + np.pi / 2, 1.0), _polar(angle + lean + np.pi, 1.0)
    bend = rng.uniform(-0.12, 0.12) * r * np.cos(np.linspace(-np.pi / 2, np.pi / 2, 7))[:, None]
    line = centre + along * tangent + bend * normal + rng.normal(0, 0.012 * r, (7, 2))
    width = max(1, round(r * rng.uniform(0.04, 0.062)))
    for offset, level in ((0.0, rng.uniform(25, 60)), (0.8 * width, rng.uniform(225, 255))):
        points = np.round((line + offset * normal) * (1 << SHIFT)).astype(np.int32)
        cv2.polylines(face, [points], False, [int(level)] * 3, width, cv2.LINE_AA, SHIFT)


def _stain(rng: np.random.Generator, face: Picture, r: float) -> None:
    """A faint smear of oil: what a good part may have too."""
    smear = np.zeros(face.shape[:2], np.uint8)
    angle, distance = rng.uniform(0, 2 * np.pi), rng.uniform(0.2, 0.8) * r
    _disc(smear, _polar(angle, distance), r * rng.uniform(0.1, 0.3), int(rng.uniform(8, 40)))
    smear = cv2.blur(smear, (int(r * 0.2) | 1, int(r * 0.2) | 1))
    face[:] = cv2.subtract(face, cv2.merge([smear, smear, smear]))


def _sprite(face: Picture, solid: Picture, side: int, r: float, light: float) -> Sprite:
    """Reduce the face, cut it out and lay its shadow under it, away from the light."""
    face, solid = (cv2.resize(fine, (side, side), interpolation=cv2.INTER_AREA) for fine in (face, solid))
    disc = np.zeros_like(solid)
    _disc(disc, _polar(light, -0.13 * r), r, 185)
    shade = cv2.GaussianBlur(disc, (0, 0), 0.07 * r)
    keep = cv2.multiply(255 - solid, 255 - shade, scale=1 / 255)
    return cv2.merge([keep] * 3), cv2.multiply(face, cv2.merge([solid] * 3), scale=1 / 255)


def _blend(picture: Picture, sprite: Sprite, x: int, y: int) -> None:
    """Lay `sprite` with its upper left corner at (x, y); what is outside of the picture is cut off."""
    keep, add = sprite
    (height, width), side = picture.shape[:2], len(keep)
    x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + side, width), min(y + side, height)
    if x0 >= x1 or y0 >= y1:
        return
    piece = np.s_[y0 - y : y1 - y, x0 - x : x1 - x]
    under = cv2.multiply(picture[y0:y1, x0:x1], keep[piece], scale=1 / 255)
    picture[y0:y1, x0:x1] = cv2.add(under, add[piece])


def _gain(s: BeltSettings) -> Picture:
    """Light that falls off to one side and into the corners, and its colour; 128 is 1.0; (H, W, 3)."""
    width, height = s.size_px
    y, x = np.mgrid[:height, :width] / np.array([height, width])[:, None, None] * 2 - 1
    towards = np.tensordot(_polar(np.deg2rad(s.light_angle_deg), 1 / 1.42), [x, y], 1)
    gain = s.light * (1 + s.light_gradient * (towards - 0.15)) * (1 - 0.09 * (x * x + y * y))
    colour = np.array([1 - 0.16 * s.warmth, 1.0, 1 + 0.12 * s.warmth])
    return _bytes(128 * gain[..., None] * colour)


def _grain(rng: np.random.Generator, width: int, height: int, sigma: float) -> Picture:
    """Sensor noise around 128, larger than the picture; the channels share most of it."""
    shape = (height + _GRAIN_SLACK, width + _GRAIN_SLACK)
    grain = rng.normal(128, 0.8 * sigma, (*shape, 1)) + rng.normal(0, 0.6 * sigma, (*shape, 3))
    return _bytes(np.round(grain))
