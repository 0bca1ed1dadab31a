"""What every black-box strategy shares: rounds, budgets in turn, fitting, and no allocation twice.

A method brings only its draws: a function from (context, finished rounds, random seed) to an endless
stream of parameters. Proposal i of a study is meant for budget i mod n of search.ladder, under which the
gradient methods learn too; its allocation is fitted under that budget and the constraints. A sample whose
allocation was proposed before is drawn again, at most TRIES times there and then under each budget of the
job; then the proposal is given up, because the space is as good as exhausted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence

import numpy as np

from models.allocation import Allocation
from models.cost import Limit
from search.ladder import budget_ladder
from search.space import Parameters, constrain_sample
from search.strategy import FixedBits, Proposal, StudyContext, TrialResult

TRIES = 16

Rounds = Sequence[Sequence[TrialResult]]
Draws = Callable[[StudyContext, Rounds, int], Iterator[Parameters]]
"""Given the finished rounds and a seed for all randomness of the next one, an endless stream of samples."""


class SampledSearch:
    """A strategy that draws, fits and proposes `round_size` allocations per round, after an `opening`."""

    def __init__(
        self,
        context: StudyContext,
        *,
        name: str,
        round_size: int,
        draws: Draws,
        opening: tuple[Proposal, ...] = (),
    ) -> None:
        self._context = context
        self._name = name
        self._round_size = round_size
        self._draws = draws
        self._opening = opening
        self._rounds: tuple[tuple[TrialResult, ...], ...] = ()
        self._asked: tuple[Proposal, ...] | None = None

    def ask(self) -> Sequence[Proposal]:
        """The proposals of the next round; the same again until `tell` is called."""
        if self._asked is None:
            opens = self._opening and not self._rounds
            self._asked = self._opening if opens else tuple(self._next_round())
        return self._asked

    def tell(self, results: Sequence[TrialResult]) -> None:
        """The finished round, in the order in which it was proposed."""
        self._rounds = (*self._rounds, tuple(results))
        self._asked = None

    def _next_round(self) -> Iterator[Proposal]:
        context = self._context
        told = [result.proposal for finished in self._rounds for result in finished]
        taken = {proposal.allocation for proposal in told if isinstance(proposal, FixedBits)}
        seed = round_seed(context.seed, self._name, len(self._rounds))
        samples = self._draws(context, self._rounds, seed)
        left = int(context.trials - sum(result.used for finished in self._rounds for result in finished))
        for place in range(len(told), len(told) + min(self._round_size, left)):
            found = _first_new(samples, context, place, taken)
            if found is None:
                return
            taken.add(found.allocation)
            yield found


def round_seed(seed: int, method: str, round_number: int) -> int:
    """A 32-bit seed that differs between studies, methods and rounds."""
    method_key = int.from_bytes(hashlib.sha256(method.encode()).digest()[:8], "big")
    return int(np.random.SeedSequence([seed, method_key, round_number]).generate_state(1)[0])


def _first_new(
    samples: Iterator[Parameters], context: StudyContext, place: int, taken: Collection[Allocation]
) -> FixedBits | None:
    """A new allocation for the budget whose turn it is, else for the next given budget that still has one."""
    ladder = budget_ladder(context)
    for budget in (ladder[place % len(ladder)], *_in_turn(context.budgets, place)):
        for _ in range(TRIES):
            allocation = constrain_sample(next(samples), context, budget)
            if allocation not in taken:
                return FixedBits(allocation=allocation, note={"budget": budget.maximum})
    return None


def _in_turn(budgets: Sequence[Limit], place: int) -> Sequence[Limit]:
    first = place % len(budgets)
    return (*budgets[first:], *budgets[:first])
