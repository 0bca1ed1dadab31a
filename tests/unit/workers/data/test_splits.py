"""Splits are disjoint, stratified, normalised by the training images and a function of the seed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.errors import InvalidInputError
from workers.data.images import LabelledArrays, RawImages, Splits
from workers.data.samples import Samples
from workers.data.splits import LEAST_VALIDATION, make_splits, split_sizes, stratified


def raw(images: int, *, own_test: bool = False, classes: int = 5) -> RawImages:
    """Images that hold nothing but their own number, so that each can be told from the others."""
    x_NCHW = np.arange(images, dtype=np.float32).repeat(4).reshape(images, 1, 2, 2)
    y_N = (np.arange(images) % classes).astype(np.int64)
    whole = LabelledArrays(x_NCHW=x_NCHW, y_N=y_N)
    test = LabelledArrays(x_NCHW=-1 - x_NCHW[:50], y_N=y_N[:50]) if own_test else None
    return RawImages(labelled=whole, test=test, classes=classes)


def every(part: Samples) -> torch.Tensor:
    """All samples of a part as a network gets them."""
    return part.take(torch.arange(len(part)))


def numbers(splits: Splits, part: Samples, *, images: RawImages) -> list[int]:
    """Which images a part holds, undoing the normalisation by the labels' own order of values."""
    low, high = _scale(splits, images)
    return [round(float(value) * high + low) for value in every(part)[:, 0, 0, 0]]


def _scale(splits: Splits, images: RawImages) -> tuple[float, float]:
    """Mean and deviation of the training images: those that make all values whole numbers again."""
    parts = (splits.train, splits.validation, splits.test)
    values = torch.cat([every(part) for part in parts])[:, 0, 0, 0]
    count = len(images.labelled.y_N)
    deviation = (count - 1) / float(values.max() - values.min())
    return -float(values.min()) * deviation, deviation


def same(first: Splits, second: Splits) -> bool:
    pairs = [(getattr(first, part), getattr(second, part)) for part in ("train", "validation", "test")]
    return all(torch.equal(every(a), every(b)) and torch.equal(a.y_N, b.y_N) for a, b in pairs)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.data())
def test_a_stratified_choice_keeps_every_class_to_within_one(labels: list[int], data: st.DataObject) -> None:
    y_N = np.array(labels, dtype=np.int64)
    count = data.draw(st.integers(0, len(labels)))
    chosen = stratified(y_N, count, np.random.default_rng(0))
    assert len(set(chosen.tolist())) == len(chosen) == count
    for label in set(labels):
        assert abs(int((y_N[chosen] == label).sum()) - labels.count(label) * count / len(labels)) < 1


def test_the_parts_are_disjoint_and_complete() -> None:
    whole = raw(400)
    splits = make_splits(whole, train_samples=None, split_seed=3)
    parts = [numbers(splits, part, images=whole) for part in (splits.train, splits.validation, splits.test)]
    assert [len(part) for part in parts] == [272, 48, 80]
    assert sorted(number for part in parts for number in part) == list(range(400))


def test_images_keep_their_labels_and_parts_their_class_shares() -> None:
    whole = raw(400)
    splits = make_splits(whole, train_samples=None, split_seed=3)
    for part in (splits.train, splits.validation, splits.test):
        assert [number % 5 for number in numbers(splits, part, images=whole)] == part.y_N.tolist()
        assert part.y_N.bincount().max() - part.y_N.bincount().min() <= 1


def test_training_images_have_zero_mean_and_unit_deviation_per_channel() -> None:
    random = np.random.default_rng(0)
    x_NCHW = (random.random((200, 3, 4, 4)) * [[[[10]], [[100]], [[255]]]]).astype(np.uint8)
    whole = RawImages(
        labelled=LabelledArrays(x_NCHW=x_NCHW, y_N=np.arange(200, dtype=np.int64) % 4), test=None, classes=4
    )
    train = every(make_splits(whole, train_samples=50, split_seed=0).train)
    assert train.mean(dim=(0, 2, 3)).abs().max() < 1e-5
    assert (train.std(dim=(0, 2, 3), correction=0) - 1).abs().max() < 1e-5


def test_a_constant_channel_stays_finite() -> None:
    whole = RawImages(
        labelled=LabelledArrays(
            x_NCHW=np.full((40, 1, 2, 2), 7, np.uint8), y_N=np.arange(40, dtype=np.int64) % 2
        ),
        test=None,
        classes=2,
    )
    assert every(make_splits(whole, train_samples=None, split_seed=0).test).isfinite().all()


def test_test_images_of_the_source_are_the_test_set() -> None:
    splits = make_splits(raw(400, own_test=True), train_samples=None, split_seed=0)
    assert [len(part.y_N) for part in (splits.train, splits.validation, splits.test)] == [340, 60, 50]
    assert every(splits.test).max() < every(splits.train).min()


def test_a_subset_leaves_validation_and_test_images_whole() -> None:
    whole = raw(400)
    full = make_splits(whole, train_samples=None, split_seed=1)
    small = make_splits(whole, train_samples=40, split_seed=1)
    assert len(small.train.y_N) == 40
    assert small.train.y_N.bincount().tolist() == [8] * 5
    assert torch.equal(small.validation.y_N, full.validation.y_N)
    assert torch.equal(small.test.y_N, full.test.y_N)


def test_validation_is_capped_when_few_images_train() -> None:
    whole = raw(8_000)
    sizes = {
        n: len(make_splits(whole, train_samples=n, split_seed=0).validation.y_N) for n in (2, 700, 5_000)
    }
    assert sizes == {2: LEAST_VALIDATION, 700: 700, 5_000: split_sizes(8_000, own_test=False).validation}


def test_the_same_seed_gives_the_same_splits_and_another_gives_others() -> None:
    whole = raw(400)
    first, again, other = (make_splits(whole, train_samples=50, split_seed=seed) for seed in (7, 7, 8))
    assert same(first, again)
    assert first.sha256 == again.sha256
    assert not same(first, other)
    assert first.sha256 != other.sha256


def test_the_hash_tells_changed_images_and_labels() -> None:
    whole, pixel, label = raw(60), raw(60), raw(60)
    pixel.labelled.x_NCHW[5] += 1
    label.labelled.y_N[[0, 1]] = label.labelled.y_N[[1, 0]]
    hashes = {make_splits(one, train_samples=None, split_seed=0).sha256 for one in (whole, pixel, label)}
    assert len(hashes) == 3


@pytest.mark.parametrize("wanted", [0, 1, 273, 10**9])
def test_a_subset_that_cannot_be_had_is_refused_with_the_bounds(wanted: int) -> None:
    with pytest.raises(InvalidInputError, match="Use 2 to 272") as caught:
        make_splits(raw(400), train_samples=wanted, split_seed=0)
    assert caught.value.pointer == "/dataset/train_samples"
