"""Batches that are prepared ahead are those that are prepared when asked for."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from models.errors import DataDamagedError
from workers.data.augment import Augmentation, Draws
from workers.data.batches import batches
from workers.data.loader import Batch, Loader, Preparation, ahead_for
from workers.data.samples import Samples, scaling_of

COUNT, SIZE = 50, 8
ALL = Augmentation(crop=1, flip=True, cutout=2, policy="auto", mixup=0.4)


def samples(frames: int = 0) -> Samples:
    shape = (COUNT, frames, 2, 6, 5) if frames else (COUNT, 2, 6, 5)
    stored = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    places_N = np.arange(COUNT)
    y_N = torch.arange(COUNT) % 4
    return Samples(stored=stored, places_N=places_N, y_N=y_N, scaling=scaling_of(stored, places_N))


def preparation(of: Samples, augmentation: Augmentation = Augmentation()) -> Preparation:  # noqa: B008 - frozen
    draws = Draws(seed=1, epoch=2)
    device = torch.device("cpu")
    return Preparation(of, classes=4, augmentation=augmentation, draws=draws, device=device)


def loader(ahead: int, of: Samples | None = None, **settings: Any) -> Loader:
    made = preparation(of or samples(), **settings)
    return Loader(made, SIZE, generator=torch.Generator().manual_seed(7), ahead=ahead)


def same(first: Batch, second: Batch) -> bool:
    pairs = [(first.x, second.x), (first.y_B, second.y_B), (first.target, second.target)]
    return all(torch.equal(one, other) for one, other in pairs)


@pytest.mark.parametrize("frames", [0, 3])
@pytest.mark.parametrize("augmentation", [Augmentation(), ALL])
@pytest.mark.parametrize("ahead", [1, 2, 100])
def test_preparing_ahead_changes_neither_order_nor_numbers(
    frames: int, augmentation: Augmentation, ahead: int
) -> None:
    at_once, before = (list(loader(n, samples(frames), augmentation=augmentation)) for n in (0, ahead))
    assert len(at_once) == len(before) == 7
    assert all(same(first, second) for first, second in zip(at_once, before, strict=True))


@pytest.mark.parametrize("ahead", [0, 2])
def test_without_augmentation_batches_are_the_plain_ones(ahead: int) -> None:
    plain = batches(samples(), SIZE, generator=torch.Generator().manual_seed(7))
    for batch, (x_BCHW, y_B) in zip(loader(ahead), plain, strict=True):
        assert torch.equal(batch.x, x_BCHW)
        assert torch.equal(batch.y_B, y_B)
        assert torch.equal(batch.target, y_B)


class Spoiled:
    """Streamed samples, of which the batch in the middle cannot be read; counts how many were."""

    shape = (COUNT, 1, 2, 2)
    dtype = np.dtype(np.uint8)

    def __init__(self, *, readable: int) -> None:
        self.readable = readable
        self.read = 0

    def __getitem__(self, places_B: NDArray[np.intp]) -> NDArray[Any]:
        if self.read == self.readable:
            raise DataDamagedError("the file is damaged.")
        self.read += 1
        return np.zeros((len(places_B), 1, 2, 2), dtype=np.uint8)

    def identity(self, places_B: NDArray[np.intp]) -> bytes:
        return b""


def spoiled(readable: int) -> Samples:
    plain = samples()
    stored = Spoiled(readable=readable)
    scaling = scaling_of(np.zeros((1, 1, 2, 2)), np.arange(1))
    return Samples(stored=stored, places_N=plain.places_N, y_N=plain.y_N, scaling=scaling)


@pytest.mark.parametrize("ahead", [0, 2])
def test_an_error_is_raised_where_its_batch_is_taken(ahead: int) -> None:
    passing = iter(loader(ahead, spoiled(readable=3)))
    for _ in range(3):
        next(passing)
    with pytest.raises(DataDamagedError, match="damaged"):
        next(passing)
    assert not running()


def test_no_more_than_the_batches_ahead_are_prepared_and_an_abandoned_pass_ends_its_thread() -> None:
    of = spoiled(readable=COUNT)
    passing = iter(loader(2, of))
    next(passing)
    assert running()
    passing.close()
    assert isinstance(of.stored, Spoiled)
    assert of.stored.read <= 3
    assert not running()


@pytest.mark.parametrize("threads", [1, 2])
def test_a_thread_is_used_where_it_hides_more_than_it_costs(
    monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    assert ahead_for(preparation(samples())) == 0
    assert ahead_for(preparation(samples(), ALL)) == (2 if threads > 1 else 0)
    assert ahead_for(preparation(spoiled(readable=1))) == 2


def test_waiting_is_counted() -> None:
    passing = loader(2)
    list(passing)
    assert passing.waited > 0


def running() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("loader")]
