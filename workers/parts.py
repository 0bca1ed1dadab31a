"""A batch computed in parts, for less memory: the gradients of the whole, but for batch normalisation.

    dL = sum_p share_p * dL_p,   share_p = samples of part p / samples of the batch

A neuron's thresholds are an exception: their gradient has the factor 1/sqrt(N) for N elements of the current
(models.functional), and a part has share_p * N, so theirs is  sum_p share_p * sqrt(share_p) * dL_p.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch

from models.nets import Network
from models.replicas import Replicas
from workers.data.loader import Batch
from workers.placement import IMAGE_DIMS

LEAST_PART = 2
"""Batch normalisation cannot train on a single sample."""


def own_parts(batch: Batch, count: int, replicas: Replicas) -> list[Batch]:
    """The parts of a batch that this replica computes: at most `count`, and as many as every other has.

    The part of a replica is empty where a batch has fewer samples than there are replicas.
    """
    if replicas.size == 1:
        return list(parts_of(batch, count))
    count = min(count, max(1, len(batch.y_B) // replicas.size // LEAST_PART))
    return list(parts_of(list(_split(batch, replicas.size))[replicas.rank], count))


def parts_of(batch: Batch, count: int) -> Iterator[Batch]:
    """A batch in at most `count` parts of nearly equal size, none of a single sample."""
    count = min(count, max(1, len(batch.y_B) // LEAST_PART))
    if count == 1:
        yield batch
    else:
        yield from _split(batch, count)


def _split(batch: Batch, count: int) -> Iterator[Batch]:
    samples_at = batch.x.dim() - IMAGE_DIMS  # frames come first
    parts = (
        batch.x.tensor_split(count, dim=samples_at),
        batch.y_B.tensor_split(count),
        batch.target.tensor_split(count),
    )
    for x, y_B, target in zip(*parts, strict=True):
        yield Batch(x=x, y_B=y_B, target=target)


class Thresholds:
    """Sums the gradients of thresholds over the parts of a batch by the formula above."""

    def __init__(self, network: Network) -> None:
        self._thresholds = [layer.neuron.step_sizes for layer in network.layers.values()]
        self._sums: Sequence[torch.Tensor] = [torch.zeros_like(one) for one in self._thresholds]

    def add(self, share: float) -> None:
        """Take the gradients that the backward pass of a part has left."""
        for total, threshold in zip(self._sums, self._thresholds, strict=True):
            if threshold.grad is not None:
                total.add_(threshold.grad, alpha=math.sqrt(share))
                threshold.grad = None

    def give(self) -> None:
        """Leave the sums as the gradients of the whole batch."""
        for total, threshold in zip(self._sums, self._thresholds, strict=True):
            threshold.grad = total
