"""Mini-batches hold every image once, in an order that the generator decides."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
import torch

from workers.data.batches import batches
from workers.data.samples import Samples, Scaling

SAME = Scaling(mean_C11=torch.zeros(1, 1, 1), scale_C11=torch.ones(1, 1, 1))


def images(count: int) -> Samples:
    numbers = torch.arange(count)
    stored = numbers.float().reshape(-1, 1, 1, 1).numpy()
    return Samples(stored=stored, places_N=np.arange(count), y_N=numbers, scaling=SAME)


def order(count: int, size: int, seed: int | None) -> list[list[int]]:
    generator = None if seed is None else torch.Generator().manual_seed(seed)
    found = list(batches(images(count), size, generator=generator))
    assert all(x_BCHW.flatten().tolist() == y_B.tolist() for x_BCHW, y_B in found)
    return [y_B.tolist() for _, y_B in found]


def test_a_shuffled_epoch_holds_every_image_once() -> None:
    found = order(10, 4, seed=0)
    assert [len(batch) for batch in found] == [4, 4, 2]
    numbers = list(chain.from_iterable(found))
    assert sorted(numbers) == list(range(10))
    assert numbers != list(range(10))


def test_the_generator_alone_decides_the_order() -> None:
    torch.manual_seed(1)
    first = order(50, 8, seed=3)
    torch.manual_seed(2)
    assert order(50, 8, seed=3) == first != order(50, 8, seed=4)


@pytest.mark.parametrize(("count", "sizes"), [(9, [4, 4]), (8, [4, 4]), (1, []), (3, [3])])
def test_a_last_batch_of_one_image_is_left_out_of_training(count: int, sizes: list[int]) -> None:
    assert [len(batch) for batch in order(count, 4, seed=0)] == sizes


def test_without_a_generator_every_image_comes_in_order() -> None:
    assert order(9, 4, seed=None) == [[0, 1, 2, 3], [4, 5, 6, 7], [8]]


def test_batches_of_one_are_whole_batches() -> None:
    assert len(order(5, 1, seed=0)) == 5
