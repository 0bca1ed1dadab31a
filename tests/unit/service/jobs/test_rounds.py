"""A study counts the trials of a round by their shares, and numbers them one by one."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from models.cost import Limit
from search.strategy import LearnBits, LearnFront, Proposal, TrialResult
from service.jobs.rounds import StudyRun
from service.store.studies import PlannedTrial, StoredPoint, StoredTrial

LIMIT = Limit(metric="bit_budget", maximum=4.0)
SINGLE = LearnBits(budget=LIMIT, note={})


def descent(trials: int) -> LearnFront:
    return LearnFront(budgets=(LIMIT,), trials=trials, note={})


class Scripted:
    """Asks given rounds."""

    def __init__(self, *rounds: Sequence[Proposal]) -> None:
        self._rounds = list(rounds)

    def ask(self) -> Sequence[Proposal]:
        return self._rounds[0] if self._rounds else ()

    def tell(self, results: Sequence[TrialResult]) -> None:
        self._rounds.pop(0)


def study(*rounds: Sequence[Proposal], trials: int) -> StudyRun:
    return StudyRun(
        study_id="study", seed=0, strategy=Scripted(*rounds), trials=trials, fingerprint=lambda _: "f"
    )


def ended(planned: Sequence[PlannedTrial]) -> list[StoredTrial]:
    point = StoredPoint(allocation={}, score=0.5, budget_cost=1.0)
    return [
        StoredTrial(id=f"trial-{trial.number}", planned=trial, state="succeeded", points=(point,))
        for trial in planned
    ]


def shares(planned: Sequence[PlannedTrial]) -> list[int]:
    return [trial.share for trial in planned]


@pytest.mark.parametrize(
    ("trials", "kept"), [(1, [1]), (2, [1]), (3, [1]), (4, [1, 3]), (5, [1, 3, 1]), (9, [1, 3, 1])]
)
def test_a_round_ends_before_the_first_trial_that_the_share_has_no_room_for(
    trials: int, kept: list[int]
) -> None:
    assert shares(study([SINGLE, descent(3), SINGLE], trials=trials).next_round()) == kept


def test_what_is_left_and_the_numbers_follow_from_the_rounds_that_were_told() -> None:
    run = study([descent(3), SINGLE], [SINGLE, SINGLE, SINGLE], [SINGLE], trials=6)
    first = run.next_round()
    assert (shares(first), [trial.number for trial in first]) == ([3, 1], [0, 1])
    run.take_in(ended(first))
    second = run.next_round()
    assert (shares(second), [trial.number for trial in second]) == ([1, 1], [2, 3])
    run.take_in(ended(second))
    assert run.next_round() == []


def test_a_resumed_study_has_as_much_left_as_an_undisturbed_one() -> None:
    rounds = ([descent(3)], [SINGLE, SINGLE])
    first = study(*rounds, trials=4).next_round()
    resumed = study(*rounds, trials=4)
    resumed.take_in(ended(first))
    assert shares(resumed.next_round()) == [1]
