"""The `hybrid-uniform` method: `hybrid-front` without the learning, what that has to beat.

Both draw architectures by the same rules and train each once, through as many stages for as many epochs. Here
a stage trains the allocation that `uniform` would train for itself on that architecture, from the dearest to
the cheapest, and nothing is learned but weights. So the difference between the two is what learning the bits
is worth, and the difference between this method and `uniform` is what drawing architectures and training
through a front are.
"""

from __future__ import annotations

from dataclasses import replace

from models.allocation import Bounds
from search.architecture import Chosen
from search.strategies.hybrid_front import HybridFrontSearch
from search.strategies.uniform_front import dearest_first
from search.strategy import FixedFront, StudyContext


class HybridUniformSearch(HybridFrontSearch):
    """Rounds of descents through uniform allocations, each on an architecture that Optuna draws."""

    name = "hybrid-uniform"

    def _reached(self, context: StudyContext) -> Bounds:
        return context.bounds

    def _descent(self, chosen: Chosen, trials: int) -> FixedFront:
        context = replace(self._context.on(chosen), trials=trials)
        allocations = dearest_first(context, len(self._stages(context)))
        return FixedFront(allocations=tuple(allocations), trials=trials, note={}, settings=chosen)
