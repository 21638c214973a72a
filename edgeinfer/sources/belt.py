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


@dataclass(frozen=True)
class _Sprite:
    """A flange and its shadow: the picture becomes picture * keep / 255 + add. Both (side, side, 3) uint8."""

    keep: Picture
    add: Picture


class Belt:
    """The belt of one `BeltSettings`; calls may come in any order of time."""

    def __init__(self, settings: BeltSettings | None = None) -> None:
        self.settings = s = settings or BeltSettings()
        width, height = s.size_px
        self.radius_px = RADIUS * height
        self._side = 2 * round(1.35 * self.radius_px)
        self._spacing_px = s.speed_px_s * 60.0 / s.parts_per_minute
        self._light = np.deg2rad(s.light_angle_deg)
        rng = np.random.default_rng([s.seed, 1])
        self._tile = _rubber(rng, width, height, round(12 * self.radius_px))
        self._rails = _rails(rng, width, round(RAIL * height))
        self._face = _turned_face(rng, round(self.radius_px * FINE), self._side * FINE, float(self._light))
        self._gain = _gain(s)
        self._grain = _grain(rng, width, height, s.noise)
        # Far more than fit into one picture; drawn once, a part costs a copy a frame.
        self._sprite = lru_cache(maxsize=48)(self._draw)

    def render(self, t_s: float) -> Picture:
        """The picture at `t_s` seconds: (H, W, 3) uint8, BGR."""
        s = self.settings
        width, height = s.size_px
        start = -self._travel_px(t_s) % (self._tile.shape[1] - width)
        picture = self._tile[:, start : start + width].copy()
        for number, x, y in self._placed(t_s):
            _blend(picture, self._sprite(number), x - self._side // 2, y - self._side // 2)
        rail = self._rails.shape[0]
        picture[:rail], picture[height - rail :] = self._rails, self._rails[::-1]
        picture = cv2.multiply(picture, self._gain, scale=1 / 128)
        return self._noisy(_blurred(picture, s.blur_px, s.speed_px_s * s.exposure_s), t_s)

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

    def _travel_px(self, t_s: float) -> int:
        return round(self.settings.speed_px_s * t_s)

    def _placed(self, t_s: float) -> list[tuple[int, int, int]]:
        """Number and centre in pixels of the parts in and around the picture; later ones lie on top."""
        travel, reach = self._travel_px(t_s), self._side + self._spacing_px
        first = int((travel - self.settings.size_px[0] - reach) // self._spacing_px)
        last = int((travel + reach) // self._spacing_px)
        places = ((number, *self._place(number)) for number in range(first, last + 1))
        return [(number, travel + x, y) for number, x, y in places]

    def _place(self, number: int) -> tuple[int, int]:
        """Where part `number` lies on the belt: x relative to the belt's zero, y in the picture, in pixels."""
        s, rng = self.settings, self._rng(number, 2)
        height, diameter = s.size_px[1], 2 * self.radius_px
        # Only an odd part may lie on the (even) one ahead: one step back tells, and piles do not grow.
        if rng.random() < 2 * s.overlap and number % 2:
            ahead_x, ahead_y = self._place(number - 1)
            down = ahead_y < height / 2
            angle, reach = rng.uniform(0.3, 1.2), diameter * rng.uniform(0.72, 0.95)
            dy = reach * np.sin(angle) * (1 if down else -1)
            return round(ahead_x - reach * np.cos(angle)), round(ahead_y + dy)
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
        box = (x - r) / width, (y - r) / height, (x + r) / width, (y + r) / height
        return Part(
            number=number,
            label=self.label(number),
            centre=(x / width, y / height),
            box=(max(box[0], 0.0), max(box[1], 0.0), min(box[2], 1.0), min(box[3], 1.0)),
            visible=float(seen.mean()),
            inside=float(inside.mean()),
        )

    def _draw(self, number: int) -> _Sprite:
        rng, label = self._rng(number, 3), self.label(number)
        side, r = self._side, self.radius_px * FINE
        face, solid = self._face.copy(), np.zeros(self._face.shape[:2], np.uint8)
        _circle(solid, 0.0, 0.0, r, 255)
        turn = rng.uniform(0, 2 * np.pi)
        _stain(rng, face, r)
        if label == SCRATCHED:
            _scratch(rng, face, r)
        bolts = range(3 if label == HOLE_MISSING else 4)
        places = [(turn + k * np.pi / 2, BOLT_CIRCLE * r, HOLE * r) for k in bolts]
        for angle, distance, radius in [*places, (0.0, 0.0, BORE * r)]:
            _hole(face, solid, (distance * np.cos(angle), distance * np.sin(angle)), radius, float(self._light))
        face = cv2.convertScaleAbs(face, alpha=1 + self.settings.pose * rng.uniform(-0.14, 0.1))
        return _sprite(_reduced(face, side), _reduced(solid, side), self.radius_px, float(self._light))

    def _noisy(self, picture: Picture, t_s: float) -> Picture:
        if self.settings.noise <= 0:
            return picture
        height, width = picture.shape[:2]
        dx, dy = self._rng(round(t_s * 1000), 4).integers(0, _GRAIN_SLACK, 2)
        grain = self._grain[dy : dy + height, dx : dx + width]
        return np.asarray(cv2.addWeighted(picture, 1.0, grain, 1.0, -128.0), np.uint8)


_GRAIN_SLACK = 96  # px by which the noise is larger than the picture: each moment cuts its own piece
_AXIS = np.linspace(-1, 1, 41)
_DISC = np.array([(x, y) for y in _AXIS for x in _AXIS if x * x + y * y <= 1]).T  # points of a unit disc, (2, n)


def _rubber(rng: np.random.Generator, width: int, height: int, period: int) -> Picture:
    """The belt: dark woven rubber with stains, repeated after `period`; (height, period + width, 3)."""
    fine = rng.normal(0, 5, (height, period))
    weave = 7.0 * ((np.add.outer(np.arange(height), np.arange(period)) // 3 % 2) - 0.5)
    cloud = cv2.resize(rng.normal(0, 4, (height // 24, period // 24)), (period, height), interpolation=cv2.INTER_CUBIC)
    rubber = 66 + fine + weave + cloud
    for _ in range(7):
        _wear(rng, rubber)
    rubber[:, :3] -= 26  # the seam
    rubber[:, 3:5] += 14
    edge = np.minimum(np.arange(height), np.arange(height)[::-1]) / height - RAIL
    rubber *= np.clip(0.55 + 9 * edge, 0.4, 1.0)[:, None]  # the rails' shadow
    bgr = np.clip(rubber[..., None] * np.array([0.86, 1.0, 0.74]), 0, 255).astype(np.uint8)
    return np.concatenate([bgr, np.tile(bgr, (1, -(-width // period), 1))[:, :width]], axis=1)


def _wear(rng: np.random.Generator, rubber: NDArray[np.float64]) -> None:
    """An old mark on the belt: something bright or dark that is no part."""
    height, period = rubber.shape
    mark = np.zeros((height, period), np.uint8)
    x, y, size = rng.integers(20, period - 20), rng.integers(0, height), height * rng.uniform(0.02, 0.09)
    cv2.ellipse(mark, (int(x), int(y)), (int(size), int(size * rng.uniform(0.1, 0.8))), rng.uniform(0, 180), 0, 360, 255, -1)
    rubber += cv2.GaussianBlur(mark, (0, 0), 1 + size * 0.15) / 255.0 * rng.uniform(-30, 24)


def _rails(rng: np.random.Generator, width: int, rail: int) -> Picture:
    """The upper rail: brushed aluminium; (rail, width, 3)."""
    profile = np.interp(np.linspace(0, 1, rail), [0, 0.55, 0.6, 0.9, 1], [120, 165, 95, 190, 50])
    brushed = cv2.blur(rng.normal(0, 14, (rail, width)), (41, 1))
    metal = np.clip(profile[:, None] + 2 * brushed, 0, 255)
    return (metal[..., None] * np.array([1.0, 0.98, 0.95])).astype(np.uint8)


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
    return np.clip(steel[..., None] * np.array([1.03, 1.0, 0.97]), 0, 255).astype(np.uint8)


def _circle(canvas: Picture, x: float, y: float, r: float, colour: int | tuple[int, int, int], line: int = -1) -> None:
    """A smooth circle around (x, y) from the canvas' middle, all in its pixels."""
    middle, one = (canvas.shape[0] - 1) / 2, 1 << SHIFT
    at = (round((middle + x) * one), round((middle + y) * one))
    cv2.circle(canvas, at, round(r * one), colour, line, cv2.LINE_AA, SHIFT)


def _hole(face: Picture, solid: Picture, at: tuple[float, float], r: float, light: float) -> None:
    """Drill through: a dark wall on the light's side, belt in shade on the other, a bright bevel around."""
    x, y = at
    _circle(face, x, y, 1.2 * r, (205, 205, 200))
    _circle(face, x + 0.06 * r * np.cos(light), y + 0.06 * r * np.sin(light), 1.14 * r, (112, 112, 110))
    _circle(face, x, y, r, (24, 22, 22))
    _circle(solid, x - 0.2 * r * np.cos(light), y - 0.2 * r * np.sin(light), 0.78 * r, 110)


def _scratch(rng: np.random.Generator, face: Picture, r: float) -> None:
    """A groove across the face, somewhere between bore and rim: a bright edge beside a dark one."""
    middle = (face.shape[0] - 1) / 2
    angle, lean = rng.uniform(0, 2 * np.pi), rng.uniform(-1.0, 1.0)
    along = np.linspace(-0.5, 0.5, 7)[:, None] * rng.uniform(0.75, 1.2) * r
    centre = rng.uniform(0.45, 0.66) * r * np.array([np.cos(angle), np.sin(angle)])
    tangent = np.array([-np.sin(angle + lean), np.cos(angle + lean)])
    bend = rng.uniform(-0.12, 0.12) * r * np.cos(np.linspace(-np.pi / 2, np.pi / 2, 7))[:, None]
    line = middle + centre + along * tangent + bend * tangent[::-1] * (-1, 1) + rng.normal(0, 0.012 * r, (7, 2))
    width = max(1, round(r * rng.uniform(0.035, 0.055)))
    dark, bright = int(rng.uniform(25, 60)), int(rng.uniform(225, 255))
    for offset, level in ((0.0, dark), (0.8 * width, bright)):
        points = np.round((line + offset * tangent[::-1] * (-1, 1)) * (1 << SHIFT)).astype(np.int32)
        cv2.polylines(face, [points], False, (level, level, level), width, cv2.LINE_AA, SHIFT)


def _stain(rng: np.random.Generator, face: Picture, r: float) -> None:
    """A faint smear of oil: what a good part may have too."""
    smear = np.zeros(face.shape[:2], np.uint8)
    angle, distance = rng.uniform(0, 2 * np.pi), rng.uniform(0.2, 0.8) * r
    _circle(smear, distance * np.cos(angle), distance * np.sin(angle), r * rng.uniform(0.1, 0.3), int(rng.uniform(8, 40)))
    smear = cv2.blur(smear, (int(r * 0.2) | 1, int(r * 0.2) | 1))
    face[:] = cv2.subtract(face, cv2.merge([smear, smear, smear]))


def _reduced(fine: Picture, side: int) -> Picture:
    return np.asarray(cv2.resize(fine, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def _sprite(face: Picture, solid: Picture, r: float, light: float) -> _Sprite:
    """Cut the face out and lay its shadow under it, away from the light."""
    disc = np.zeros_like(solid)
    _circle(disc, -0.13 * r * np.cos(light), -0.13 * r * np.sin(light), r, 185)
    shade = cv2.GaussianBlur(disc, (0, 0), 0.07 * r)
    keep = cv2.multiply(255 - solid, 255 - shade, scale=1 / 255)
    return _Sprite(cv2.merge([keep] * 3), cv2.multiply(face, cv2.merge([solid] * 3), scale=1 / 255))


def _blend(picture: Picture, sprite: _Sprite, x: int, y: int) -> None:
    """Lay `sprite` with its upper left corner at (x, y); what is outside of the picture is cut off."""
    height, width = picture.shape[:2]
    side = sprite.keep.shape[0]
    x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + side, width), min(y + side, height)
    if x0 >= x1 or y0 >= y1:
        return
    piece = np.s_[y0 - y : y1 - y, x0 - x : x1 - x]
    under = cv2.multiply(picture[y0:y1, x0:x1], sprite.keep[piece], scale=1 / 255)
    picture[y0:y1, x0:x1] = cv2.add(under, sprite.add[piece])


def _gain(s: BeltSettings) -> Picture:
    """Light that falls off to one side and into the corners, and its colour; 128 is 1.0; (H, W, 3)."""
    width, height = s.size_px
    y, x = np.mgrid[:height, :width] / np.array([height, width])[:, None, None] * 2 - 1
    angle = np.deg2rad(s.light_angle_deg)
    towards = (x * np.cos(angle) + y * np.sin(angle)) / 1.42
    gain = s.light * (1 + s.light_gradient * (towards - 0.4)) * (1 - 0.09 * (x * x + y * y))
    colour = np.array([1 - 0.16 * s.warmth, 1.0, 1 + 0.12 * s.warmth])
    return np.clip(128 * gain[..., None] * colour, 0, 255).astype(np.uint8)


def _grain(rng: np.random.Generator, width: int, height: int, sigma: float) -> Picture:
    """Sensor noise around 128, larger than the picture; the channels share most of it."""
    shape = (height + _GRAIN_SLACK, width + _GRAIN_SLACK)
    grain = rng.normal(128, 0.8 * sigma, (*shape, 1)) + rng.normal(0, 0.6 * sigma, (*shape, 3))
    return np.clip(np.round(grain), 0, 255).astype(np.uint8)


def _blurred(picture: Picture, lens_px: float, motion_px: float) -> Picture:
    if motion_px >= 1.5:
        picture = cv2.blur(picture, (round(motion_px), 1))
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), lens_px) if lens_px >= 0.3 else picture, np.uint8)
