"""Mini-batches of labelled samples."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from workers.data.samples import Samples

LEAST_BATCH = 2
"""Batch normalisation cannot train on a single sample."""


def batches(
    images: Samples, batch_size: int, *, generator: torch.Generator | None = None
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """(x_BCHW, y_B) of every image once: shuffled by the generator, or in order without one.

    When shuffled, for training, a last batch of a single image is left out; in order nothing is.
    """
    for chosen_B in choices(len(images), batch_size, generator=generator):
        yield images.take(chosen_B), images.y_N[chosen_B]


def choices(
    count: int, batch_size: int, *, generator: torch.Generator | None = None
) -> Iterator[torch.Tensor]:
    """The places of each batch, as `batches` takes them."""
    order_N = torch.arange(count) if generator is None else torch.randperm(count, generator=generator)
    least = 1 if generator is None else min(LEAST_BATCH, batch_size)
    return (chosen_B for chosen_B in torch.split(order_N, batch_size) if len(chosen_B) >= least)
