"""A simulated event camera that moves before an image.

The camera's view moves by (dx, dy)(s) over the times s in (0, 1], along N-MNIST's three saccades: down one
side of a triangle, up the other and back along its base. Between pixels the image is interpolated:

    I_s(y, x) = image(y + dy(s), x + dx(s))            brightness, 0 to 1, bilinear
    L_s       = log(I_s + DARK)                        what a pixel of an event camera senses
    n_s       = truncate((L_s - M) / THRESHOLD)        events since the last step: ON where n > 0, else OFF
    M        <- M + THRESHOLD * n_s                    each event moves the pixel's memory M by one threshold

M begins as L_0. There is no noise: the same image always gives the same events. Frame f counts the events of
the steps from f / F to (f + 1) / F.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

REACH = 2
"""Pixels to either side that the view moves; the sensor has as many more on every side than the image."""
TRAVEL = 2 * REACH + 1
"""By how many pixels the image with its surroundings is wider than the sensor; one serves interpolation."""
MARGIN = (2 * REACH, 2 * REACH + 1)
"""Black pixels around the image, as far as any view reaches."""
CORNERS = ((-1.0, -1.0), (0.0, 1.0), (1.0, -1.0), (-1.0, -1.0))
"""(dx, dy) over REACH at the ends of the saccades."""
DARK = 0.1
THRESHOLD = 0.4
LEAST_STEPS = 30
"""Of a whole run, so that a pixel moves less than half of one in a step."""

Float = NDArray[np.float32]


def sensor_side(side: int) -> int:
    """The side of the sensor that sees images of that side."""
    return side + 2 * REACH


def film(x_NHW: Float, frames: int) -> NDArray[np.uint8]:
    """What the moving camera takes of images (0 to 1): counts [N, F, 2, H + 4, W + 4]; channel 1 is ON."""
    wide_NHW = np.pad(x_NHW, ((0, 0), *(MARGIN,) * 2))
    each = math.ceil(LEAST_STEPS / frames)
    memory = _sensed(wide_NHW, position(0.0))
    # A pixel fires at most 2.4 / THRESHOLD = 6 times in a step, of which a frame has at most 30: bytes do.
    counts = np.zeros((len(x_NHW), frames, 2, *memory.shape[1:]), dtype=np.uint8)
    for step in range(each * frames):
        change = _sensed(wide_NHW, position((step + 1) / (each * frames))) - memory
        fired = np.trunc(change * np.float32(1 / THRESHOLD))
        memory += np.float32(THRESHOLD) * fired
        counts[:, step // each, 0] += np.maximum(-fired, 0).astype(np.uint8)
        counts[:, step // each, 1] += np.maximum(fired, 0).astype(np.uint8)
    return counts


def position(s: float) -> tuple[float, float]:
    """(dx, dy) in pixels at the time s, 0 to 1."""
    saccades = len(CORNERS) - 1
    number = min(int(s * saccades), saccades - 1)
    share = s * saccades - number
    (x0, y0), (x1, y1) = CORNERS[number], CORNERS[number + 1]
    return REACH * (x0 + share * (x1 - x0)), REACH * (y0 + share * (y1 - y0))


def _sensed(wide_NHW: Float, place: tuple[float, float]) -> Float:
    """L_s of the view at that place."""
    dx, dy = place
    column, row = math.floor(dx), math.floor(dy)
    below, right = np.float32(dy - row), np.float32(dx - column)
    rows = _between(_view(wide_NHW, row, 1), _view(wide_NHW, row + 1, 1), below)
    brightness = _between(_view(rows, column, 2), _view(rows, column + 1, 2), right)
    sensed: Float = np.log(brightness + np.float32(DARK))
    return sensed


def _view(wide: Float, moved: int, axis: int) -> Float:
    """What the sensor sees along one axis when it is moved by whole pixels, -REACH to REACH + 1."""
    start = moved + REACH
    seen = slice(start, start + wide.shape[axis] - TRAVEL)
    return wide[:, seen] if axis == 1 else wide[:, :, seen]


def _between(first: Float, second: Float, share: np.float32) -> Float:
    """The point between them at that share of the way, linearly; exactly them where they are the same."""
    return first + share * (second - first)
