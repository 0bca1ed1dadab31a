"""The forward and backward pass of a batch: whole, in parts, on one replica of several, or as a recording.

It leaves the gradients of the batch in the parameters. `parts` says how those of parts add up.
"""

from __future__ import annotations

import torch

from models.nets import Network
from models.replicas import Replicas
from search.recipe import TrainingSpec
from workers.data.loader import Batch
from workers.losses import loss_of
from workers.parts import Thresholds, own_parts
from workers.placement import Placement
from workers.recording import RecordedPass, Result


class Passes:
    """How the batches of a training go through a network; `recorded` takes those that are computed whole."""

    def __init__(
        self,
        network: Network,
        recipe: TrainingSpec,
        placement: Placement,
        replicas: Replicas,
        *,
        recorded: RecordedPass | None = None,
    ) -> None:
        self.network = network
        self.recipe = recipe
        self.placement = placement
        self.replicas = replicas
        self.recorded = recorded

    def run(self, batch: Batch, *, learning: bool) -> Result:
        """Gradients of the loss, a part of the batch at a time; the mean loss and the count of right ones.

        `learning` says whether bits have gradients.
        """
        parts = own_parts(batch, self.recipe.accumulate, self.replicas)
        if len(parts) > 1 or self.replicas.size > 1:
            return self._in_parts(parts, len(batch.y_B))
        if self.recorded is None:
            return self.whole(batch)
        return self.recorded.run(batch, self.whole, learning=learning)

    def whole(self, batch: Batch, share: float = 1.0) -> Result:
        """The same of a batch at once, or of a part that makes up a share of its batch."""
        with self.placement.precision():
            logits_TBK = self.network.frame_logits(self.placement.batch(batch.x))
            own = loss_of(logits_TBK, batch.target, self.recipe) if share else logits_TBK.sum()
            loss = own * share  # the sum over no sample is 0, and a graph as on every other replica
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        right = (logits_TBK.detach().mean(0).argmax(1) == batch.y_B).sum()
        return loss.detach(), right

    def _in_parts(self, parts: list[Batch], samples: int) -> Result:
        thresholds = Thresholds(self.network)
        found = []
        for part in parts:
            share = len(part.y_B) / samples
            found.append(self.whole(part, share))
            thresholds.add(share)
        thresholds.give()
        losses, right = zip(*found, strict=True)
        sums = torch.stack([torch.stack(losses).sum().double(), torch.stack(right).sum().double()])
        self.replicas.add_up([sums])
        self.replicas.add_up([p.grad for p in self.network.parameters() if p.grad is not None])
        return sums[0], sums[1].long()
