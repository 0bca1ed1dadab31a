"""When bits are frozen, and at what: fitted under the limits once they are learned (models.repair).

A limit on a measured cost (`ns_ace`, `sops`) is foreseen at reference rates. A training that learns its bits
keeps such a limit M at the spike rates of its own network (decision 35), on the validation split, as the cost
of a point is measured:

    while bits learn    measured before every epoch but the first, for the penalty
    when they freeze    measured again, for the fit
    in fine-tuning      before every epoch: where the cost has left [NEAR M, M], the bits are fitted anew
    at the end          where the cost is above M, bits are lowered until it is not
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch

from models.allocation import Allocation, Bounds
from models.cost import MEASURED_METRICS, LayerShape, Limit
from models.errors import InfeasibleError
from models.functional import Renewal
from models.nets import Network
from models.repair import fit, least_allocation
from models.replicas import Replicas
from models.slack import NEAR, used_share
from workers.data import Samples
from workers.evaluation import spike_rates
from workers.placement import Placement
from workers.progress import Progress
from workers.steering import Rates, at_rates
from workers.tally import Tally

ROUNDS, TIGHTER = 8, 0.997
"""How often bits are lowered at the end, and by how much tighter a limit each time: fewer levels may fire
more often.
"""
Limits = Sequence[Limit]


def follows_rates(limits: Limits) -> bool:
    """Whether any of the limits is on a measured cost."""
    return any(limit.metric in MEASURED_METRICS for limit in limits)


@dataclass(frozen=True, kw_only=True, slots=True)
class Freezing:
    """Freezes a network at bits that keep limits; `images` are those that spike rates are measured on."""

    network: Network
    layers: tuple[LayerShape, ...]
    bounds: Bounds
    images: Samples
    placement: Placement
    replicas: Replicas
    renewal: Renewal

    def learned(self, progress: Progress, limits: Limits, tally: Tally) -> Progress:
        """At the end of learning."""
        rates = self.rates() if follows_rates(limits) else None
        return self._at(self._fitted(limits, rates), replace(progress, rates=rates), tally)

    def before_epoch(self, progress: Progress, limits: Limits, tally: Tally) -> Progress:
        """Measure the rates that the epoch goes by; frozen bits that have left the limits are fitted anew."""
        if not follows_rates(limits) or not progress.step:
            return progress
        rates, allocation = self.rates(), progress.allocation
        progress = replace(progress, rates=rates)
        if allocation is None or NEAR <= self._share(limits, rates, allocation) <= 1.0:
            return progress
        return self._at(self._fitted(limits, rates), progress, tally)

    def at_end(self, progress: Progress, limits: Limits, tally: Tally) -> Progress:
        """Lower bits whose measured cost is above its limit, before a point is made of them."""
        if progress.allocation is None or not follows_rates(limits):
            return progress
        for number in range(ROUNDS):
            rates, allocation = self.rates(), self.network.allocation()
            progress = replace(progress, rates=rates)
            if self._share(limits, rates, allocation) <= 1.0:
                break
            tighter = [replace(limit, maximum=limit.maximum * TIGHTER**number) for limit in limits]
            progress = self._at(self._fitted(tighter, rates), progress, tally)
        return progress

    def rates(self) -> Mapping[str, float]:
        """The mean over steps of each layer's rates, alike for all replicas; the network keeps its mode."""
        training = self.network.training
        measured = spike_rates(self.network, self.images, self.placement)
        self.network.train(training)
        means = torch.tensor(
            [sum(rates_T) / len(rates_T) for rates_T in measured.values()],
            dtype=torch.float64,
            device=self.placement.device,
        )
        self.replicas.follow_first([means])
        return dict(zip(measured, means.tolist(), strict=True))

    def _fitted(self, limits: Limits, rates: Rates) -> Allocation:
        """Bits nearest to those of the network; the least ones where none keep the limits at its rates."""
        try:
            return fit(self.network.wish(), self.layers, self.bounds, at_rates(limits, rates))
        except InfeasibleError:
            if rates is None:
                raise
            return least_allocation(self.layers, self.bounds)

    def _at(self, allocation: Allocation, progress: Progress, tally: Tally) -> Progress:
        tally.add_renewals(
            self.network.freeze(allocation, "search" if self.renewal == "search" else "closed_form")
        )
        self.agree()
        return replace(progress, allocation=allocation)

    def agree(self) -> None:
        """Renewal by search looks at the samples that a neuron kept, of which each replica has its own."""
        self.replicas.follow_first(list(self.network.step_size_parameters()))

    def _share(self, limits: Limits, rates: Rates, allocation: Allocation) -> float:
        """The cost over its limit, of the limit that is closest to being broken."""
        return used_share(allocation, self.layers, at_rates(limits, rates))
