"""The simulated camera, and the event versions of still images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from workers.data import datasets, load_splits
from workers.data.digits import Digits
from workers.data.events import camera
from workers.data.events.camera import DARK, REACH, THRESHOLD, film, position


def digits(count: int = 20) -> np.ndarray:
    x_NCHW = Digits().load().labelled.x_NCHW
    return np.asarray(x_NCHW[:count, 0], dtype=np.float32)


def test_a_camera_that_stands_still_sees_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert film(digits(), 5).any()
    monkeypatch.setattr(camera, "CORNERS", ((0.3, -0.4),) * 4)
    assert not film(digits(), 5).any()


def test_an_empty_image_gives_no_events() -> None:
    assert not film(np.zeros((1, 8, 8), dtype=np.float32), 3).any()


def test_the_view_begins_and_ends_at_the_same_place_and_never_leaves_its_reach() -> None:
    path = [position(s) for s in np.linspace(0, 1, 301)]
    assert path[0] == pytest.approx(path[-1]) == (-REACH, -REACH)
    assert max(abs(value) for place in path for value in place) == REACH
    steps = np.diff(np.array(path), axis=0)
    assert np.abs(steps).max() < 0.05  # no jumps


def test_on_and_off_swap_where_the_image_is_inverted() -> None:
    """About: the logarithm makes as much of the dark as of the bright only in sign."""
    wide = np.pad(digits(), ((0, 0), (8, 8), (8, 8)), constant_values=0.5)
    seen, inverted = (film(x, 5)[..., 8:-8, 8:-8].astype(float) for x in (wide, 1 - wide))
    swapped = np.corrcoef(seen.ravel(), inverted[:, :, ::-1].ravel())[0, 1]
    same = np.corrcoef(seen.ravel(), inverted.ravel())[0, 1]
    assert swapped > 0.5
    assert swapped > same + 0.4


@given(seed=st.integers(0, 100), frames=st.integers(1, 12))
def test_events_add_up_to_the_change_of_the_logarithm(seed: int, frames: int) -> None:
    """The view returns to where it began, so each pixel ends within one threshold of its first brightness."""
    x_NHW = np.random.default_rng(seed).random((2, 6, 6), dtype=np.float32)
    counts = film(x_NHW, frames).astype(int)
    assert counts.shape == (2, frames, 2, 10, 10)
    surplus = counts[:, :, 1].sum(axis=1) - counts[:, :, 0].sum(axis=1)
    assert np.abs(surplus).max() <= 1
    assert counts.max() <= camera.LEAST_STEPS * np.log((1 + DARK) / DARK) / THRESHOLD


def test_an_image_has_the_same_events_whatever_is_beside_it() -> None:
    x_NHW = digits()
    assert np.array_equal(film(x_NHW, 4)[7:8], film(x_NHW[7:8], 4))


def test_a_bright_edge_that_comes_from_the_right_is_on_and_then_off() -> None:
    """The view moves to the right in two saccades, and back in the third."""
    image = np.zeros((1, 8, 8), dtype=np.float32)
    image[0, :, 4:] = 1
    middle = film(image, 3)[
        0, :, :, 5:7, :8
    ]  # where neither the image's rim nor moving down changes anything
    (off_first, on_first), _, (off_last, on_last) = middle.sum(axis=(2, 3)).tolist()
    assert on_first > 0 == off_first
    assert off_last > 0 == on_last


def test_the_event_versions_are_listed_with_their_frames(tmp_path: Path) -> None:
    info = datasets(tmp_path)["event-digits"]
    assert (info.sample_shape, info.classes, info.frames, info.train_samples) == ((2, 12, 12), 10, 10, 1_222)


def test_splits_hold_the_same_images_as_the_still_set(tmp_path: Path) -> None:
    still, event = (
        load_splits(name, folder=tmp_path, train_samples=100, split_seed=3)
        for name in ("digits", "event-digits")
    )
    for part in ("train", "validation", "test"):
        assert np.array_equal(getattr(still, part).places_N, getattr(event, part).places_N)
        assert torch.equal(getattr(still, part).y_N, getattr(event, part).y_N)
    assert (event.sample_shape, event.frames) == ((2, 12, 12), 10)


def test_what_is_cached_is_what_is_filmed(tmp_path: Path) -> None:
    fresh, again = (
        load_splits("event-digits", folder=tmp_path, train_samples=None, split_seed=0, frames=3)
        for _ in range(2)
    )
    assert fresh.sha256 == again.sha256
    assert len(list((tmp_path / "cache").glob("*.npy"))) == 1
    place = int(fresh.train.places_N[0])
    assert np.array_equal(fresh.train.stored[place], film(digits(place + 1)[place:], 3)[0])
