"""Which data sets a job may name, and what happens for other names."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest
import torch

from models.errors import DataMissingError, InvalidInputError, UnknownNameError
from workers.data import (
    DatasetInfo,
    DatasetSource,
    LabelledArrays,
    RawImages,
    datasets,
    load_splits,
    registry,
)

OURS = ["digits", "fashion-mnist", "mnist", "cifar10", "cifar100", "imagenet"]
OURS += ["n-mnist", "dvs-gesture", "cifar10-dvs", "shd", "event-digits", "event-fashion-mnist"]
Y = np.arange(60) % 3
X = np.random.default_rng(0).random((60, 4, 4))


class Stripes:
    """What an installed package could offer."""

    def info(self) -> DatasetInfo:
        return DatasetInfo(
            name="stripes", summary="Stripes.", sample_shape=(1, 4, 4), classes=3, train_samples=41
        )

    def load(self) -> RawImages:
        labelled = LabelledArrays(x_NCHW=X[:, None].astype(np.float32), y_N=Y.astype(np.int64))
        return RawImages(labelled=labelled, test=None, classes=3)


def stripes(_: Path) -> DatasetSource:
    return Stripes()


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    entries: list[EntryPoint] = [_Loaded("stripes", "-", registry.ENTRY_POINTS)]
    entries += [EntryPoint(name, "no_such_module:x", registry.ENTRY_POINTS) for name in ("broken", "digits")]
    monkeypatch.setattr(registry, "entry_points", lambda group: entries)
    registry._entry_points.cache_clear()
    yield
    registry._entry_points.cache_clear()


class _Loaded(EntryPoint):
    """Spares the test an importable module."""

    def load(self) -> object:
        return stripes


def test_the_known_shapes_and_sizes_are_those_of_the_loaded_data(tmp_path: Path) -> None:
    info = datasets(tmp_path)["digits"]
    splits = load_splits("digits", folder=tmp_path, train_samples=None, split_seed=0)
    assert (info.sample_shape, info.classes) == (splits.sample_shape, splits.classes)
    assert info.train_samples == len(splits.train.y_N) == 1_222
    assert (len(splits.validation.y_N), len(splits.test.y_N)) == (216, 359)


def test_loading_is_a_function_of_its_arguments(tmp_path: Path) -> None:
    first, again = (load_splits("digits", folder=tmp_path, train_samples=100, split_seed=5) for _ in range(2))
    assert torch.equal(*(splits.train.take(torch.arange(100)) for splits in (first, again)))
    assert first.sha256 == again.sha256


def test_files_in_the_data_folder_are_data_sets(tmp_path: Path) -> None:
    np.savez(tmp_path / "mine.npz", x=X, y=Y)
    assert list(datasets(tmp_path)) == [*OURS, "mine"]
    assert load_splits("mine", folder=tmp_path, train_samples=10, split_seed=0).sample_shape == (1, 4, 4)


def test_a_missing_data_folder_still_has_our_data_sets(tmp_path: Path) -> None:
    assert list(datasets(tmp_path / "none")) == OURS


def test_a_file_cannot_take_the_name_of_one_of_ours(tmp_path: Path) -> None:
    np.savez(tmp_path / "digits.npz", x=X, y=Y)
    assert datasets(tmp_path)["digits"].sample_shape == (1, 8, 8)


@pytest.mark.parametrize(
    "name", ["nothing", "../secret", "/etc/passwd", "secret/../mine", "", "mine.npz", "mi\0ne"]
)
def test_other_names_are_unknown_and_never_become_paths(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    np.savez(folder / "mine.npz", x=X, y=Y)
    np.savez(tmp_path / "secret.npz", x=X, y=Y)
    with pytest.raises(UnknownNameError, match=", ".join([*OURS, "mine"])) as caught:
        load_splits(name, folder=folder, train_samples=None, split_seed=0)
    assert caught.value.pointer == "/dataset/name"


def test_files_whose_names_a_job_cannot_give_are_left_out(tmp_path: Path) -> None:
    for name in (".hidden", "two words", "ünicode", "x" * 65):
        np.savez(tmp_path / f"{name}.npz", x=X, y=Y)
    assert list(datasets(tmp_path)) == OURS


def test_a_link_out_of_the_folder_is_refused_and_one_within_is_not(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    for path in (tmp_path / "outside.npz", folder / "inside.npz"):
        np.savez(path, x=X, y=Y)
    (folder / "out.npz").symlink_to(tmp_path / "outside.npz")
    (folder / "in.npz").symlink_to(folder / "inside.npz")
    found = datasets(folder)
    assert (found["out"].available, found["in"].available) == (False, True)
    assert "out of the data folder" in found["out"].reason
    with pytest.raises(DataMissingError, match="out of the data folder"):
        load_splits("out", folder=folder, train_samples=None, split_seed=0)


def test_too_many_training_samples_are_refused_with_the_bound(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="2 to 1222") as caught:
        load_splits("digits", folder=tmp_path, train_samples=1_223, split_seed=0)
    assert caught.value.pointer == "/dataset/train_samples"


def test_a_folder_of_images_is_a_data_set_unless_it_is_a_link_out_of_the_data_folder(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    for path in (folder / "flowers" / "train", folder / "notes", tmp_path / "outside" / "train"):
        path.mkdir(parents=True)
    (folder / "out").symlink_to(tmp_path / "outside")
    found = datasets(folder)
    assert list(found) == [*OURS, "flowers", "out"]
    assert "classes" in found["flowers"].reason
    assert "out of the data folder" in found["out"].reason


@pytest.mark.usefixtures("installed")
def test_an_installed_package_adds_a_data_set(tmp_path: Path) -> None:
    assert datasets(tmp_path)["stripes"].train_samples == 41
    splits = load_splits("stripes", folder=tmp_path, train_samples=None, split_seed=0)
    assert len(splits.train.y_N) == 41


@pytest.mark.usefixtures("installed")
def test_a_broken_package_takes_only_its_own_data_set_along(tmp_path: Path) -> None:
    found = datasets(tmp_path)
    assert "no_such_module" in found["broken"].reason
    assert [name for name, info in found.items() if name not in OURS and not info.available] == ["broken"]
    assert found["digits"].available
