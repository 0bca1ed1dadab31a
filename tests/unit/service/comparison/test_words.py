"""How the numbers of a comparison read."""

from __future__ import annotations

from typing import Any

import pytest

from service.comparison.views import IntervalView, PairView
from service.comparison.words import (
    difference_words,
    factor_words,
    outcome_words,
    seeds_words,
    share_words,
)

FULL = IntervalView(value=0.0132, low=-0.004, high=0.0304, seeds=3)
ONE = IntervalView(value=0.9, low=None, high=None, seeds=1)


def pair(**changes: Any) -> PairView:
    fields = {
        "method": "gradient",
        "against": "random",
        "difference": FULL,
        "outcome": "undecided",
        "compute_factor": None,
        "compute_searched": 1.0,
        "seeds_needed": None,
    }
    return PairView.model_validate({**fields, **changes})


def test_intervals_stand_in_brackets_and_differences_have_a_sign():
    assert difference_words(FULL) == "+1.32 (-0.40 to +3.04)"
    assert share_words(FULL) == "1.32 (-0.40 to 3.04)"
    assert (share_words(ONE), difference_words(ONE)) == ("90.00", "+90.00")
    assert (share_words(None), difference_words(None)) == ("–", "–")


def test_a_factor_that_was_not_found_says_how_far_was_looked():
    assert factor_words(pair()) == "not reached within 1 x"
    assert factor_words(pair(compute_searched=0.5)) == "not reached within 0.5 x"
    assert factor_words(pair(compute_factor=1.25)) == "1.2 x"


def test_seeds_are_counted_only_for_what_is_undecided():
    assert seeds_words(pair()) == "more than 100"
    assert seeds_words(pair(seeds_needed=12)) == "about 12"
    assert seeds_words(pair(outcome="better")) == "–"
    assert seeds_words(pair(outcome="refused")) == "–"


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ("better", "better"),
        ("worse", "worse"),
        ("undecided", "no verdict"),
        ("refused", "no verdict"),
        ("nothing", "nothing to compare"),
    ],
)
def test_only_a_decided_outcome_takes_sides(outcome, words):
    assert outcome_words(outcome) == words
