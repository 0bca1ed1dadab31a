"""Sets of four idx files: small ones made here, and the real Fashion-MNIST where it is installed."""

from __future__ import annotations

import gzip
import os
import struct
from pathlib import Path

import numpy as np
import pytest

from models.errors import DataDamagedError, DataMissingError
from workers.data.fashion_mnist import SYSTEM_FOLDER, fashion_mnist
from workers.data.idx_images import TEST, TRAIN, IdxImages
from workers.data.mnist import mnist
from workers.data.splits import make_splits


def write(path: Path, array: np.ndarray) -> None:
    header = bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape)
    data = header + array.astype(np.uint8).tobytes()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def write_all(folder: Path, *, suffix: str = "", side: int = 28) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    for (images, labels), count in ((TRAIN, 100), (TEST, 30)):
        write(folder / f"{images}{suffix}", random.integers(0, 256, (count, side, side)))
        write(folder / f"{labels}{suffix}", np.arange(count) % 10)


def source_in(*folders: Path) -> IdxImages:
    return IdxImages(name="clothes", summary="Clothes.", fix="Put them there.", folders=folders)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_plain_and_gzipped_files_are_read(tmp_path: Path, suffix: str) -> None:
    write_all(tmp_path, suffix=suffix)
    source = source_in(tmp_path)
    info, raw = source.info(), source.load()
    assert (info.available, info.sample_shape, info.classes, info.train_samples) == (
        True,
        (1, 28, 28),
        10,
        85,
    )
    assert raw.test is not None
    assert (raw.labelled.x_NCHW.shape, raw.test.x_NCHW.shape) == ((100, 1, 28, 28), (30, 1, 28, 28))
    assert len(make_splits(raw, train_samples=None, split_seed=0).train.y_N) == info.train_samples


def test_the_first_folder_with_all_four_files_is_taken(tmp_path: Path) -> None:
    write_all(tmp_path / "partial")
    (tmp_path / "partial" / TEST[1]).unlink()
    write_all(tmp_path / "whole", suffix=".gz")
    assert len(source_in(tmp_path / "partial", tmp_path / "whole").load().labelled.y_N) == 100


def test_missing_files_are_told_with_the_folders_and_the_way_to_get_them(tmp_path: Path) -> None:
    source = source_in(tmp_path / "one", tmp_path / "two")
    with pytest.raises(DataMissingError, match="Put them there") as caught:
        source.load()
    assert str(tmp_path / "one") in str(caught.value)
    assert str(tmp_path / "two") in str(caught.value)
    assert caught.value.pointer == "/dataset/name"
    info = source.info()
    assert not info.available
    assert info.reason == str(caught.value)


def test_the_users_own_copy_is_looked_for_before_the_systems(tmp_path: Path) -> None:
    assert fashion_mnist(tmp_path).folders == (tmp_path / "fashion-mnist", SYSTEM_FOLDER)


def test_mnist_is_the_users_own_copy_under_either_spelling(tmp_path: Path) -> None:
    folder = tmp_path / "mnist"
    assert str(folder) in mnist(tmp_path).info().reason
    write_all(folder)
    for name in (*TRAIN, *TEST):
        (folder / name).rename(folder / name.replace("-idx", ".idx"))
    assert len(mnist(tmp_path).load().labelled.y_N) == 100


def test_a_replaced_file_changes_the_stamp(tmp_path: Path) -> None:
    write_all(tmp_path)
    before = source_in(tmp_path).info().stamp
    assert source_in(tmp_path).info().stamp == before
    path = tmp_path / TRAIN[1]
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))
    assert source_in(tmp_path).info().stamp != before


def test_a_truncated_file_is_named(tmp_path: Path) -> None:
    write_all(tmp_path)
    path = tmp_path / TRAIN[0]
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(
        DataDamagedError, match=f"{TRAIN[0]} is damaged: 78400 bytes of data expected, 78399 found"
    ):
        source_in(tmp_path).load()


@pytest.mark.parametrize(
    ("name", "array", "what"),
    [
        (TRAIN[0], np.zeros((100, 28, 27)), "28x27, not 28x28"),
        (TRAIN[1], np.zeros(99), "100 labels expected, 99 found"),
        (TEST[1], np.full(30, 10), "the class 10"),
    ],
)
def test_files_that_do_not_fit_are_named(tmp_path: Path, name: str, array: np.ndarray, what: str) -> None:
    write_all(tmp_path)
    write(tmp_path / name, array)
    with pytest.raises(DataDamagedError, match=what) as caught:
        source_in(tmp_path).load()
    assert name in str(caught.value)


def test_a_damaged_header_makes_the_data_set_unavailable(tmp_path: Path) -> None:
    write_all(tmp_path)
    (tmp_path / TRAIN[0]).write_bytes(b"not images")
    info = source_in(tmp_path).info()
    assert not info.available
    assert "damaged" in info.reason


@pytest.mark.skipif(not SYSTEM_FOLDER.is_dir(), reason="needs Debian's package dataset-fashion-mnist")
def test_the_real_files_hold_what_they_should(tmp_path: Path) -> None:
    source = fashion_mnist(tmp_path)
    raw = source.load()
    assert raw.test is not None
    assert np.bincount(raw.labelled.y_N).tolist() == [6_000] * 10
    assert np.bincount(raw.test.y_N).tolist() == [1_000] * 10
    assert raw.labelled.x_NCHW.mean() / 255 == pytest.approx(0.286, abs=1e-3)
    assert source.info().train_samples == 54_000
