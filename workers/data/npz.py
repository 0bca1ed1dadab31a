"""A user's own data set: `<name>.npz` in the data folder.

Arrays: `x`, images [N, H, W], [N, C, H, W] or [N, H, W, C] (the last where the last axis is 1 or 3), bytes
(0 to 255) or floats; `y`, their classes, integers [N] from 0; optionally `x_test` and `y_test` alike.
Nothing is unpickled, and sizes are checked by the headers before anything is read.
"""

from __future__ import annotations

import math
import zipfile
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from models.errors import DataDamagedError
from workers.data.images import DatasetInfo, LabelledArrays, RawImages, unavailable
from workers.data.splits import LEAST_IMAGES, split_sizes

MOST_ELEMENTS = 2**30
"""Of one array: 4 GiB once its images are 32-bit floats."""
MOST_IMAGES = 10_000_000
MOST_CLASSES = 10_000
CHANNELS_LAST = (1, 3)
UNREADABLE = (OSError, EOFError, ValueError, KeyError, RuntimeError, zipfile.BadZipFile, zlib.error)
"""What NumPy and zipfile raise for damaged archives (RuntimeError: encrypted or unknown compression)."""

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class NpzFile:
    """One file; its name without the suffix is the name of the data set."""

    path: Path

    def info(self) -> DatasetInfo:
        """Reads the headers and the labels, once for each version of the file."""
        summary = f"Your own images in {self.path.name}."
        try:
            stat = self.path.stat()
            return _info(self.path, summary, stat.st_mtime_ns, stat.st_size)
        except (OSError, DataDamagedError) as error:
            return unavailable(self.path.stem, summary, str(error))

    def load(self) -> RawImages:
        """Read everything. Raises DataDamagedError, naming the file and what is wrong with it."""
        shapes = _checked_headers(self.path)
        arrays = _arrays(self.path, tuple(shapes))
        labelled = _labelled(self.path, arrays["x"], arrays["y"])
        test = _labelled(self.path, arrays["x_test"], arrays["y_test"]) if "x_test" in arrays else None
        return RawImages(labelled=labelled, test=test, classes=_classes(self.path, arrays))


@lru_cache(maxsize=256)  # a pure function of the file, which its time and size stand for
def _info(path: Path, summary: str, modified: int, size: int) -> DatasetInfo:
    shapes = _checked_headers(path)
    labels = _arrays(path, tuple(name for name in shapes if name.startswith("y")))
    return DatasetInfo(
        name=path.stem,
        summary=summary,
        sample_shape=_sample_shape(shapes["x"]),
        classes=_classes(path, labels),
        train_samples=split_sizes(shapes["x"][0], own_test="x_test" in shapes).train,
        stamp=f"{modified}-{size}",
    )


def _checked_headers(path: Path) -> dict[str, Shape]:
    """The shapes of the arrays, once they are known to be what a data set needs."""
    headers = _headers(path)
    for images, labels in (("x", "y"), ("x_test", "y_test")):
        if images in headers or labels in headers or images == "x":
            _check_pair(path, headers, images, labels)
    shapes = {name: shape for name, (shape, _) in headers.items()}
    if "x_test" in shapes and _sample_shape(shapes["x_test"]) != _sample_shape(shapes["x"]):
        raise _damaged(path, "x and x_test hold images of different shapes")
    if shapes["x"][0] < LEAST_IMAGES:
        raise _damaged(path, f"it holds {shapes['x'][0]} images; at least {LEAST_IMAGES} are needed")
    return shapes


def _check_pair(
    path: Path, headers: dict[str, tuple[Shape, np.dtype[Any]]], images: str, labels: str
) -> None:
    if images not in headers or labels not in headers:
        raise _damaged(path, f"it lacks the array {images if images not in headers else labels!r}")
    (shape, kind), (label_shape, label_kind) = headers[images], headers[labels]
    if len(shape) not in (3, 4) or not 0 < math.prod(shape) <= MOST_ELEMENTS:
        raise _damaged(path, f"{images} has the shape {shape}; use [N, H, W], [N, C, H, W] or [N, H, W, C]")
    if shape[0] > MOST_IMAGES:
        raise _damaged(path, f"{images} holds {shape[0]} images; at most {MOST_IMAGES} are read")
    if kind != np.uint8 and kind.kind != "f":
        raise _damaged(path, f"{images} holds {kind}; use uint8 or floats")
    if label_shape != shape[:1] or label_kind.kind not in "iu":
        raise _damaged(path, f"{labels} is {label_kind} {label_shape}; use integers {shape[:1]}")


def _headers(path: Path) -> dict[str, tuple[Shape, np.dtype[Any]]]:
    """Shape and type of each array of the archive that a data set may have."""
    try:
        with zipfile.ZipFile(path) as archive:
            present = [name for name in ("x", "y", "x_test", "y_test") if f"{name}.npy" in archive.namelist()]
            return {name: _header(archive, name) for name in present}
    except UNREADABLE as error:
        raise _damaged(path, f"it cannot be read ({error})") from error


def _header(archive: zipfile.ZipFile, name: str) -> tuple[Shape, np.dtype[Any]]:
    with archive.open(f"{name}.npy") as file:
        version = npy.read_magic(file)
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f"{name} is of format version {version}")
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, kind = read(file)
        return shape, kind


def _arrays(path: Path, names: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in names}
    except UNREADABLE as error:
        raise _damaged(path, f"it cannot be read to its end ({error})") from error


def _labelled(path: Path, x: NDArray[Any], y_N: NDArray[Any]) -> LabelledArrays:
    if x.ndim == 3:
        x = x[:, None]
    elif x.shape[-1] in CHANNELS_LAST:
        x = np.moveaxis(x, -1, 1)
    x = x if x.dtype == np.uint8 else x.astype(np.float32)
    if not np.isfinite(x).all():
        raise _damaged(path, "it holds values that are not finite")
    return LabelledArrays(x_NCHW=np.ascontiguousarray(x), y_N=y_N.astype(np.int64))


def _sample_shape(shape: Shape) -> tuple[int, int, int]:
    """(channels, height, width) of one image."""
    if len(shape) == 3:
        return (1, shape[1], shape[2])
    if shape[-1] in CHANNELS_LAST:
        return (shape[3], shape[1], shape[2])
    return (shape[1], shape[2], shape[3])


def _classes(path: Path, arrays: dict[str, NDArray[Any]]) -> int:
    """One more than the greatest class in y and y_test."""
    labels = [arrays[name] for name in ("y", "y_test") if name in arrays]
    least, greatest = min(int(y_N.min()) for y_N in labels), max(int(y_N.max()) for y_N in labels)
    if not (least >= 0 and 1 <= greatest < MOST_CLASSES):
        raise _damaged(
            path, f"its classes go from {least} to {greatest}; use 0 to at least 1, below {MOST_CLASSES}"
        )
    return greatest + 1


def _damaged(path: Path, what: str) -> DataDamagedError:
    return DataDamagedError(
        f"{path.name} cannot be used: {what}.", fix="See docs/data.md.", pointer="/dataset/name"
    )
