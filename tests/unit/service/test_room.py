"""Where a disk takes no more nothing is corrupt, everybody is told why, and all goes on once there is room.

A limit on the size of files (RLIMIT_FSIZE) stands for the full disk: the operating system refuses the writes.
"""

from __future__ import annotations

import json
import resource
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from models.errors import StorageError
from search.job import JobSpec
from service.app import create_app
from service.dispatcher import Dispatcher
from service.room import Room
from service.settings import Settings
from service.store import Store
from workers.report import TrialRequest, outcome_from_json
from workers.shared_folder import mark_of
from workers.stepping import SteppedTrial

JOB: dict[str, Any] = {
    "name": "full",
    "architecture": {"name": "conv-net", "width": 2},
    "dataset": {"name": "digits", "train_samples": 64},
    "budget": {"max": [4]},
    "methods": ["gradient"],
    "seeds": [0],
    "training": {"epochs": 3, "batch_size": 32},
    "compute": {"trials_per_study": 1},
}


@contextmanager
def full_disk(allowed: int = 512) -> Iterator[None]:
    """No file may grow beyond so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (allowed, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def trainable(settings: Settings, request: TrialRequest, attempt: int) -> Any:
    """What Tune's actors step through."""
    place = settings.checkpoint_place
    return SteppedTrial(
        {
            "checkpoints": place.url,
            "folder_mark": mark_of(place),
            "data_folder": str(settings.data),
            "threads": 1,
            "request": json.dumps(asdict(request)),
            "attempt": attempt,
        }
    )


def engine(settings: Settings, disk_is_full: Callable[[int], bool], steps: list[Any]) -> Any:
    """Tune's part, in this process: steps until a trial is done, with a full disk in some of the steps."""

    def run(feed: Any, spec: JobSpec) -> None:
        while isinstance(request := feed.next_trial(), TrialRequest):
            feed.started(request.trial_id)
            trial, found = trainable(settings, request, request.attempt), {"done": False}
            while not found["done"]:
                if disk_is_full(len(steps)):
                    with full_disk():
                        found = trial.step()
                else:
                    found = trial.step()
                steps.append(found)
            if "unstored" in found:
                feed.unstored(request.trial_id, found["unstored"])
            else:
                feed.succeeded(request.trial_id, outcome_from_json(found["outcome"]))

    return run


def shas(store: Store, job_id: str) -> list[str]:
    with store.unit() as unit:
        return [p.checkpoint_sha256 for p in unit.points.page(job_id, limit=9, cursor=None).items]


def test_a_trial_that_finds_no_room_goes_on_from_its_checkpoint_and_ends_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.dispatcher.REST_SECONDS", 0.0)
    found = []
    for name, full_at in (("plain", -1), ("full", 1)):
        settings = Settings(home=tmp_path / name)
        settings.home.mkdir()
        store = Store.open(settings.database)
        store.migrate()
        api = TestClient(create_app(settings, store), base_url=settings.url)
        job_id = api.post("/v1/jobs", json=JOB).json()["id"]
        steps: list[Any] = []
        run = engine(settings, lambda step, at=full_at: step == at, steps)  # type: ignore[misc]  # a default binds it
        dispatcher = Dispatcher(settings, store, run=run, stop=threading.Event())
        assert dispatcher.work_once()
        if name == "full":
            assert "unstored" in steps[1]
            assert api.get(f"/v1/jobs/{job_id}").json()["state"] == "queued"
            trials = api.get(f"/v1/jobs/{job_id}/trials").json()["items"]
            every = [api.get(f"/v1/trials/{trial['id']}").json()["attempts"] for trial in trials]
            (attempts,) = [each for each in every if each]
            assert [one["state"] for one in attempts] == ["lost"]
            assert "cannot be written" in attempts[0]["message"]
            assert not list(settings.checkpoints.glob("*/.*.tmp"))  # nothing half-written keeps room
            assert dispatcher.work_once()
        assert api.get(f"/v1/jobs/{job_id}").json()["state"] == "succeeded"
        found.append(shas(store, job_id))
        store.close()
    assert found[0] == found[1]


@pytest.fixture
def looking(api: TestClient, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """The API, which remembers nothing of the room that it found."""
    monkeypatch.setattr("service.room.FRESH_SECONDS", 0.0)
    return api


def test_while_the_disk_is_full_nothing_is_claimed_and_everybody_is_told(
    looking: TestClient, api_store: Store, settings: Settings, spec: dict[str, Any], training: Any
) -> None:
    api = looking
    first = api.post("/v1/jobs", json=spec).json()["id"]
    claimed = []
    dispatcher = Dispatcher(
        settings,
        api_store,
        run=lambda feed, spec: claimed.append(spec),
        stop=threading.Event(),
        plan=training.plan,
    )
    with full_disk():
        ready = api.get("/readyz")
        refused = api.post("/v1/jobs", json=spec)
        queue = api.get("/v1/queue").json()
        page = api.get("/queue").text
        worked = dispatcher.work_once()
    assert (ready.status_code, ready.json()["code"]) == (503, "not_ready")
    assert "home folder cannot be written: File too large" in ready.json()["detail"]
    assert str(settings.home) not in ready.text
    assert (refused.status_code, refused.json()["code"]) == (503, "storage_unavailable"), refused.text
    assert refused.headers["Retry-After"] == "3"
    assert [(job["id"], job["reason"]) for job in queue["queued"]] == [(first, "no_room")]
    assert "Searches wait: the home folder cannot be written" in page
    assert (worked, claimed) == (False, [])
    with sqlite3.connect(settings.home / "bitfront.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert api.get("/readyz").status_code == 200
    assert "Searches wait" not in api.get("/queue").text
    assert api.post("/v1/jobs", json=spec).status_code == 202
    assert dispatcher.work_once()


def test_too_little_room_is_told_before_a_write_fails(settings: Settings, api: TestClient) -> None:
    roomy = Room(settings)
    assert roomy.look() is None
    tight = Room(settings.model_copy(update={"least_free_bytes": 2**60}))
    problem = tight.problem()
    assert problem is not None
    assert "MiB left, less than 1,099,511,627,776" in problem.message
    away = settings.model_copy(update={"checkpoint_url": "memory://room"})
    assert Room(away).look() is None


def test_a_place_of_checkpoints_that_refuses_is_told_without_its_address(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = Room(settings.model_copy(update={"checkpoint_url": "memory://secret-bucket"}))

    def refused(*_: object) -> None:
        raise PermissionError("Access Denied: secret-bucket")

    monkeypatch.setattr("fsspec.implementations.memory.MemoryFileSystem.pipe_file", refused)
    problem = room.look()
    assert isinstance(problem, StorageError)
    assert "secret-bucket" not in str(problem)
    monkeypatch.undo()
    assert room.look() is None
