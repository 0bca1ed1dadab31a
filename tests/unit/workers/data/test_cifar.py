"""CIFAR's binary files: small ones in the published layout, whole and damaged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from models.errors import DataDamagedError, DataMissingError
from workers.data.cifar import Cifar, cifar10, cifar100
from workers.data.splits import make_splits

RECORDS = 12


def write(path: Path, labels_NL: np.ndarray, seed: int) -> np.ndarray:
    """A file of records with the given labels; their pixels."""
    pixels = np.random.default_rng(seed).integers(0, 256, (len(labels_NL), 3072), dtype=np.uint8)
    path.write_bytes(np.concatenate([labels_NL.astype(np.uint8), pixels], axis=1).tobytes())
    return pixels


def write_all(source: Cifar, folder: Path) -> dict[str, np.ndarray]:
    """Pixels by file; the classes count up within each file, and the coarse ones are all 19."""
    folder.mkdir(parents=True)
    labels = np.arange(RECORDS)[:, None] % source.classes
    labels_NL = labels if source.labels == 1 else np.concatenate([labels * 0 + 19, labels], axis=1)
    return {
        name: write(folder / name, labels_NL, seed) for seed, name in enumerate((*source.train, source.test))
    }


both = pytest.mark.parametrize("make", [cifar10, cifar100])


@both
def test_images_and_classes_are_those_of_the_files_in_order(
    tmp_path: Path, make: Callable[[Path], Cifar]
) -> None:
    source = make(tmp_path)
    pixels = write_all(source, source.folders[0])
    info, raw = source.info(), source.load()
    assert info.available, info.reason
    assert (info.sample_shape, info.classes) == ((3, 32, 32), source.classes)
    train = np.concatenate([pixels[name] for name in source.train])
    assert np.array_equal(raw.labelled.x_NCHW[np.arange(len(train))], train.reshape(-1, 3, 32, 32))
    assert raw.labelled.y_N.tolist() == [n % source.classes for n in range(RECORDS)] * len(source.train)
    assert raw.test is not None
    assert raw.test.y_N.tolist() == (np.arange(RECORDS) % source.classes).tolist()
    assert raw.labelled.x_NCHW.dtype == np.uint8
    assert len(make_splits(raw, train_samples=None, split_seed=0).train) == info.train_samples


@both
def test_the_folder_that_the_archive_unpacks_to_is_found(
    tmp_path: Path, make: Callable[[Path], Cifar]
) -> None:
    source = make(tmp_path)
    write_all(source, source.folders[1])
    assert source.info().available


@both
def test_missing_files_are_told_with_their_names(tmp_path: Path, make: Callable[[Path], Cifar]) -> None:
    source = make(tmp_path)
    write_all(source, source.folders[0])
    (source.folders[0] / source.test).unlink()
    with pytest.raises(DataMissingError, match=source.test) as caught:
        source.load()
    assert source.info().reason == str(caught.value)
    assert caught.value.pointer == "/dataset/name"


@both
@pytest.mark.parametrize("damage", ["truncated", "longer", "empty", "class"])
def test_damaged_files_are_named(tmp_path: Path, make: Callable[[Path], Cifar], damage: str) -> None:
    source = make(tmp_path)
    write_all(source, source.folders[0])
    path = source.folders[0] / source.train[-1]
    whole = path.read_bytes()
    place = source.labels - 1
    path.write_bytes(
        {
            "truncated": whole[:-1],
            "longer": whole + b"!",
            "empty": b"",
            "class": whole[:place] + bytes([source.classes]) + whole[place + 1 :],
        }[damage]
    )
    what = f"the class {source.classes}" if damage == "class" else "whole records"
    with pytest.raises(DataDamagedError, match=what) as caught:
        source.load()
    assert str(path) in str(caught.value)
    assert "Fetch the file again" in str(caught.value)


def test_the_coarse_class_is_not_the_class(tmp_path: Path) -> None:
    source = cifar100(tmp_path)
    write_all(source, source.folders[0])
    assert 19 not in source.load().labelled.y_N.tolist()
