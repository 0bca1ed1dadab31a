"""The idx reader takes exactly what a header promises."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from models.errors import DataDamagedError
from workers.data.idx import read_idx, read_idx_shape

IMAGES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)


def content(images: np.ndarray = IMAGES, magic: bytes = b"\0\0\x08\x03") -> bytes:
    return magic + struct.pack(f">{images.ndim}I", *images.shape) + images.tobytes()


@pytest.mark.parametrize("name", ["images", "images.gz"])
def test_a_whole_file_is_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(content()) if name.endswith(".gz") else content())
    assert read_idx(path, 3).tolist() == IMAGES.tolist()
    assert read_idx_shape(path, 3) == (2, 3, 4)


@pytest.mark.parametrize(
    ("damaged", "what"),
    [
        (content()[:-5], "24 bytes of data expected, 19 found"),
        (content() + b"!", "24 bytes of data expected, more found"),
        (content()[:9], "header of 16 bytes expected, 9 found"),
        (b"", "header of 16 bytes expected, 0 found"),
        (content(magic=b"\0\0\x0d\x03"), "no idx file of bytes with 3 dimensions"),
        (content(magic=b"\0\0\x08\x01"), "no idx file of bytes with 3 dimensions"),
        (content(IMAGES[:0]), r"the shape \(0, 3, 4\)"),
        (b"\0\0\x08\x03" + b"\xff" * 12, "the shape"),
    ],
)
def test_a_damaged_file_is_named_with_what_is_wrong(tmp_path: Path, damaged: bytes, what: str) -> None:
    path = tmp_path / "images"
    path.write_bytes(damaged)
    with pytest.raises(DataDamagedError, match=what) as caught:
        read_idx(path, 3)
    assert str(path) in str(caught.value)
    assert caught.value.pointer == "/dataset/name"


@pytest.mark.parametrize("damage", ["truncated", "altered", "not gzipped"])
def test_a_damaged_gzip_is_refused(tmp_path: Path, damage: str) -> None:
    whole = gzip.compress(content())
    altered = whole[:-8] + bytes([whole[-8] ^ 1]) + whole[-7:]  # the checksum
    path = tmp_path / "images.gz"
    path.write_bytes({"truncated": whole[:-12], "altered": altered, "not gzipped": content()}[damage])
    with pytest.raises(DataDamagedError, match="cannot be read"):
        read_idx(path, 3)
