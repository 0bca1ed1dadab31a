"""Mini-batches of labelled images."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from workers.data.images import LabelledImages

LEAST_BATCH = 2
"""Batch normalisation cannot train on a single image."""


def batches(
    images: LabelledImages, batch_size: int, *, generator: torch.Generator | None = None
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """(x_BCHW, y_B) of every image once: shuffled by the generator, or in order without one.

    When shuffled, for training, a last batch of a single image is left out; in order nothing is.
    """
    count = len(images.y_N)
    if generator is None:
        yield from zip(
            torch.split(images.x_NCHW, batch_size), torch.split(images.y_N, batch_size), strict=True
        )
        return
    order_N = torch.randperm(count, generator=generator)
    for chosen_B in torch.split(order_N, batch_size):
        if len(chosen_B) >= min(LEAST_BATCH, batch_size):
            yield images.x_NCHW[chosen_B], images.y_N[chosen_B]
