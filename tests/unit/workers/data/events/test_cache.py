"""Frames are made once, whole, and made again when anything that they depend on has changed."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from models.errors import DataDamagedError, DataMissingError
from workers.data.events.cache import cache_folder, cached

SHAPE = (5, 2, 2, 3, 3)
FRAMES = np.random.default_rng(0).integers(0, 256, SHAPE).astype(np.uint8)


class Counted:
    """A build that counts how often it is started."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> Iterator[np.ndarray]:
        self.times += 1
        yield FRAMES[:2]
        yield FRAMES[2:]


def test_frames_are_made_once_and_then_mapped(tmp_path: Path) -> None:
    build = Counted()
    first = cached(tmp_path / "one" / "a.npy", SHAPE, build)
    again = cached(tmp_path / "one" / "a.npy", SHAPE, build)
    assert build.times == 1
    assert isinstance(again, np.memmap)
    assert first.tobytes() == again.tobytes() == FRAMES.tobytes()
    with pytest.raises(ValueError, match="read-only"):
        again[0] = 0


def test_of_many_that_want_the_same_frames_one_makes_them(tmp_path: Path) -> None:
    build = Counted()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: cached(tmp_path / "a.npy", SHAPE, build), range(16)))
    assert build.times == 1
    assert {frames.tobytes() for frames in found} == {FRAMES.tobytes()}


@pytest.mark.parametrize("kept", [0, 60, -1])
def test_a_damaged_file_is_made_again(tmp_path: Path, kept: int) -> None:
    path, build = tmp_path / "a.npy", Counted()
    cached(path, SHAPE, build)
    path.write_bytes(path.read_bytes()[:kept])
    assert cached(path, SHAPE, build).tobytes() == FRAMES.tobytes()
    assert build.times == 2


def test_a_file_of_another_shape_is_made_again(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", FRAMES[:3])
    assert cached(tmp_path / "a.npy", SHAPE, Counted()).shape == SHAPE


def test_a_build_that_fails_leaves_no_frames_and_can_be_tried_again(tmp_path: Path) -> None:
    def failing() -> Iterator[np.ndarray]:
        yield FRAMES[:2]
        raise DataDamagedError("no")

    path = tmp_path / "a.npy"
    with pytest.raises(DataDamagedError):
        cached(path, SHAPE, failing)
    assert not path.exists()
    assert cached(path, SHAPE, Counted()).tobytes() == FRAMES.tobytes()


def test_frames_that_cannot_be_kept_are_told_with_the_room_they_need(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DataMissingError, match=r"cannot be kept in .*GiB"):
        cached(tmp_path / "file" / "a.npy", SHAPE, Counted())


def test_the_cache_is_in_the_data_folder_or_else_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    assert cache_folder(tmp_path / "data") == tmp_path / "data" / "cache"
    (tmp_path / "file").write_bytes(b"")
    assert cache_folder(tmp_path / "file").is_relative_to(tmp_path / "home")
