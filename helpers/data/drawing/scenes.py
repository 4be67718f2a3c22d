"""Scenes of one object on a table, 32 by 32 pixels, drawn many at once.

Wall and table with textures, clutter, a shadow, the object, something in front of it, light and noise. Only
sums, products, quotients, square roots and comparisons touch a pixel. IEEE 754 rounds these in one way, so
images are the same on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from helpers.data.drawing.draws import Draws
from helpers.data.drawing.objects import OBJECTS, Floats, Pen

SIZE = 32
PER_CLASS = 20
BLOCK = PER_CLASS * len(OBJECTS)
ONE = (BLOCK, 1, 1)

# How far objects of a class are turned (tangent of half the greatest angle), and how large they are.
TURNS = {"fork": 0.9, "book": 0.3}
SCALES = {"fork": 1.15, "bottle": 1.1, "lamp": 1.1, "ball": 0.9}

_PIXEL = np.float32(2 / SIZE)
_CENTERS = (np.arange(SIZE, dtype=np.float32) + np.float32(0.5)) * _PIXEL - np.float32(1)
X = np.ascontiguousarray(np.broadcast_to(_CENTERS, (1, SIZE, SIZE)))
Y = np.ascontiguousarray(np.broadcast_to(_CENTERS[:, None], (1, SIZE, SIZE)))


@dataclass(frozen=True)
class Pose:
    """Where objects stand: float32 arrays of shape (N, 1, 1); lengths in half images."""

    x: Floats
    y: Floats
    scale: Floats
    cosine: Floats
    sine: Floats
    lean: Floats
    stretch: Floats
    mirror: Floats

    def of(self, part: slice) -> Pose:
        """Return the poses of some of the images."""
        return Pose(**{name: value[part] for name, value in vars(self).items()})


def draw_block(draws: Draws) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Draw `BLOCK` scenes, equally many of each class, in random order.

    Parameters
    ----------
    draws : Draws
        Where everything random comes from: no two blocks share an object, a texture or a light.

    Returns
    -------
    images : ndarray, uint8, (BLOCK, 3, 32, 32)
    labels : ndarray, int64, (BLOCK,)
    """
    side, pose = draws.uniform(-1, 1, *ONE), _poses(draws)
    pens = _objects(draws, pose, side)
    cover, tone, mix = (
        np.concatenate([getattr(pen, name) for pen in pens]) for name in ("cover", "tone", "mix")
    )
    picture, brightness = _background(draws)
    for _ in range(3):
        _add_clutter(draws, picture)
    _add_shadow(draws, picture, pose, side)
    base = _contrast(draws, brightness)
    first, second = _color(draws, base), _color(draws, _contrast(draws, base))
    for channel in range(3):
        color = first[channel] + (second[channel] - first[channel]) * mix
        picture[channel] += (color * tone - picture[channel]) * cover
    _add_occluder(draws, picture, pose)
    _illuminate(draws, picture, side)
    strength = draws.uniform(0.01, 0.07, *ONE)
    for plane in picture:
        plane += strength * draws.noise(*plane.shape)
    images = np.stack([np.clip(plane, 0, 1) for plane in picture], axis=1)
    order = draws.order(BLOCK)
    labels = np.repeat(np.arange(len(OBJECTS)), PER_CLASS)
    return (images * np.float32(255) + np.float32(0.5)).astype(np.uint8)[order], labels[order]


def _poses(draws: Draws) -> Pose:
    """Return a pose for each image of a block; labels are in order."""
    names = list(OBJECTS)
    turn = np.repeat(np.array([TURNS.get(name, 0.13) for name in names], np.float32), PER_CLASS)
    scale = np.repeat(np.array([SCALES.get(name, 1.0) for name in names], np.float32), PER_CLASS)
    half = draws.uniform(-1, 1, *ONE) * turn[:, None, None]
    return Pose(
        x=draws.uniform(-0.2, 0.2, *ONE),
        y=draws.uniform(-0.16, 0.16, *ONE),
        scale=draws.uniform(0.5, 0.72, *ONE) * scale[:, None, None],
        cosine=(1 - half * half) / (1 + half * half),
        sine=2 * half / (1 + half * half),
        lean=draws.uniform(-0.15, 0.15, *ONE),
        stretch=draws.uniform(0.94, 1.06, *ONE),
        mirror=draws.signs(*ONE),
    )


