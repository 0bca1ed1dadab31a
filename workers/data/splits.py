"""Split a data set into training, validation and test images: seeded, stratified, normalised, hashed.

Sizes: TEST_SHARE of the images are the test set, unless the source has test images of its own;
VALIDATION_SHARE of the rest, at most MOST_VALIDATION, validate; what is left trains. A subset of n training
images is taken after the split, so validation and test images are the same whatever n is, except that
validation shrinks to max(n, LEAST_VALIDATION) images where that is fewer.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from models.errors import InvalidInputError
from workers.data.images import LabelledArrays, LabelledImages, RawImages, Splits

TEST_SHARE = 0.2
VALIDATION_SHARE = 0.15
MOST_VALIDATION = 6_000
LEAST_VALIDATION = 500
LEAST_IMAGES = 20
"""Fewer images (without a test set of their own) cannot be split in a useful way."""
LEAST_TRAINING = 2
"""Batch normalisation needs two images."""
LEAST_DEVIATION = 1e-6

TEST, VALIDATION, TRAINING = 0, 1, 2
"""What a random draw is for; each has a generator of its own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SplitSizes:
    """How many of a source's labelled images go where; `test` is 0 where it has test images of its own."""

    train: int
    validation: int
    test: int


def split_sizes(images: int, *, own_test: bool) -> SplitSizes:
    """The sizes for a number of labelled images."""
    test = 0 if own_test else round(images * TEST_SHARE)
    validation = min(MOST_VALIDATION, round((images - test) * VALIDATION_SHARE))
    return SplitSizes(train=images - test - validation, validation=validation, test=test)


def make_splits(raw: RawImages, *, train_samples: int | None, split_seed: int) -> Splits:
    """Split and normalise; a pure function of its arguments.

    Raises InvalidInputError (pointer /dataset/train_samples) when there are not that many training images.
    """
    sizes = split_sizes(len(raw.labelled.y_N), own_test=raw.test is not None)
    wanted = _checked(train_samples, sizes)
    rest, test = raw.labelled, raw.test
    if test is None:
        rest, test = _divide(rest, sizes.test, _random(split_seed, TEST))
    rest, validation = _divide(rest, sizes.validation, _random(split_seed, VALIDATION))
    train = rest.take(stratified(rest.y_N, wanted, _random(split_seed, TRAINING)))
    fewer = min(sizes.validation, max(wanted, LEAST_VALIDATION))
    validation = validation.take(stratified(validation.y_N, fewer, _random(split_seed, VALIDATION)))
    return _normalised((train, validation, test), raw.classes)


def stratified(y_N: NDArray[np.int64], count: int, random: np.random.Generator) -> NDArray[np.intp]:
    """The places, ascending, of `count` images whose classes keep their shares (to within one image)."""
    classes, sizes = np.unique(y_N, return_counts=True)
    chosen = [
        random.permutation(np.flatnonzero(y_N == label))[:quota]
        for label, quota in zip(classes, _quotas(sizes, count), strict=True)
    ]
    return np.sort(np.concatenate(chosen))


def _quotas(sizes: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """Whole numbers in proportion to the sizes that add up to `count`; largest remainders get the rest."""
    quotas, remainders = np.divmod(sizes * count, sizes.sum())
    richest = np.argsort(-remainders, kind="stable")[: count - quotas.sum()]
    quotas[richest] += 1
    return quotas


def _checked(train_samples: int | None, sizes: SplitSizes) -> int:
    if train_samples is None:
        return sizes.train
    if not LEAST_TRAINING <= train_samples <= sizes.train:
        raise InvalidInputError(
            f"{train_samples} training samples asked for; {sizes.train} can be had.",
            fix=f"Use {LEAST_TRAINING} to {sizes.train}.",
            pointer="/dataset/train_samples",
        )
    return train_samples


def _random(split_seed: int, purpose: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence([split_seed, purpose]))


def _divide(
    images: LabelledArrays, count: int, random: np.random.Generator
) -> tuple[LabelledArrays, LabelledArrays]:
    """(the rest, a stratified part of `count` images)."""
    chosen = stratified(images.y_N, count, random)
    others = np.ones(len(images.y_N), dtype=np.bool_)
    others[chosen] = False
    return images.take(np.flatnonzero(others)), images.take(chosen)


def _normalised(parts: tuple[LabelledArrays, LabelledArrays, LabelledArrays], classes: int) -> Splits:
    """Every part scaled by the mean and deviation of each channel over the training images."""
    train_NCHW = _unit(parts[0].x_NCHW)
    mean_C = train_NCHW.mean(axis=(0, 2, 3), dtype=np.float64).astype(np.float32)
    deviation_C = train_NCHW.std(axis=(0, 2, 3), dtype=np.float64).astype(np.float32)
    scale_C = np.maximum(deviation_C, np.float32(LEAST_DEVIATION))
    train, validation, test = (_tensors(part, mean_C, scale_C) for part in parts)
    channels, height, width = train_NCHW.shape[1:]
    return Splits(
        train=train,
        validation=validation,
        test=test,
        sample_shape=(channels, height, width),
        classes=classes,
        sha256=_sha256(parts),
    )


def _tensors(
    part: LabelledArrays, mean_C: NDArray[np.float32], scale_C: NDArray[np.float32]
) -> LabelledImages:
    shape = (1, -1, 1, 1)
    x_NCHW = (_unit(part.x_NCHW) - mean_C.reshape(shape)) / scale_C.reshape(shape)
    return LabelledImages(x_NCHW=torch.from_numpy(x_NCHW), y_N=torch.from_numpy(part.y_N))


def _unit(x_NCHW: NDArray[Any]) -> NDArray[np.float32]:
    """Bytes as 0 to 1; floats as they are."""
    x = x_NCHW.astype(np.float32)
    return x / np.float32(255) if x_NCHW.dtype == np.uint8 else x


def _sha256(parts: tuple[LabelledArrays, ...]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(f"{part.x_NCHW.dtype.str}{part.x_NCHW.shape}".encode())
        digest.update(np.ascontiguousarray(part.x_NCHW).data)
        digest.update(np.ascontiguousarray(part.y_N).data)
    return digest.hexdigest()
