"""`bitfront rerun`: what it asks of the trainer, and what it says of the outcome."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer

from models.cost import COST_VERSIONS
from service.commands import rerun
from service.views import PointView
from workers.report import PointResult, TrialOutcome, TrialRequest

ALLOCATION = {"conv1": {"steps": 1, "spike_bits": [2], "weight_bits": 2}}
RESULT = PointResult(
    allocation=ALLOCATION,
    costs={},
    cost_versions=dict(COST_VERSIONS),
    rates={},
    validation_accuracy=0.75,
    test_accuracy=0.5,
    checkpoint="point-0.safetensors",
    checkpoint_sha256="0",
)
OTHER = {"conv1": {"steps": 1, "spike_bits": [1], "weight_bits": 2}}


@pytest.fixture
def stored() -> PointView:
    """A point as the service tells it."""
    return PointView.model_validate(
        {
            "id": "point-0123456789abcdef",
            "trial_id": "trial-0123456789abcdef",
            "job_id": "job-0123456789abcdef",
            "method": "random",
            "seed": 3,
            "allocation": ALLOCATION,
            "costs": {},
            "cost_versions": {},
            "rates": {},
            "validation_accuracy": 0.75,
            "test_accuracy": 0.5,
            "score": 0.75,
            "test_score": 0.5,
            "feasible": True,
            "checkpoint_sha256": "0",
            "provenance": {"threads": 3},
            "spec": {"name": "a"},
            "proposal": {"kind": "fixed_bits"},
            "created_at": "2026-01-01T00:00:00Z",
        }
    )


@pytest.fixture
def again(monkeypatch: pytest.MonkeyPatch, stored: PointView) -> Callable[..., list[Any]]:
    """Runs the command with a trainer that reaches given results; returns what the trainer was asked."""

    def run(*results: PointResult) -> list[Any]:
        asked: list[Any] = []

        def train(
            request: TrialRequest, *, checkpoints: Path, data_folder: Path, threads: int, report: object
        ) -> TrialOutcome:
            asked.extend([request, threads, data_folder, checkpoints.is_dir(), list(checkpoints.iterdir())])
            return TrialOutcome(points=results, epochs=1, samples=1)

        monkeypatch.setattr("workers.trial.run_trial", train)
        monkeypatch.setattr(rerun, "client_of", lambda context: _Client(stored))
        rerun.rerun(_no_context(), stored.id, Path("/somewhere"))
        return asked

    return run


class _Client:
    def __init__(self, stored: PointView) -> None:
        self._stored = stored

    def point(self, point_id: str) -> PointView:
        assert point_id == self._stored.id
        return self._stored


def _no_context() -> typer.Context:
    return typer.Context(typer.main.get_command(typer.Typer(callback=lambda: None)))


def test_trains_from_what_was_stored(again: Callable[[PointResult], list[Any]], stored: PointView) -> None:
    request, threads, data_folder, made, content = again(RESULT)
    assert request == TrialRequest(trial_id="rerun", spec=stored.spec, proposal=stored.proposal, seed=3)
    assert threads == 3
    assert data_folder == Path("/somewhere/data")
    assert made
    assert content == []  # nothing that it could resume from


def test_says_that_it_is_the_same(
    again: Callable[[PointResult], list[Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    again(RESULT)
    assert "The same." in capsys.readouterr().out


@pytest.mark.parametrize(
    "result",
    [
        replace(RESULT, validation_accuracy=0.75 + 1e-9),
        replace(RESULT, test_accuracy=0.4),
        replace(RESULT, allocation=OTHER),
    ],
)
def test_exits_1_when_anything_differs(
    again: Callable[[PointResult], list[Any]], capsys: pytest.CaptureFixture[str], result: PointResult
) -> None:
    with pytest.raises(typer.Exit) as caught:
        again(result)
    assert caught.value.exit_code == 1
    assert "Not the same." in capsys.readouterr().out


def test_a_point_is_compared_with_the_one_in_the_same_place_of_its_trial(
    again: Callable[..., list[Any]],
    stored: PointView,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    second = stored.model_copy(update={"ordinal": 1})
    monkeypatch.setattr(_Client, "point", lambda _, __: second)
    worse = replace(RESULT, test_accuracy=0.4)
    again(worse, RESULT, worse)
    assert "The same." in capsys.readouterr().out
    for results in ((RESULT, worse), (RESULT,)):
        with pytest.raises(typer.Exit):
            again(*results)