def _objects(draws: Draws, pose: Pose, side: Floats) -> list[Pen]:
    """Draw the objects of a block; return the pen of each class."""
    pens = []
    for label, drawing in enumerate(OBJECTS.values()):
        part = slice(label * PER_CLASS, (label + 1) * PER_CLASS)
        here = pose.of(part)
        x, y = X - here.x, Y - here.y
        u = (x * here.cosine + y * here.sine) / (here.scale * here.stretch)
        v = (y * here.cosine - x * here.sine) / here.scale * here.stretch
        u = (u + here.lean * v) * here.mirror
        pen = Pen(u, v, _PIXEL / here.scale, side[part] * here.mirror, draws)
        drawing(pen)
        pens.append(pen)
    return pens


def _color(draws: Draws, brightness: Floats, spread: float = 0.22) -> list[Floats]:
    """Return red, green and blue, (N, 1, 1) each, of random colors with about this brightness."""
    return [brightness + draws.uniform(-spread, spread, *ONE) for _ in range(3)]


def _contrast(draws: Draws, brightness: Floats) -> Floats:
    """Return another brightness, (N, 1, 1): mostly lighter, where there is room for it."""
    step = draws.uniform(0.22, 0.5, *ONE) * (1 - 2 * draws.chance(0.2, *ONE))
    outside = (brightness + step < 0.05) | (brightness + step > 0.95)
    return np.where(outside, brightness - step, brightness + step)


def _cover(distance: Floats) -> Floats:
    """Return how much of each pixel lies inside a shape, given distances in half images."""
    cover: Floats = np.clip(np.float32(0.5) - distance / _PIXEL, 0, 1)
    return cover


def _mix_in(picture: list[Floats], color: list[Floats], cover: Floats) -> None:
    """Put a color over the pixels that a shape covers."""
    for plane, value in zip(picture, color, strict=True):
        plane += (value - plane) * cover


def _background(draws: Draws) -> tuple[list[Floats], Floats]:
    """Return red, green and blue of wall and table, (N, H, W) each, and their mean brightness, (N, 1, 1)."""
    wall, table = draws.uniform(0.15, 0.85, *ONE), draws.uniform(0.15, 0.85, *ONE)
    edge = draws.uniform(-0.6, 0.35, *ONE) + draws.uniform(-0.15, 0.15, *ONE) * X - Y
    below = _cover(edge)
    pattern = _pattern(draws)
    texture = _grain(draws)
    planes: list[Floats] = []
    for above, under in zip(_color(draws, wall, 0.12), _color(draws, table, 0.12), strict=True):
        planes.append(above + (under - above) * below + pattern + texture)
    return planes, (wall + table) * np.float32(0.5)


def _pattern(draws: Draws) -> Floats:
    """Return faint stripes or checks, (N, H, W)."""
    half = draws.uniform(-1, 1, *ONE)
    cosine, sine = (1 - half * half) / (1 + half * half), 2 * half / (1 + half * half)
    pitch = draws.uniform(1.5, 4.5, *ONE)
    waves = []
    for along in (X * cosine + Y * sine, Y * cosine - X * sine):
        phase = along * pitch + draws.uniform(0, 1, *ONE)
        waves.append(np.clip(np.abs(phase - np.floor(phase) - np.float32(0.5)) * 8 - 2, -1, 1))
    checks = draws.chance(0.5, *ONE)
    strength = draws.uniform(-0.05, 0.12, *ONE)
    pattern: Floats = np.maximum(strength, 0) * waves[0] * (1 + (waves[1] - 1) * checks)
    return pattern


def _grain(draws: Draws) -> Floats:
    """Return smooth random spots, finer and coarser ones, (N, H, W)."""
    coarse, fine = _spots(draws, 8), _spots(draws, 4)
    return draws.uniform(0.0, 0.16, *ONE) * coarse + draws.uniform(0.0, 0.12, *ONE) * fine


