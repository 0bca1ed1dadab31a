"""A comparison in one plain sentence, which claims no more than its intervals do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import assert_never

from search.comparison.intervals import MOST_SEEDS
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
            return f"{subject} beats {_listed(pairs, _points)}"
        case "worse":
            return f"{subject} loses to {_listed(pairs, _points)}"
        case "undecided":
            return f"no verdict on {subject} against {_listed(pairs, _settled)}"
        case "nothing":
            return f"nothing to compare with {_listed(pairs, lambda _: '')}"
        case _:
            assert_never(outcome)


def _listed(pairs: Sequence[Pair], remark: Callable[[Pair], str]) -> str:
    """Names, each with a remark in brackets where there is one."""
    said = [f"{pair.against} ({found})" if (found := remark(pair)) else pair.against for pair in pairs]
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"


def _points(pair: Pair) -> str:
    return f"{100 * pair.difference.value:+.2f} points" if pair.difference else ""


def _settled(pair: Pair) -> str:
    """How many seeds would likely settle an undecided difference."""
    needed = f"over {MOST_SEEDS}" if pair.seeds_needed is None else f"about {pair.seeds_needed}"
    return f"{needed} seeds to settle it"
