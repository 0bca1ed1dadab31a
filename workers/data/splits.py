"""Split a data set into training, validation and test images: seeded, stratified, normalised, hashed.

Sizes: TEST_SHARE of the images are the test set, unless the source has test images of its own;
VALIDATION_SHARE of the rest, at most MOST_VALIDATION, validate; what is left trains. A subset of n training
images is taken after the split, so validation and test images are the same whatever n is, except that
validation shrinks to max(n, LEAST_VALIDATION) images where that is fewer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from models.errors import InvalidInputError
from workers.data.images import LabelledArrays, RawImages, Splits
from workers.data.samples import Samples, Scaling, chunks, scaling_of

TEST_SHARE = 0.2
VALIDATION_SHARE = 0.15
MOST_VALIDATION = 6_000
LEAST_VALIDATION = 500
LEAST_IMAGES = 20
"""Fewer images (without a test set of their own) cannot be split in a useful way."""
LEAST_TRAINING = 2
"""Batch normalisation needs two images."""

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
    rest = Part.whole(raw.labelled)
    if raw.test is None:
        rest, test = _divide(rest, sizes.test, _random(split_seed, TEST))
    else:
        test = Part.whole(raw.test)
    rest, validation = _divide(rest, sizes.validation, _random(split_seed, VALIDATION))
    train = rest.take(stratified(rest.y_N, wanted, _random(split_seed, TRAINING)))
    fewer = min(sizes.validation, max(wanted, LEAST_VALIDATION))
    validation = validation.take(stratified(validation.y_N, fewer, _random(split_seed, VALIDATION)))
    return _splits((train, validation, test), raw)


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """Some samples of a stored data set, by their places, none of them copied."""

    images: LabelledArrays
    places_N: NDArray[np.intp]  # noqa: N815 - the letters are the axes

    @classmethod
    def whole(cls, images: LabelledArrays) -> Part:
        """All of them."""
        return cls(images=images, places_N=np.arange(len(images.y_N)))

    @property
    def y_N(self) -> NDArray[np.int64]:  # noqa: N802 - the letter is the axis
        """The classes."""
        return self.images.y_N[self.places_N]

    def take(self, chosen: NDArray[np.intp]) -> Part:
        """Those at the given places of this part."""
        return Part(images=self.images, places_N=self.places_N[chosen])

    def samples(self, scaling: Scaling) -> Samples:
        """This part as a split."""
        return Samples(
            stored=self.images.x_NCHW,
            places_N=self.places_N,
            y_N=torch.from_numpy(self.y_N),
            scaling=scaling,
        )


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


def _divide(part: Part, count: int, random: np.random.Generator) -> tuple[Part, Part]:
    """(the rest, a stratified part of `count` samples)."""
    y_N = part.y_N
    chosen = stratified(y_N, count, random)
    others = np.ones(len(y_N), dtype=np.bool_)
    others[chosen] = False
    return part.take(np.flatnonzero(others)), part.take(chosen)


def _splits(parts: tuple[Part, Part, Part], raw: RawImages) -> Splits:
    """Every part scaled by the mean and deviation of each channel over the training samples."""
    scaling = scaling_of(parts[0].images.x_NCHW, parts[0].places_N)
    train, validation, test = (part.samples(scaling) for part in parts)
    channels, height, width = raw.labelled.x_NCHW.shape[-3:]
    return Splits(
        train=train,
        validation=validation,
        test=test,
        sample_shape=(channels, height, width),
        classes=raw.classes,
        sha256=_sha256(parts),
        frames=raw.frames,
    )


def _sha256(parts: tuple[Part, ...]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        stored, y_N = part.images.x_NCHW, part.y_N
        digest.update(f"{stored.dtype.str}{(len(y_N), *stored.shape[1:])}".encode())
        for content in _contents(part):
            digest.update(content)
        digest.update(np.ascontiguousarray(y_N).data)
    return digest.hexdigest()


def _contents(part: Part) -> Iterator[bytes | memoryview]:
    """What stands for the samples: themselves, or the identity of those that are streamed."""
    stored = part.images.x_NCHW
    if isinstance(stored, np.ndarray):
        yield from (np.ascontiguousarray(chunk).data for chunk in chunks(stored, part.places_N))
    else:
        yield stored.identity(part.places_N)