def _spots(draws: Draws, step: int) -> Floats:
    """Return random heights on a grid of this many pixels, linear in between, (N, H, W), -1 to 1."""
    cells = SIZE // step
    heights = draws.noise(BLOCK, cells + 1, cells + 1)
    rows = np.empty((BLOCK, SIZE, cells + 1), np.float32)
    spots = np.empty((BLOCK, SIZE, SIZE), np.float32)
    for offset in range(step):
        part = np.float32(offset / step)
        rows[:, offset::step] = heights[:, :-1] + (heights[:, 1:] - heights[:, :-1]) * part
    for offset in range(step):
        part = np.float32(offset / step)
        spots[:, :, offset::step] = rows[:, :, :-1] + (rows[:, :, 1:] - rows[:, :, :-1]) * part
    return spots


def _add_clutter(draws: Draws, picture: list[Floats]) -> None:
    """Put a small disc, block, ring or stick somewhere behind the object, into most images."""
    half = draws.uniform(-1, 1, *ONE)
    cosine, sine = (1 - half * half) / (1 + half * half), 2 * half / (1 + half * half)
    x, y = X - draws.uniform(-1, 1, *ONE), Y - draws.uniform(-1, 1, *ONE)
    u, v = np.abs(x * cosine + y * sine), np.abs(y * cosine - x * sine)
    size = draws.uniform(0.1, 0.3, *ONE)
    narrow = draws.uniform(0.25, 1.0, *ONE)
    v /= narrow
    round_one = np.sqrt(u * u + v * v) - size
    round_one = np.maximum(round_one, draws.chance(0.4, *ONE) * (size * 0.6) - size - round_one)
    distance = np.where(draws.chance(0.5, *ONE) > 0, round_one, np.maximum(u, v) - size) * narrow
    cover = _cover(distance) * draws.chance(0.75, *ONE)
    _mix_in(picture, _color(draws, draws.uniform(0.1, 0.9, *ONE)), cover)


def _add_shadow(draws: Draws, picture: list[Floats], pose: Pose, side: Floats) -> None:
    """Darken the table under the object, on the side away from the light."""
    x = (X - pose.x + side * 0.3 * pose.scale) / (pose.scale * draws.uniform(0.7, 1.1, *ONE))
    y = (Y - pose.y - pose.scale * 0.75) / (pose.scale * draws.uniform(0.2, 0.4, *ONE))
    dark = np.clip(np.float32(1.4) - (x * x + y * y), 0, 1) * draws.uniform(0.1, 0.6, *ONE)
    for plane in picture:
        plane *= 1 - dark


def _add_occluder(draws: Draws, picture: list[Floats], pose: Pose) -> None:
    """Put a bar or a disc before a part of some objects."""
    half = draws.uniform(-1, 1, *ONE)
    cosine, sine = (1 - half * half) / (1 + half * half), 2 * half / (1 + half * half)
    away = draws.uniform(0.45, 0.95, *ONE) * pose.scale * draws.signs(*ONE)
    x, y = X - pose.x, Y - pose.y
    along, across = x * cosine + y * sine - away, y * cosine - x * sine
    bar = np.abs(along) - draws.uniform(0.05, 0.12, *ONE)
    disc = np.sqrt(along * along + across * across) - draws.uniform(0.15, 0.32, *ONE)
    distance = np.where(draws.chance(0.5, *ONE) > 0, bar, disc)
    _mix_in(picture, _color(draws, draws.uniform(0.1, 0.9, *ONE)), _cover(distance) * draws.chance(0.4, *ONE))


def _illuminate(draws: Draws, picture: list[Floats], side: Floats) -> None:
    """Let light fall in from a side, in a tint, sometimes past an edge that shades a part of the scene."""
    slope = draws.uniform(0.0, 0.4, *ONE)
    light = draws.uniform(0.65, 1.2, *ONE) * (1 + slope * (side * X - draws.uniform(-1, 1, *ONE) * Y))
    edge = X * draws.uniform(-1, 1, *ONE) + Y * draws.uniform(-1, 1, *ONE) + draws.uniform(-0.6, 0.6, *ONE)
    light *= 1 - np.clip(edge * 4, 0, 1) * draws.uniform(0.2, 0.55, *ONE) * draws.chance(0.35, *ONE)
    for plane in picture:
        plane *= light * draws.uniform(0.88, 1.12, *ONE)
