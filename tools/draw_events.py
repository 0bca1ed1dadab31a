"""Draw what the simulated event camera makes of a few images.

    python tools/draw_events.py digits docs/images/event-digits.png

Each row is one image and then its frames from left to right; red pixels are ON (brighter), blue ones OFF.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from workers.data.digits import Digits
from workers.data.events.camera import REACH, film
from workers.data.fashion_mnist import fashion_mnist

ZOOM, GAP, GREATEST = 3, 1, 4
"""Pixels of the picture per pixel, pixels between frames, and the count that is drawn in full colour."""
SOURCES = {"digits": Digits, "fashion-mnist": lambda: fashion_mnist(Path("data"))}


def main() -> None:
    """Read the command line and write the picture."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("dataset", choices=list(SOURCES))
    options.add_argument("picture", type=Path)
    options.add_argument("--images", type=int, default=4)
    options.add_argument("--frames", type=int, default=10)
    chosen = options.parse_args()
    images = SOURCES[chosen.dataset]().load().labelled.x_NCHW[: chosen.images, 0]
    x_NHW = images / np.float32(255) if images.dtype == np.uint8 else images
    rows = np.concatenate([row(image, chosen.frames) for image in x_NHW])
    Image.fromarray(rows.repeat(ZOOM, axis=0).repeat(ZOOM, axis=1)).save(chosen.picture, optimize=True)


def row(image: np.ndarray, frames: int) -> np.ndarray:
    """The image and its frames side by side, bytes [H, W, 3]."""
    grey = np.pad(1 - image, REACH, constant_values=1)
    tiles = [grey[..., None].repeat(3, axis=-1), *(coloured(frame) for frame in film(image[None], frames)[0])]
    framed = [np.pad(tile, ((0, GAP), (0, GAP), (0, 0)), constant_values=0.8) for tile in tiles]
    return np.rint(np.concatenate(framed, axis=1) * 255).astype(np.uint8)


def coloured(frame: np.ndarray) -> np.ndarray:
    """Counts [2, H, W] as colours [H, W, 3], 0 to 1: white where nothing happened."""
    off, on = np.minimum(frame.astype(np.float64) / GREATEST, 1)
    return np.stack([1 - off, 1 - np.maximum(on, off), 1 - on], axis=-1)


if __name__ == "__main__":
    main()
