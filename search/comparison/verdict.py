"""A comparison in one plain sentence, which claims no more than its intervals do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from search.comparison.intervals import MOST_SEEDS, Interval
from search.comparison.results import Outcome, Pair

ORDER: tuple[Outcome, ...] = ("better", "worse", "undecided", "nothing")


def verdict_of(subject: str, pairs: Sequence[Pair], refusal: str | None) -> str:
    """Whom the subject beats, to whom it loses, and whom it cannot be told from."""
    if refusal is not None:
        return f"No verdict: {refusal}."
    if not pairs:
        return f"No verdict: {subject} is the only method."
    said = [
        _clause(subject, outcome, [pair for pair in pairs if pair.outcome == outcome]) for outcome in ORDER
    ]
    sentence = "; ".join(clause for clause in said if clause)
    return f"{sentence}." if sentence.startswith(subject) else f"{sentence[:1].upper()}{sentence[1:]}."


def _clause(subject: str, outcome: Outcome, pairs: Sequence[Pair]) -> str:
    if not pairs:
        return ""
    match outcome:
        case "better":
            return f"{subject} beats {_listed(pairs)}"
        case "worse":
            return f"{subject} loses to {_listed(pairs)}"
        case "undecided":
            return f"no verdict on {subject} against {_listed(pairs)}"
        case "nothing":
            return f"nothing to compare with {', '.join(pair.against for pair in pairs)}"
        case _:
            assert_never(outcome)


def _listed(pairs: Sequence[Pair]) -> str:
    return ", ".join(f"{pair.against} ({_measured(pair)})" for pair in pairs)


def _measured(pair: Pair) -> str:
    """The difference in points with its interval, and what would settle an undecided one."""
    words = _points(pair.difference)
    if pair.outcome != "undecided":
        return words
    if pair.seeds_needed is None:
        return f"{words}; not even {MOST_SEEDS} seeds would likely settle it"
    return f"{words}; about {pair.seeds_needed} seeds would likely settle it"


def _points(difference: Interval | None) -> str:
    if difference is None or difference.low is None or difference.high is None:
        return "no interval"
    value, low, high = (100 * one for one in (difference.value, difference.low, difference.high))
    return f"{value:+.2f} points, 95 % interval {low:+.2f} to {high:+.2f}"
