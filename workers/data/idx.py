"""Read idx files of bytes, plain or gzipped: the format of MNIST and its successors.

A file is two zero bytes, the type (8: unsigned bytes), the number of dimensions, each dimension as a
big-endian 32-bit number, then the data.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import IO, cast

import numpy as np
from numpy.typing import NDArray

from workers.data.files import damaged

UNSIGNED_BYTES = 8
MOST_BYTES = 2**31


def read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """The array of a file, uint8 with that many dimensions.

    Raises DataDamagedError, naming the file and what is wrong, unless it holds exactly what its header says.
    """
    try:
        with _open(path) as file:
            shape = _shape(file, path, dimensions)
            expected = math.prod(shape)
            content = file.read(expected + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise damaged(path, f"it cannot be read to its end ({error})") from error
    if len(content) != expected:
        found = len(content) if len(content) < expected else "more"
        raise damaged(path, f"{expected} bytes of data expected, {found} found")
    return np.frombuffer(content, dtype=np.uint8).reshape(shape)


def read_idx_shape(path: Path, dimensions: int) -> tuple[int, ...]:
    """The shape that a file's header promises. Raises DataDamagedError."""
    try:
        with _open(path) as file:
            return _shape(file, path, dimensions)
    except (OSError, EOFError, zlib.error) as error:
        raise damaged(path, f"it cannot be read ({error})") from error


def _open(path: Path) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path)) if path.suffix == ".gz" else path.open("rb")


def _shape(file: IO[bytes], path: Path, dimensions: int) -> tuple[int, ...]:
    header = file.read(4 + 4 * dimensions)
    if len(header) < 4 + 4 * dimensions:
        raise damaged(path, f"a header of {4 + 4 * dimensions} bytes expected, {len(header)} found")
    if header[:4] != bytes((0, 0, UNSIGNED_BYTES, dimensions)):
        raise damaged(path, f"it is no idx file of bytes with {dimensions} dimensions")
    shape: tuple[int, ...] = struct.unpack(f">{dimensions}I", header[4:])
    if not 0 < math.prod(shape) <= MOST_BYTES:
        raise damaged(path, f"its header gives the shape {shape}")
    return shape
