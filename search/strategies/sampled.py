"""What every black-box strategy shares: rounds, budgets in turn, fitting, and no allocation twice.

A method brings only its draws: a function from (context, finished rounds, random seed) to an endless
stream of parameters. Proposal i of a study is meant for budget i mod n of search.ladder, under which the
gradient methods learn too; its allocation is fitted under that budget and the constraints. A sample whose
allocation was proposed before is drawn again, at most TRIES times there and then under each budget of the
job; then the proposal is given up, because the space is as good as exhausted.

With a search space a sample names an architecture too. One that cannot keep the budget and the constraints at
any bits is exchanged for the nearest that can, as bits are repaired; bits are fitted by its own layer table.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence

import numpy as np

from models.allocation import Allocation
from models.cost import Limit
from search.architecture import Chosen, nearest, space_of
from search.feasible import feasible, least_costs
from search.ladder import budget_ladder
from search.space import Parameters, chosen_by, constrain_sample, unused
from search.strategy import FixedBits, Proposal, StudyContext, TrialResult

TRIES = 16
UNUSED = "unused"
"""The place in a note of the parameters that were drawn for layers which the architecture lacks."""

Identity = tuple[Chosen, Allocation]

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
        self._costs = least_costs(context, context.bounds)
        self._ladder = budget_ladder(context)
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
        taken = {_identity(proposal) for proposal in told if isinstance(proposal, FixedBits)}
        seed = round_seed(context.seed, self._name, len(self._rounds))
        samples = self._draws(context, self._rounds, seed)
        left = int(context.trials - sum(result.used for finished in self._rounds for result in finished))
        for place in range(len(told), len(told) + min(self._round_size, left)):
            found = self._first_new(samples, place, taken)
            if found is None:
                return
            taken.add(_identity(found))
            yield found

    def _first_new(
        self, samples: Iterator[Parameters], place: int, taken: Collection[Identity]
    ) -> FixedBits | None:
        """A new one for the budget whose turn it is, else for the next given budget that still has one."""
        meant = self._ladder[place % len(self._ladder)]
        for budget in (meant, *_in_turn(self._context.budgets, place)):
            for _ in range(TRIES):
                found = self._fitted(next(samples), budget)
                if _identity(found) not in taken:
                    return found
        return None

    def _fitted(self, sample: Parameters, budget: Limit) -> FixedBits:
        """The architecture and allocation of a sample, or the nearest ones that keep the limits."""
        context = self._context
        among, space = feasible(self._costs, budget), space_of(context.architectures)
        there = context.on(nearest(chosen_by(sample, context), among, space))
        left = unused(sample, there)
        return FixedBits(
            allocation=constrain_sample(sample, there, budget),
            note={"budget": budget.maximum, **({UNUSED: left} if left else {})},
            settings=there.settings,
        )


def round_seed(seed: int, method: str, round_number: int) -> int:
    """A 32-bit seed that differs between studies, methods and rounds."""
    method_key = int.from_bytes(hashlib.sha256(method.encode()).digest()[:8], "big")
    return int(np.random.SeedSequence([seed, method_key, round_number]).generate_state(1)[0])


def _identity(proposal: FixedBits) -> Identity:
    return proposal.settings, proposal.allocation


def _in_turn(budgets: Sequence[Limit], place: int) -> Sequence[Limit]:
    first = place % len(budgets)
    return (*budgets[first:], *budgets[:first])
