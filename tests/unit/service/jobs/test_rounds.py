"""A study counts the trials of a round by their shares, and numbers them one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import pytest

from models.allocation import Allocation, LayerBits
from models.cost import Limit
from search.job import EarlyStoppingSpec
from search.strategy import FixedBits, LearnBits, LearnFront, Proposal, TrialResult
from service.jobs.rounds import StudyRun, trial_result
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


BITS = [
    FixedBits(
        allocation=Allocation(
            layers={"body": LayerBits.uniform(steps=1, spike_bits=1, weight_bits=weight_bits)}
        ),
        note={"budget": 4.0},
    )
    for weight_bits in range(1, 9)
]


def stopping_study(*rounds: Sequence[Proposal], trials: int) -> StudyRun:
    """A study of trials with four epochs."""
    return StudyRun(
        study_id="study",
        seed=0,
        strategy=Scripted(*rounds),
        trials=trials,
        fingerprint=lambda proposal: "with bars" if proposal["note"].get("bars") else "f",
        epochs=4,
        stopping=EarlyStoppingSpec(min_epoch=2),
    )


def with_curves(trials: Sequence[StoredTrial], *firsts: float) -> list[StoredTrial]:
    return [
        replace(trial, epochs_done=4, scores=(first,) * 4)
        for trial, first in zip(trials, firsts, strict=True)
    ]


def test_bars_are_the_medians_of_the_finished_rounds() -> None:
    run = stopping_study(BITS[:3], BITS[3:5], trials=9)
    first = run.next_round()
    assert all("bars" not in trial.proposal["note"] for trial in first)
    run.take_in(with_curves(ended(first), 0.5, 0.7, 0.6))
    for trial in run.next_round():
        assert trial.proposal["note"] == {"budget": 4.0, "bars": {"2": 0.6, "3": 0.6}}


def test_failed_trials_and_those_that_learn_their_bits_set_no_bars() -> None:
    run = stopping_study([*BITS[:2], SINGLE, BITS[2]], [BITS[3], SINGLE], trials=9)
    first = with_curves(ended(run.next_round()), 0.5, 0.5, 0.5, 0.5)
    run.take_in([*first[:3], replace(first[3], state="failed", points=())])
    assert all("bars" not in trial.proposal["note"] for trial in run.next_round())


def test_what_a_stopped_trial_leaves_goes_to_further_trials_of_its_study() -> None:
    rounds = (BITS[:3], BITS[3:6])
    run = stopping_study(*rounds, trials=4)
    planned = run.next_round()
    done = with_curves(ended(planned), 0.5, 0.5, 0.5)
    stopped = [replace(trial, state="pruned", points=(), epochs_done=2) for trial in done]
    run.take_in(stopped)
    assert len(run.next_round()) == 2  # 4 - 3/2 leaves room for two whole ones
    undisturbed = stopping_study(*rounds, trials=4)
    undisturbed.take_in(done)
    assert len(undisturbed.next_round()) == 1


def test_a_stopped_trial_is_told_with_what_it_used_and_without_a_point() -> None:
    (planned,) = stopping_study(BITS[:1], trials=1).next_round()
    (done,) = ended([planned])
    told = trial_result(replace(done, state="pruned", points=(), epochs_done=3), 4)
    assert (told.allocation, told.score, told.used) == (None, None, Fraction(3, 4))
