"""Verdicts on search against `uniform`: won, lost, or none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from service.store import Store
from service.web import formats, verdict

MakeJob = Callable[..., str]


def seeds(method: str, *accuracies: float) -> dict[tuple[str, int], float]:
    """Accuracies of a method by seed."""
    return {(method, seed): accuracy for seed, accuracy in enumerate(accuracies)}


def verdicts(api_store: Store, job_id: str, accuracy: Any = "validation") -> Any:
    with api_store.unit() as unit:
        return verdict.budget_verdicts(unit.jobs.get(job_id), accuracy)


def test_search_beats_where_no_seeds_overlap(api_store: Store, job_with_points: MakeJob) -> None:
    job_id = job_with_points(accuracies=seeds("random", 0.8, 0.82) | seeds("uniform", 0.7, 0.72))
    first, last = verdicts(api_store, job_id)
    assert (first.budget, last.budget) == (2, 4)
    assert last.headline.replace(formats.NARROW, " ") == "Search beat uniform by 10.0 points"
    assert plain(last.sentences[0]) == (
        "random beat uniform: 81.0 % (80.0 to 82.0) against 71.0 % (70.0 to 72.0)."
    )
    assert first.outcome == "few_seeds"  # only seed 0 has a point at that cost


def test_search_loses_and_it_is_said(api_store: Store, job_with_points: MakeJob) -> None:
    job_id = job_with_points(accuracies=seeds("random", 0.6, 0.62) | seeds("uniform", 0.7, 0.72))
    last = verdicts(api_store, job_id)[-1]
    assert last.outcome == "lost"
    assert last.headline.startswith("Search lost to uniform by 10.0")
    assert "random lost to uniform" in last.sentences[0]


def test_there_is_no_verdict_where_seeds_overlap(api_store: Store, job_with_points: MakeJob) -> None:
    job_id = job_with_points(accuracies=seeds("random", 0.7, 0.82) | seeds("uniform", 0.6, 0.72))
    last = verdicts(api_store, job_id)[-1]
    assert (last.outcome, last.headline) == ("overlap", "No verdict")
    assert "the ranges of the seeds overlap" in last.sentences[0]


def test_a_spread_of_nothing_is_none() -> None:
    assert verdict.spread([]) is None
    assert verdict.spread([0.5, 0.7]) == verdict.Spread(
        mean=pytest.approx(0.6), least=0.5, greatest=0.7, seeds=2
    )


def plain(text: str) -> str:
    """The text with ordinary spaces."""
    return text.replace(formats.NARROW, " ")


def test_a_baseline_that_beats_uniform_is_no_search_that_does(
    api_store: Store, job_with_points: MakeJob, spec: dict[str, Any]
) -> None:
    spec["methods"] = ["random", "uniform-front"]
    found = seeds("uniform-front", 0.8, 0.82) | seeds("uniform", 0.7, 0.72) | seeds("random", 0.6, 0.62)
    last = verdicts(api_store, job_with_points(accuracies=found))[-1]
    assert last.headline.startswith("Search lost to uniform")
    assert last.outcome == "lost"
    assert last.sentences[0].startswith("uniform-front beat uniform")
