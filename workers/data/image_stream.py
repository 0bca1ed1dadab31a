"""Image files that are decoded when they are asked for: nothing but their names is held in memory.

An image becomes RGB; its shorter side is scaled to `resize`, and the middle of side `size` is kept. Both
happen at once, so that a very long image takes no more memory than its own pixels.
"""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from workers.data.files import damaged

FORMATS = ("JPEG", "PNG")
MOST_PIXELS = 2**26
"""Of one image; a small file can promise far more than fits into memory."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageStream:
    """The files `folder/<class>/<name>`, as bytes [N, 3, size, size] (workers.data.samples.Streamed)."""

    folder: Path
    classes: tuple[str, ...]
    names_N: NDArray[np.bytes_]  # noqa: N815 - the letters are the axes
    y_N: NDArray[np.int64]  # noqa: N815 - the letters are the axes
    size: int
    resize: int

    @property
    def shape(self) -> tuple[int, ...]:
        """[N, 3, size, size]."""
        return (len(self.y_N), 3, self.size, self.size)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Bytes."""
        return np.dtype(np.uint8)

    def __getitem__(self, places_B: NDArray[np.intp]) -> NDArray[np.uint8]:
        """Decode files, on as many threads as torch has. Raises DataDamagedError with the file's name."""
        x_BCHW = np.empty((len(places_B), *self.shape[1:]), dtype=np.uint8)
        with ThreadPoolExecutor(torch.get_num_threads()) as threads:
            for number, image_HWC in enumerate(threads.map(self._decoded, places_B)):
                x_BCHW[number] = image_HWC.transpose(2, 0, 1)
        return x_BCHW

    def identity(self, places_B: NDArray[np.intp]) -> bytes:
        """A hash of the files' classes, names and sizes and of the sides; hashing pixels would take hours."""
        digest = hashlib.sha256(f"{self.size} {self.resize}".encode())
        for place in places_B:
            path = self._path(place)
            digest.update(f"{path.parent.name}/{path.name}:{_size(path)}\n".encode(errors="surrogateescape"))
        return digest.digest()

    def _path(self, place: np.intp) -> Path:
        label, name = int(self.y_N[place]), bytes(self.names_N[place])
        return self.folder / self.classes[label] / os.fsdecode(name)

    def _decoded(self, place: np.intp) -> NDArray[np.uint8]:
        path = self._path(place)
        try:
            with Image.open(path, formats=FORMATS) as image:
                return np.asarray(cut(image, path, size=self.size, resize=self.resize))
        except (OSError, EOFError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise damaged(path, f"it cannot be decoded ({error})") from error


def cut(image: Image.Image, path: Path, *, size: int, resize: int) -> Image.Image:
    """The middle of the image, RGB, `size` pixels each way. Raises DataDamagedError where it is too large."""
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise damaged(path, f"it has {width}x{height} pixels; {MOST_PIXELS} are decoded at most")
    image.draft(
        "RGB", (resize, resize)
    )  # a JPEG is decoded at the nearest greater 1/2, 1/4 or 1/8 of its size
    side = min(image.size) * size / resize
    left, top = (image.width - side) / 2, (image.height - side) / 2
    middle = (left, top, left + side, top + side)
    return image.convert("RGB").resize((size, size), Image.Resampling.BILINEAR, box=middle)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise damaged(path, f"it cannot be found ({error})") from error
