"""What the methods share whose architectures Optuna's TPE draws.

TPE has a categorical parameter for each setting of the search space and nothing else. It is told the score
(up) and the log cost (down) of each trial.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

from models.allocation import Bounds
from search.architecture import Chosen
from search.feasible import least_costs
from search.space import chosen_by, setting_bounds
from search.strategies.optuna_search import OptunaDraws, tpe
from search.strategies.sampled import round_seed
from search.strategy import Proposal, StudyContext, TrialResult


class DrawnSearch(ABC):
    """Rounds of proposals on drawn architectures; `_costs` has the least of each that its bits can reach."""

    name: str
    """Of the method: its draws follow from it, the seed and the round."""

    def __init__(self, context: StudyContext) -> None:
        self._context = context
        self._costs = least_costs(context, self._reached(context))
        self._draws = OptunaDraws(tpe, bounds=_bounds)
        self._rounds: tuple[tuple[TrialResult, ...], ...] = ()
        self._asked: tuple[Proposal, ...] | None = None

    def _reached(self, context: StudyContext) -> Bounds:
        """The bounds inside which the method finds bits: those of learning, unless it learns none."""
        return context.options.learning_bounds()

    def ask(self) -> Sequence[Proposal]:
        """The proposals of the next round; the same again until `tell` is called."""
        if self._asked is None:
            self._asked = tuple(self._next_round())
        return self._asked

    def tell(self, results: Sequence[TrialResult]) -> None:
        """The finished round, in the order in which it was proposed."""
        self._rounds = (*self._rounds, tuple(results))
        self._asked = None

    @abstractmethod
    def _next_round(self) -> Iterator[Proposal]: ...

    def _told(self) -> list[Proposal]:
        """What was proposed in finished rounds."""
        return [result.proposal for finished in self._rounds for result in finished]

    def _drawn(self, context: StudyContext) -> Iterator[Chosen]:
        """Architectures for the next round; the trials of the context say how long TPE draws at random."""
        seed = round_seed(context.seed, self.name, len(self._rounds))
        return (chosen_by(sample, context) for sample in self._draws(context, self._rounds, seed))


def _bounds(context: StudyContext) -> dict[str, tuple[int, int]]:
    return setting_bounds(context.architectures)
