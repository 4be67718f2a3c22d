"""Drawings of the ten table-top objects, each for many images at once.

An object is drawn in its own coordinates: about -1 to 1 both ways, u to the right, v downwards. Arrays of
pixels are float32 of shape (N, H, W), parameters float32 of shape (N, 1, 1), one per image.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from helpers.data.drawing.draws import Draws

Floats = NDArray[np.floating[Any]]
Number = Floats | np.floating[Any] | float


class Pen:
    """Paints one object per image, layer upon layer.

    Parameters
    ----------
    u, v : ndarray, float32, (N, H, W)
        Where each pixel lies in the coordinates of the object.
    pixel : ndarray, float32, (N, 1, 1)
        The width of a pixel in these coordinates.
    light : ndarray, float32, (N, 1, 1)
        From which side the light comes: -1 is left, 1 is right.
    draws : Draws
        Where random proportions come from.

    Attributes
    ----------
    cover : ndarray, float32, (N, H, W)
        How much of a pixel the object covers, 0 to 1.
    tone : ndarray, float32, (N, H, W)
        How bright the object is there, as a factor of its color.
    mix : ndarray, float32, (N, H, W)
        How much of its second color shows there, 0 to 1.
    """

    def __init__(self, u: Floats, v: Floats, pixel: Floats, light: Floats, draws: Draws) -> None:
        self.u, self.v, self.light = u, v, light
        self.cover, self.tone, self.mix = np.zeros_like(u), np.ones_like(u), np.zeros_like(u)
        self._pixel = pixel
        self._draws = draws
        self.tilt = self.between(0.18, 0.4)

    def between(self, low: float, high: float) -> Floats:
        """Return a random proportion per image, (N, 1, 1)."""
        return self._draws.uniform(low, high, len(self.u), 1, 1)

    def paint(self, distance: Floats, tone: Number = 1.0, mix: Number = 0.0) -> None:
        """Paint what lies inside a shape.

        Parameters
        ----------
        distance : ndarray, float32, (N, H, W)
            About how far a pixel lies outside the shape; negative inside.
        tone, mix : ndarray or float
            What `tone` and `mix` become there.
        """
        inside = np.clip(0.5 - distance / self._pixel, 0, 1)
        np.maximum(self.cover, inside, out=self.cover)
        self.tone += (tone - self.tone) * inside
        self.mix += (mix - self.mix) * inside

    def band(self, distance: Floats, mix: Number = 1.0) -> None:
        """Print a pattern in the second color on what is painted, without changing its brightness."""
        inside = np.clip(0.5 - distance / self._pixel, 0, 1)
        self.mix += (mix - self.mix) * inside

    def round_shade(self, half_width: Floats) -> Floats:
        """Return the brightness of an upright cylinder of this half width, (N, H, W)."""
        across = np.clip(self.u / half_width, -1, 1)
        shade: Floats = 1.08 - 0.3 * (across - self.light) * (across - self.light)
        return shade

    def ellipse(self, across: Number, down: Number, x: Number = 0, y: Number = 0) -> Floats:
        """Return the distance from an ellipse of these half axes around (x, y)."""
        a, b = (self.u - x) / across, (self.v - y) / down
        shorter = np.minimum(np.float32(1) * across, np.float32(1) * down)
        distance: Floats = (np.sqrt(a * a + b * b) - np.float32(1)) * shorter
        return distance

    def rectangle(self, across: Number, down: Number, x: Number = 0, y: Number = 0) -> Floats:
        """Return the distance from an upright rectangle of these half sides around (x, y)."""
        distance: Floats = np.maximum(np.abs(self.u - x) - across, np.abs(self.v - y) - down)
        return distance

    def cylinder(self, across: Floats, top: Number, bottom: Number, flat: Floats) -> Floats:
        """Return the distance from an upright cylinder whose ends are ellipses of half height `flat`."""
        middle = self.rectangle(across, (bottom - top) / 2, 0, (bottom + top) / 2)
        ends = np.minimum(self.ellipse(across, flat, 0, top), self.ellipse(across, flat, 0, bottom))
        distance: Floats = np.minimum(middle, ends)
        return distance


def mug(pen: Pen) -> None:
    """Draw a cup with a handle at its side, seen a little from above."""
    across, height = pen.between(0.46, 0.6), pen.between(0.45, 0.62)
    flat = across * pen.tilt
    reach = pen.between(0.27, 0.36)
    handle = np.abs(pen.ellipse(reach, reach * pen.between(1.0, 1.3), across + 0.05, 0.05)) - np.float32(
        0.085
    )
    pen.paint(handle, 0.85)
    pen.paint(pen.cylinder(across, -height, height, flat), pen.round_shade(across))
    print_here = np.maximum(np.abs(pen.v - pen.between(-0.1, 0.4)) - pen.between(0.0, 0.2), pen.u - across)
    pen.band(np.maximum(print_here, -across - pen.u))
    pen.paint(pen.ellipse(across, flat, 0, -height), 1.15)
    pen.paint(pen.ellipse(across * 0.82, flat * 0.75, 0, -height), pen.between(0.35, 0.6))


def bowl(pen: Pen) -> None:
    """Draw a wide, round bowl that is open to the top."""
    across, deep = pen.between(0.8, 0.98), pen.between(0.62, 0.85)
    rim = -0.35
    flat = across * pen.tilt
    pen.paint(pen.rectangle(across * 0.4, 0.1, 0, rim + deep), 0.7)
    body = np.maximum(pen.ellipse(across, deep, 0, rim), rim - pen.v)
    pen.paint(body, pen.round_shade(across))
    pen.band(np.abs(pen.v - pen.between(-0.05, 0.3)) - pen.between(-0.05, 0.1))
    pen.paint(pen.ellipse(across, flat, 0, rim), 1.2)
    pen.paint(pen.ellipse(across * 0.87, flat * 0.78, 0, rim), pen.between(0.4, 0.65))


def bottle(pen: Pen) -> None:
    """Draw a tall bottle with a shoulder, a neck, a cap and a label."""
    across, neck = pen.between(0.28, 0.38), pen.between(0.1, 0.14)
    shoulder = pen.between(-0.3, 0.0)
    shade = pen.round_shade(across)
    pen.paint(pen.cylinder(neck, -0.95, shoulder, neck * pen.tilt), pen.round_shade(neck))
    slope = np.clip((pen.v - shoulder + 0.25) * 4, 0, 1)
    width = neck + (across - neck) * slope * (2 - slope)
    body = np.maximum(np.abs(pen.u) - width, np.maximum(shoulder - 0.25 - pen.v, pen.v - 0.95))
    pen.paint(np.minimum(body, pen.ellipse(across, across * pen.tilt, 0, 0.95)), shade)
    label = pen.rectangle(across * 0.98, pen.between(0.12, 0.26), 0, pen.between(0.35, 0.5))
    pen.paint(label, shade * 1.05, 1)
    pen.paint(pen.rectangle(neck * 1.25, 0.1, 0, -0.92), 1.0, 1)


def can(pen: Pen) -> None:
    """Draw a closed can: a cylinder with a bright lid and a printed band."""
    across, height = pen.between(0.4, 0.52), pen.between(0.6, 0.78)
    flat = across * pen.tilt
    shade = pen.round_shade(across)
    pen.paint(pen.cylinder(across, -height, height, flat), shade)
    middle, half = pen.between(-0.05, 0.2), pen.between(0.2, 0.42)
    curve = pen.v - middle - flat * (1 - (pen.u / across) * (pen.u / across))
    printed = np.maximum(np.abs(curve) - half, np.abs(pen.u) - across)
    pen.paint(printed, shade, 1)
    pen.paint(pen.ellipse(across, flat, 0, -height), 0.7)
    pen.paint(pen.ellipse(across * 0.86, flat * 0.8, 0, -height), 1.3)
    pen.paint(pen.ellipse(across * 0.25, flat * 0.25, across * 0.2, -height), 0.6)


def book(pen: Pen) -> None:
    """Draw an open book: two pages with lines of text, and the rim of the cover."""
    across, down = pen.between(0.8, 0.98), pen.between(0.5, 0.68)
    side = np.abs(pen.u)
    sag = pen.v + pen.between(0.1, 0.35) * side * (side / across - 0.3)
    pen.paint(np.maximum(side - across - 0.06, np.abs(sag - 0.06) - down - 0.06), 0.75, 1)
    shade = 0.85 + 0.3 * np.minimum(side * 2.5, 1) + 0.1 * pen.light * np.sign(pen.u)
    pen.paint(np.maximum(side - across, np.abs(sag) - down), shade)
    rows = pen.between(2.2, 3.0)
    row = sag * rows
    lines = (np.abs(row - np.floor(row) - 0.5) - 0.18) / rows
    text = np.maximum(np.abs(side - across * 0.53) - across * 0.36, np.abs(sag) - down * 0.78)
    pen.paint(np.maximum(lines, text), pen.between(0.5, 0.7))
    pen.paint(np.maximum(side - 0.035, np.abs(sag) - down), 0.35)


def ball(pen: Pen) -> None:
    """Draw a ball with a curved stripe and a highlight."""
    radius = pen.between(0.62, 0.8)
    shape = pen.ellipse(radius, radius)
    a, b = pen.u / radius - pen.light * 0.45, pen.v / radius + 0.5
    shade = 1.3 - 0.36 * (a * a + b * b)
    pen.paint(shape, shade)
    bend = pen.v - pen.between(-0.3, 0.3) - pen.between(-0.6, 0.6) * pen.u * pen.u
    pen.band(np.maximum(np.abs(bend) - pen.between(0.02, 0.2), shape))
    pen.paint(pen.ellipse(0.13, 0.1, pen.light * radius * 0.45, -radius * 0.5), 1.7)


def box(pen: Pen) -> None:
    """Draw a parcel of which front, top and one side can be seen."""
    across, down = pen.between(0.42, 0.6), pen.between(0.4, 0.6)
    aside, up = pen.between(0.25, 0.4), pen.between(0.22, 0.38)
    u, v = pen.u + aside / 2, pen.v - up / 2
    depth = (-down - v) / up
    top = np.maximum(np.abs(u - depth * aside) - across, np.abs(depth - 0.5) * up - up / 2)
    depth_aside = (u - across) / aside
    flank = np.maximum(np.abs(v + depth_aside * up) - down, np.abs(depth_aside - 0.5) * aside - aside / 2)
    pen.paint(top, 1.25)
    pen.paint(flank, 0.62 + 0.15 * pen.light)
    pen.paint(np.maximum(np.abs(u) - across, np.abs(v) - down), 0.95 - 0.1 * pen.light)
    tape = pen.between(-0.05, 0.1)
    pen.band(np.maximum(np.abs(u) - tape, np.abs(v) - down))
    pen.band(np.maximum(np.abs(u - depth * aside) - tape, np.abs(depth - 0.5) * up - up / 2))


def fork(pen: Pen) -> None:
    """Draw a fork with three prongs."""
    half = pen.between(0.3, 0.38)
    neck = pen.between(-0.25, -0.05)
    shade = 1.0 + 0.2 * pen.light * np.sign(pen.u)
    handle = pen.rectangle(np.clip(0.085 + (pen.v - 0.3) * 0.07, 0.07, 0.13), 0.62, 0, 0.38)
    pen.paint(handle, shade)
    pen.band(pen.rectangle(0.2, 0.3, 0, pen.between(0.75, 1.3)))
    root = np.maximum(pen.ellipse(half + 0.09, 0.32, 0, neck - 0.2), neck - 0.2 - pen.v)
    pen.paint(root, shade)
    aside = np.abs(np.abs(pen.u) - half * 0.5) - half * 0.5
    prongs = np.maximum(np.abs(aside) - 0.085, np.abs(pen.v - (neck - 0.55)) - 0.38)
    pen.paint(prongs, shade)


def plate(pen: Pen) -> None:
    """Draw a flat plate with a rim, seen from above at an angle."""
    across = pen.between(0.82, 1.0)
    down = across * pen.between(0.38, 0.7)
    inner = pen.between(0.56, 0.7)
    shade = 1.05 + 0.12 * pen.light * pen.u
    pen.paint(pen.ellipse(across, down, 0, 0.06), 0.6)
    pen.paint(pen.ellipse(across, down), shade)
    pen.band(np.abs(pen.ellipse(across * 0.87, down * 0.87)) - pen.between(-0.06, 0.06))
    pen.paint(pen.ellipse(across * inner, down * inner), 0.68)
    pen.paint(pen.ellipse(across * inner * 0.92, down * inner * 0.9, 0, down * 0.05), shade * 0.95)


def lamp(pen: Pen) -> None:
    """Draw a table lamp: a shade, a thin stem and a round foot."""
    top, bottom = pen.between(0.22, 0.36), pen.between(0.55, 0.72)
    hem = pen.between(-0.25, -0.05)
    pen.paint(pen.ellipse(pen.between(0.34, 0.46), 0.13, 0, 0.85), 0.85, 1)
    pen.paint(pen.rectangle(0.07, 0.5, 0, 0.4), 1.0, 1)
    along = (pen.v + 0.95) / (hem + 0.95)
    width = top + (bottom - top) * along
    shade = pen.round_shade(width) * (0.95 + 0.3 * np.clip(along, 0, 1))
    pen.paint(np.maximum(np.abs(pen.u) - width, np.abs(along - 0.5) * 0.85 - 0.425), shade)
    pen.band(np.maximum(np.abs(pen.u) - width, np.abs(pen.v - hem) - pen.between(-0.05, 0.1)))


OBJECTS: dict[str, Callable[[Pen], None]] = {
    drawing.__name__: drawing for drawing in (mug, bowl, bottle, can, book, ball, box, fork, plate, lamp)
}
"""The drawing of each class, in the order of the labels."""
