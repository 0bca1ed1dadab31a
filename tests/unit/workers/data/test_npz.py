"""A user's own arrays: the layouts that are taken, and what is refused with which words."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.errors import DataDamagedError
from workers.data import npz
from workers.data.npz import NpzFile
from workers.data.splits import make_splits

Y = np.arange(40) % 4
BYTES = np.random.default_rng(0).integers(0, 256, (40, 6, 5), dtype=np.uint8)


def saved(folder: Path, **arrays: Any) -> NpzFile:
    path = folder / "mine.npz"
    np.savez_compressed(path, **arrays)
    return NpzFile(path)


@pytest.mark.parametrize(
    ("x", "shape"),
    [
        (BYTES, (1, 6, 5)),
        (np.zeros((40, 2, 6, 5), np.float32), (2, 6, 5)),
        (np.zeros((40, 6, 5, 3), np.uint8), (3, 6, 5)),
        (np.zeros((40, 6, 5, 1), np.float64), (1, 6, 5)),
        (np.zeros((40, 3, 6, 5), np.float16), (3, 6, 5)),
    ],
)
def test_each_layout_becomes_channels_first(tmp_path: Path, x: np.ndarray, shape: tuple[int, ...]) -> None:
    source = saved(tmp_path, x=x, y=Y)
    info, raw = source.info(), source.load()
    assert info.available, info.reason
    assert info.sample_shape == shape == raw.labelled.x_NCHW.shape[1:]
    assert (info.name, info.classes, info.train_samples) == ("mine", 4, 27)
    assert len(make_splits(raw, train_samples=None, split_seed=0).train.y_N) == info.train_samples
    assert raw.labelled.x_NCHW.dtype == (np.uint8 if x.dtype == np.uint8 else np.float32)


def test_channels_last_images_keep_their_pixels(tmp_path: Path) -> None:
    x = np.random.default_rng(0).integers(0, 256, (40, 6, 5, 3), dtype=np.uint8)
    found = saved(tmp_path, x=x, y=Y).load().labelled.x_NCHW
    assert found[7, 2, 4, 1] == x[7, 4, 1, 2]


def test_own_test_images_are_taken(tmp_path: Path) -> None:
    raw = saved(tmp_path, x=BYTES, y=Y, x_test=BYTES[:8], y_test=Y[:8] + 1).load()
    assert raw.test is not None
    assert raw.test.x_NCHW.tolist() == BYTES[:8, None].tolist()
    assert raw.classes == 5


@pytest.mark.parametrize(
    ("arrays", "what"),
    [
        ({"x": BYTES}, "lacks the array 'y'"),
        ({"y": Y}, "lacks the array 'x'"),
        ({"x": BYTES, "y": Y, "x_test": BYTES}, "lacks the array 'y_test'"),
        ({"x": BYTES[0], "y": Y[:6]}, "shape"),
        ({"x": BYTES[:, :0], "y": Y}, "shape"),
        ({"x": BYTES.astype(np.int32), "y": Y}, "int32"),
        ({"x": BYTES.astype(object), "y": Y}, "object"),
        ({"x": BYTES, "y": Y.astype(object)}, "object"),
        ({"x": BYTES, "y": Y.astype(float)}, "float64"),
        ({"x": BYTES, "y": Y[:39]}, r"\(39,\)"),
        ({"x": BYTES, "y": Y - 1}, "from -1 to 2"),
        ({"x": BYTES, "y": Y * 0}, "from 0 to 0"),
        ({"x": BYTES, "y": Y * 10_000}, "from 0 to 30000"),
        ({"x": BYTES[:19], "y": Y[:19]}, "19 images; at least 20"),
        ({"x": BYTES, "y": Y, "x_test": BYTES[:, 1:], "y_test": Y}, "different shapes"),
    ],
)
def test_arrays_that_are_no_data_set_are_refused(tmp_path: Path, arrays: dict[str, Any], what: str) -> None:
    source = saved(tmp_path, **arrays)
    with pytest.raises(DataDamagedError, match=what) as caught:
        source.load()
    assert "mine.npz" in str(caught.value)
    assert caught.value.pointer == "/dataset/name"
    assert not source.info().available
    assert source.info().reason == str(caught.value)


def test_values_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    x = BYTES.astype(np.float32)
    x[3, 2, 1] = np.nan
    with pytest.raises(DataDamagedError, match="not finite"):
        saved(tmp_path, x=x, y=Y).load()


@pytest.mark.parametrize("damage", ["truncated", "altered", "no archive", "empty", "no arrays", "a folder"])
def test_damaged_files_are_refused(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "mine.npz"
    np.savez(path, x=BYTES, y=Y)
    whole = path.read_bytes()
    place = whole.index(BYTES.tobytes()) + 9
    if damage == "a folder":
        path.unlink()
        path.mkdir()
    elif damage == "no arrays":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("x.npy", b"no array")
            archive.writestr("y.npy", b"")
    else:
        altered = whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
        path.write_bytes(
            {"truncated": whole[:-90], "altered": altered, "no archive": b"?" * 99, "empty": b""}[damage]
        )
    with pytest.raises(DataDamagedError, match="cannot be read"):
        NpzFile(path).load()


def test_sizes_are_refused_by_the_header_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = saved(tmp_path, x=BYTES, y=Y)
    monkeypatch.setattr(npz, "MOST_ELEMENTS", BYTES.size - 1)
    monkeypatch.setattr(npz.np, "load", None)  # any attempt to read arrays would fail otherwise
    with pytest.raises(DataDamagedError, match="shape"):
        source.load()


def test_a_changed_file_is_looked_at_again(tmp_path: Path) -> None:
    assert saved(tmp_path, x=BYTES, y=Y).info().classes == 4
    assert saved(tmp_path, x=BYTES, y=Y % 2).info().classes == 2
