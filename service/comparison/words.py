"""How the numbers of a comparison read, on the page and on the command line alike.

Hypervolumes are accuracies averaged over budgets, so they read in per cent, and differences in points.
"""

from __future__ import annotations

from typing import assert_never

from service.comparison.views import IntervalView, Outcome, PairView

NOTHING = "–"
MOST_SEEDS = 100
"""More than these are not counted."""


def share_words(interval: IntervalView | None) -> str:
    """A share in per cent with its interval."""
    return " ".join(share_parts(interval)).strip()


def difference_words(interval: IntervalView | None) -> str:
    """A difference of two shares in percentage points with its interval."""
    return " ".join(difference_parts(interval)).strip()


def share_parts(interval: IntervalView | None) -> tuple[str, str]:
    """The same as value and interval; the interval is empty with one seed."""
    return _parts(interval, "{:.2f}")


def difference_parts(interval: IntervalView | None) -> tuple[str, str]:
    """The same of a difference."""
    return _parts(interval, "{:+.2f}")


def outcome_words(outcome: Outcome) -> str:
    """What the interval says about the subject."""
    match outcome:
        case "better":
            return "better"
        case "worse":
            return "worse"
        case "undecided" | "refused":
            return "no verdict"
        case "nothing":
            return "nothing to compare"
        case _:
            assert_never(outcome)


def factor_words(pair: PairView) -> str:
    """How many times the subject's compute the other method took to come as far."""
    if pair.compute_factor is None:
        return f"not reached within {pair.compute_searched:.2g} x"
    return f"{pair.compute_factor:.2g} x"


def seeds_words(pair: PairView) -> str:
    """How many seeds would likely settle what these did not."""
    if pair.outcome != "undecided":
        return NOTHING
    return f"more than {MOST_SEEDS}" if pair.seeds_needed is None else f"about {pair.seeds_needed}"


def _parts(interval: IntervalView | None, form: str) -> tuple[str, str]:
    if interval is None:
        return NOTHING, ""
    value = form.format(100 * interval.value)
    if interval.low is None or interval.high is None:
        return value, ""
    return value, f"({form.format(100 * interval.low)} to {form.format(100 * interval.high)})"
