"""Published event data sets from the disk to the splits of a trial."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from models.errors import DataDamagedError, InvalidInputError
from workers.data import datasets, describe, load_splits
from workers.data.events.nmnist import N_MNIST
from workers.data.events.source import PublishedEvents

SHAPES = {
    "n-mnist": (2, 34, 34),
    "dvs-gesture": (2, 48, 48),
    "cifar10-dvs": (2, 48, 48),
    "shd": (700, 1, 1),
}
each_set = pytest.mark.parametrize("name", list(SHAPES))


@each_set
def test_what_is_known_is_what_is_loaded(data_folder: Path, name: str) -> None:
    info = describe(name, folder=data_folder, frames=4)
    splits = load_splits(name, folder=data_folder, train_samples=None, split_seed=0, frames=4)
    assert info.available
    assert info.sample_shape == splits.sample_shape == SHAPES[name]
    assert (info.classes, info.frames, info.train_samples) == (splits.classes, 4, len(splits.train))
    x_FBCHW = splits.train.take(torch.arange(2))
    assert x_FBCHW.shape == (4, 2, *SHAPES[name])


def test_ten_frames_are_the_default(data_folder: Path) -> None:
    assert datasets(data_folder)["n-mnist"].frames == 10


def test_a_job_may_choose_the_size_of_a_map(data_folder: Path) -> None:
    splits = load_splits(
        "dvs-gesture", folder=data_folder, train_samples=None, split_seed=0, frames=2, size=16
    )
    assert splits.sample_shape == (2, 16, 16)


@pytest.mark.parametrize(
    ("name", "chosen", "pointer"),
    [
        ("n-mnist", {"frames": 0}, "/dataset/frames"),
        ("n-mnist", {"frames": 257}, "/dataset/frames"),
        ("n-mnist", {"size": 35}, "/dataset/size"),
        ("shd", {"size": 8}, "/dataset/size"),
        ("event-digits", {"size": 8}, "/dataset/size"),
        ("digits", {"frames": 4}, "/dataset/frames"),
        ("digits", {"size": 4}, "/dataset/size"),
    ],
)
def test_what_cannot_be_chosen_is_refused(
    tmp_path: Path, name: str, chosen: dict[str, int], pointer: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        describe(name, folder=tmp_path, **chosen)
    assert caught.value.pointer == pointer
    assert caught.value.fix


@each_set
def test_missing_files_make_a_set_unavailable(tmp_path: Path, name: str) -> None:
    info = datasets(tmp_path)[name]
    assert not info.available
    assert "docs/event-data.md" in info.reason


@each_set
def test_files_that_change_change_the_stamp_and_the_frames(data_folder: Path, name: str) -> None:
    def load() -> str:
        return load_splits(name, folder=data_folder, train_samples=None, split_seed=0, frames=2).sha256

    before, frames = describe(name, folder=data_folder).stamp, load()
    assert (describe(name, folder=data_folder).stamp, load()) == (before, frames)
    made = len(list((data_folder / "cache").glob("*.npy")))
    one = next(path for path in sorted((data_folder / name).rglob("*")) if path.is_file())
    replacement = data_folder / "replacement"
    replacement.write_bytes(one.read_bytes())
    os.utime(replacement, (0, 0))
    replacement.replace(one)
    assert describe(name, folder=data_folder).stamp != before
    assert load() == frames
    assert len(list((data_folder / "cache").glob("*.npy"))) == made + 1


def test_a_damaged_recording_is_named_and_leaves_no_frames(data_folder: Path) -> None:
    path = data_folder / "n-mnist" / "Train" / "7" / "00001.bin"
    path.write_bytes(b"abc")
    with pytest.raises(DataDamagedError, match=str(path)):
        load_splits("n-mnist", folder=data_folder, train_samples=None, split_seed=0)
    assert not list((data_folder / "cache").glob("*.npy"))


def test_every_event_is_in_the_frames(data_folder: Path) -> None:
    raw = PublishedEvents.under(data_folder, N_MNIST).load()
    assert np.asarray(raw.labelled.x_NCHW).sum(axis=(1, 2, 3, 4)).tolist() == [200] * 30
