"""An API over a real SQLite store with a small fake catalogue, and a job with hand-made results."""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
import yaml
from fastapi import FastAPI
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from models.cost import COST_VERSIONS, LayerShape
from models.errors import DataMissingError, InfeasibleError
from search.job import JobSpec
from service.api.context import Catalogue
from service.app import create_app
from service.cli import app as command_line
from service.serve import bind, server_of
from service.settings import Settings
from service.store import Store
from service.store.studies import PlannedTrial
from service.views import NamedView
from workers.planning import JobPlan
from workers.report import EpochReport, PointResult, TrialFailure, TrialOutcome

Run = Callable[..., Any]
"""Runs a command; its result."""
LAYERS = (LayerShape(name="conv1", kind="conv", macs=100, weights=10, inputs=16, biases=2),)
CHECKPOINT = b"not really tensors"
CHECKPOINT_SHA256 = hashlib.sha256(CHECKPOINT).hexdigest()


def plan(spec: JobSpec, folder: Path) -> JobPlan:
    """A plan that says no to two names, as the real one would."""
    if spec.dataset.name == "elsewhere":
        raise DataMissingError("the files are missing.", fix="Get them.", pointer="/dataset/name")
    if min(spec.budget.max) < 1:
        raise InfeasibleError("cannot be reached.", fix="Raise it.", pointer="/budget/max/0")
    return JobPlan(
        layers=LAYERS, cost_ranges={"bit_budget": (1.0, 192.0)}, samples_per_trial=1000, data_stamp="0"
    )


def named(name: str) -> NamedView:
    """Something that a job may name."""
    return NamedView(name=name, summary=f"the {name}", details={})


@pytest.fixture
def spec() -> dict[str, Any]:
    """The least that a job says, with one seed."""
    return {
        "name": "small",
        "architecture": {"name": "conv-net"},
        "dataset": {"name": "digits"},
        "budget": {"max": [2, 4]},
        "methods": ["random"],
        "seeds": [0, 1],
        "compute": {"trials_per_study": 2},
    }


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home of its own."""
    settings = Settings(home=tmp_path, database_url=None, port=8765)
    settings.checkpoints.mkdir()
    return settings


@pytest.fixture
def api_store(settings: Settings, migrated_sqlite: Path) -> Iterator[Store]:
    """A migrated SQLite store."""
    shutil.copy(migrated_sqlite, settings.home / "bitfront.db")
    store = Store.open(settings.database)
    yield store
    store.close()


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    """Keeps the service's log out of what commands print in the same process."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    yield
    structlog.reset_defaults()


@pytest.fixture
def app(settings: Settings, api_store: Store) -> FastAPI:
    """The application over the store."""
    offered = Catalogue(
        plan=plan,
        architectures=lambda: [named("conv-net")],
        datasets=lambda folder: [named("digits")],
        methods=lambda: [named("random"), named("uniform")],
    )
    return create_app(settings, api_store, offered=offered)


@pytest.fixture
def api(app: FastAPI, settings: Settings) -> TestClient:
    """Calls the application as a program on this machine would."""
    return TestClient(app, base_url=settings.url, raise_server_exceptions=False)


@pytest.fixture
def url(app: FastAPI, settings: Settings) -> Iterator[str]:
    """The address of a server on a free port."""
    listener = bind(settings.model_copy(update={"port": 0}))
    server = server_of(settings, app, app.state.context.stopping)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    app.state.context.stopping.set()
    server.should_exit = True
    thread.join()
    listener.close()


@pytest.fixture
def run(url: str) -> Run:
    """Runs a command on a wide terminal that is none."""

    def invoke(*arguments: str, text: str | None = None) -> Any:
        return CliRunner().invoke(
            command_line, ["--url", url, *arguments], input=text, env={"COLUMNS": "200"}
        )

    return invoke


@pytest.fixture
def file(tmp_path: Path, spec: dict[str, Any]) -> Path:
    """The job in a YAML file."""
    path = tmp_path / "job.yaml"
    path.write_text(yaml.safe_dump(spec))
    return path


@pytest.fixture
def job_with_points(
    api: TestClient, api_store: Store, settings: Settings, spec: dict[str, Any]
) -> Callable[..., str]:
    """Makes a job whose every study has one point (or failure), running or ended; returns its id."""

    def make(*, end: bool = True, accuracies: dict[tuple[str, int], float] | None = None) -> str:
        job_id = str(api.post("/v1/jobs", json=spec).json()["id"])
        with api_store.unit() as unit:
            claim = unit.jobs.claim("test", 60)
            assert claim is not None
            unit.studies.prepare(claim)
            studies = unit.jobs.get(job_id).studies
        for study in studies:
            accuracy = (accuracies or {}).get((study.method, study.seed), 0.5 + 0.1 * study.seed)
            _run(api_store, settings, claim, study.id, _outcome(accuracy, 1.5 + study.seed))
        if end:
            with api_store.unit() as unit:
                unit.jobs.finish(claim, "succeeded")
        return job_id

    return make


def _run(store: Store, settings: Settings, claim: Any, study_id: str, outcome: TrialOutcome) -> None:
    with store.unit() as unit:
        unit.studies.plan(claim, study_id, [_planned(number, study_id) for number in (0, 1)])
        trials = unit.studies.trials(study_id)
    first, second = trials[0].id, trials[1].id
    with store.unit() as unit:
        unit.results.start(claim, first)
        unit.results.epoch(claim, first, _epoch(outcome.points[0].validation_accuracy))
        unit.results.succeed(claim, first, outcome)
        unit.results.start(claim, second)
        unit.results.fail(claim, second, TrialFailure(reason="nan_loss", message="the loss is not a number"))
    folder = settings.checkpoints / first
    folder.mkdir()
    (folder / "point-0.safetensors").write_bytes(CHECKPOINT)


def _planned(number: int, study_id: str) -> PlannedTrial:
    proposal = {"kind": "fixed_bits", "allocation": ALLOCATION, "note": {}}
    return PlannedTrial(round=0, number=number, proposal=proposal, fingerprint=f"{study_id}-{number}")


ALLOCATION = {"conv1": {"steps": 1, "spike_bits": [2], "weight_bits": 2}}


def _epoch(accuracy: float) -> EpochReport:
    return EpochReport(
        epoch=1,
        epochs=8,
        samples=1000,
        seconds=0.5,
        learning_rate=0.1,
        train_loss=1.0,
        train_accuracy=accuracy,
        validation_accuracy=accuracy,
        budget_cost=2.0,
        mean_weight_bits=2.0,
        mean_spike_bits=2.0,
        mean_steps=1.0,
    )


def _outcome(accuracy: float, cost: float) -> TrialOutcome:
    costs = {
        "bit_budget": cost,
        "s_ace": 400.0,
        "weight_kib": 0.1,
        "spike_kib": 0.1,
        "ns_ace": 40.0,
        "sops": 9.0,
    }
    point = PointResult(
        allocation=ALLOCATION,
        costs={"searched": costs, "all": costs},
        cost_versions=dict(COST_VERSIONS),
        rates={"conv1": [0.1]},
        validation_accuracy=accuracy,
        test_accuracy=accuracy - 0.01,
        checkpoint="point-0.safetensors",
        checkpoint_sha256=CHECKPOINT_SHA256,
        validation_balanced_accuracy=accuracy - 0.2,
        test_balanced_accuracy=accuracy - 0.21,
        validation_loss=accuracy,  # so that it ranks points the other way round
        test_loss=accuracy + 0.01,
    )
    return TrialOutcome(points=(point,), epochs=8, samples=8000, provenance={"threads": 1})
