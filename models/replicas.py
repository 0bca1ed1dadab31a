"""Replicas of a network that train on parts of the same batches, each in a process of its own.

    L = sum_r L_r                       the loss of a batch over the replicas r, each L_r weighed by its share
    dL/dtheta = sum_r dL_r/dtheta       what every replica steps with, so that all stay equal
    m = sum_r sum_i x_ri / n,   v = sum_r sum_i (x_ri - m)^2 / n,   n = sum_r n_r      of a batch norm

A total over replicas carries gradients: dL/dx_r is the sum over all replicas of dL_s/dtotal. Sums come out
equal on every replica, bit for bit. `ALONE` is a network without others, which asks nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import distributed

from models.errors import ReplicaLostError, ReplicasApartError


@dataclass(frozen=True, kw_only=True, slots=True)
class Replicas:
    """The replicas of one training, of which this process has the one with the number `rank`."""

    rank: int
    size: int

    def __post_init__(self) -> None:
        if not 0 <= self.rank < self.size:
            raise ValueError(f"there is no replica {self.rank} of {self.size}")

    @classmethod
    def of_process_group(cls) -> Replicas:
        """One for each process of torch's default process group."""
        return cls(rank=distributed.get_rank(), size=distributed.get_world_size())

    @property
    def first(self) -> bool:
        """Whether this is the one that writes for all."""
        return self.rank == 0

    def total(self, x: torch.Tensor) -> torch.Tensor:
        """The sum of a tensor over all replicas, differentiable."""
        if self.size == 1:
            return x
        total: torch.Tensor = _Total.apply(x)  # type: ignore[no-untyped-call]  # torch leaves it untyped
        return total

    def whole(self, part: torch.Tensor, dim: int) -> torch.Tensor:
        """The parts of all replicas, in their order, as one; without gradients."""
        if self.size == 1:
            return part
        lengths = torch.zeros(self.size, dtype=torch.int64, device=part.device)
        lengths[self.rank] = part.shape[dim]
        self.add_up([lengths])
        own = part.detach().movedim(dim, 0)
        parts = [own.new_empty((int(length), *own.shape[1:])) for length in lengths]
        parts[self.rank].copy_(own)
        for rank, one in enumerate(parts):
            _answered(partial(distributed.broadcast, one, src=rank))
        return torch.cat(parts).movedim(0, dim)

    def add_up(self, tensors: Iterable[torch.Tensor]) -> None:
        """Put the sum over all replicas in the place of each tensor."""
        if self.size > 1:
            _through_one(list(tensors), distributed.all_reduce)

    def follow_first(self, tensors: Iterable[torch.Tensor]) -> None:
        """Put what the first replica has in the place of each tensor."""
        if self.size > 1:
            _through_one(list(tensors), lambda one: distributed.broadcast(one, src=0))

    def require_alike(self, tensors: Iterable[torch.Tensor]) -> None:
        """Raises ReplicasApartError on a replica that holds other values than the first."""
        if self.size == 1:
            return
        own = torch.stack([one.detach().double().sum() for one in tensors]).nan_to_num()  # NaN equals nothing
        first = own.clone()
        self.follow_first([first])
        if not torch.equal(own, first):
            raise ReplicasApartError(
                f"replica {self.rank} of {self.size} holds another network than the first.",
                fix="Train it in one process; and tell us, for this must not be.",
            )


ALONE = Replicas(rank=0, size=1)


class _Total(torch.autograd.Function):
    """The sum over replicas, forward and backward."""

    @staticmethod
    def forward(_: Any, x: torch.Tensor) -> torch.Tensor:
        return _summed(x)

    @staticmethod
    def backward(_: Any, *upstream: torch.Tensor) -> torch.Tensor:
        return _summed(upstream[0])


def _summed(x: torch.Tensor) -> torch.Tensor:
    total = x.contiguous().clone()
    _answered(lambda: distributed.all_reduce(total))
    return total


def _answered(ask: Callable[[], object]) -> None:
    """Raises ReplicaLostError where another replica has ended or does not answer in time."""
    try:
        ask()
    except (RuntimeError, ValueError) as error:  # torch raises both, the latter once the group is gone
        raise ReplicaLostError(f"another process of the training does not answer: {error}.") from error


@torch.no_grad()
def _through_one(tensors: Sequence[torch.Tensor], work: Any) -> None:
    """Many small tensors as one message; in float64 where they differ in kind, which holds each exactly."""
    if not tensors:
        return
    kinds = {one.dtype for one in tensors}
    kind = kinds.pop() if len(kinds) == 1 else torch.float64
    message = torch.cat([one.detach().flatten().to(kind) for one in tensors])
    _answered(lambda: work(message))
    parts = torch.split(message, [one.numel() for one in tensors])
    for one, part in zip(tensors, parts, strict=True):
        one.copy_(part.view_as(one))
