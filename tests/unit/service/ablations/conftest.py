"""An API whose jobs run on made-up training, in no time."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import event

from search.ablation import AblationSpec, ablation_variants
from service.api.context import Catalogue
from service.api.jobs import view_of_plan
from service.app import create_app
from service.jobs import JobRun
from service.settings import Settings
from service.store import Store
from service.store.ablations import JobPlanned
from service.store.engine import open_engine
from workers.report import TrialRequest


@pytest.fixture(scope="session")
def kept() -> dict[str, Path]:
    """What is made once and copied for each test that needs it."""
    return {}


@pytest.fixture
def ended_file(
    kept: dict[str, Path], training: Any, ablation: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A database with an ablation whose jobs have all ended."""
    if "ended" not in kept:
        folder = tmp_path_factory.mktemp("ended")
        store = Store.open(f"sqlite:///{folder / 'bitfront.db'}")
        store.migrate()
        _submit(store, AblationSpec.model_validate(ablation), training)
        while _run_one(store, training, folder):
            pass
        store.close()
        kept["ended"] = folder / "bitfront.db"
    return kept["ended"]


@pytest.fixture
def api_store(settings: Settings, migrated_sqlite: Path, request: pytest.FixtureRequest) -> Iterator[Store]:
    """A migrated SQLite store that does not wait for the disk; with an ablation for who asks for `ended`."""
    ended = "ended" in request.fixturenames
    file = request.getfixturevalue("ended_file") if ended else migrated_sqlite
    shutil.copy(file, settings.home / "bitfront.db")
    engine = open_engine(settings.database)
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
    store = Store(engine)
    yield store
    store.close()


@pytest.fixture
def app(settings: Settings, api_store: Store, training: Any) -> FastAPI:
    """The application; jobs are planned for the network of the made-up training."""
    offered = Catalogue(
        plan=training.plan, architectures=lambda: [], datasets=lambda folder: [], methods=lambda: []
    )
    return create_app(settings, api_store, offered=offered)


@pytest.fixture
def ablation(spec: dict[str, Any]) -> dict[str, Any]:
    """An ablation with five variants."""
    bits = {"weight": [1, 4], "spike": [1, 4], "steps": [1, 2]}
    return {"job": spec | {"name": "base", "bits": bits}, "groups": ["learned"]}


@pytest.fixture
def run_jobs(api_store: Store, training: Any, tmp_path: Path) -> Callable[..., int]:
    """Runs every queued job, or so many; how many there were. No trial fails."""

    def run(most: int = 100) -> int:
        for number in range(most):
            if not _run_one(api_store, training, tmp_path):
                return number
        return most

    return run


@pytest.fixture
def ended(api_store: Store) -> str:
    """The id of an ablation whose jobs have all ended."""
    with api_store.unit() as unit:
        return unit.ablations.page(limit=1, cursor=None).items[0].id


def _submit(store: Store, spec: AblationSpec, training: Any) -> None:
    """Store an ablation as the API does, with the layer table that mean bits are taken from."""
    plan = view_of_plan(spec.job, training.plan(spec.job, Path())).model_dump(mode="json")
    variants = ablation_variants(spec, training.layers)
    plans = {
        job.digest(): JobPlanned(trials=len(job.all_methods()) * 4, plan=plan)
        for variant in variants
        for job in variant.jobs
    }
    with store.unit() as unit:
        unit.ablations.submit(spec, variants, plans=plans, idempotency_key=None)


def _run_one(store: Store, training: Any, folder: Path) -> bool:
    with store.unit() as unit:
        claim = unit.jobs.claim("test", 60)
    if claim is None:
        return False
    job = JobRun(store, claim, data_folder=folder, plan=training.plan)
    job.prepare()
    while isinstance(request := job.next_trial(), TrialRequest):
        job.started(request.trial_id)
        for epoch in (1, 2):
            job.epoch(request.trial_id, training.report(epoch))
        job.succeeded(request.trial_id, training.good(request))
    job.finish()
    return True
