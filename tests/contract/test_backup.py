"""A backup holds everything: restored, on either kind of database, the service goes on as if nothing was."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from models.errors import InvalidInputError
from search.job import JobSpec
from service.backup import BackupDamagedError, restore, save
from service.backup.archive import MANIFEST
from service.backup.rows import tables
from service.batches.spec import BatchSpec
from service.jobs import JobRun
from service.store import Store
from service.store.engine import open_engine
from service.store.jobs import NewJob
from service.store.schema import migrate
from service.store.tables import Event, Job, Point
from tests.contract.damaged_backups import (
    as_the_first_version_saved,
    damaged,
    edit_manifest,
    rename_a_checkpoint,
    repeat_a_row,
    swap_a_row,
)
from workers.report import TrialOutcome, TrialRequest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The checkpoint folder of the service that is saved."""
    return tmp_path / "checkpoints"


@pytest.fixture
def filled(store: Store, job_spec: Callable[..., JobSpec], training: Any, folder: Path) -> Store:
    """A store with a job that has ended, one in the middle and one in the queue, each a labelled batch."""
    for number, trials in enumerate((None, 2, 0)):
        spec = job_spec(name=f"job-{number}", dataset={"name": "digits", "split_seed": number})
        new = NewJob(spec=spec, trials_planned=6, plan={}, labels={"number": str(number)})
        batch = BatchSpec(template={"name": spec.name}, grid={"/seeds": [[0]]})
        with store.unit() as unit:
            unit.batches.submit(batch, spec.name, [(new, {})], idempotency_key=f"key-{number}")
        if trials != 0:
            work(store, training, folder, trials=trials)
    return store


def work(store: Store, training: Any, folder: Path, *, trials: int | None) -> None:
    """Claim a job and run it, to its end or until some trials have ended."""
    with store.unit() as unit:
        claim = unit.jobs.claim("test", 0.0)
    assert claim is not None
    job = JobRun(store, claim, data_folder=folder, plan=training.plan)
    job.prepare()
    ended = 0
    while ended != trials and isinstance(request := job.next_trial(), TrialRequest):
        job.started(request.trial_id)
        job.epoch(request.trial_id, training.report(1))
        job.succeeded(request.trial_id, with_checkpoints(training.good(request), folder / request.trial_id))
        ended += 1
    if trials is None:
        job.finish()


def with_checkpoints(outcome: TrialOutcome, folder: Path) -> TrialOutcome:
    """The same points, with files of theirs on the disk."""
    folder.mkdir(parents=True, exist_ok=True)
    points = []
    for point in outcome.points:
        content = f"{folder.name} {point.checkpoint}".encode()
        (folder / point.checkpoint).write_bytes(content)
        points.append(replace(point, checkpoint_sha256=hashlib.sha256(content).hexdigest()))
    return replace(outcome, points=tuple(points))


def content(store: Store) -> dict[str, list[Any]]:
    """Every row of every table."""
    with store.snapshot() as connection:
        return {
            table.name: [
                tuple(row)
                for row in connection.execute(select(table).order_by(*table.primary_key.columns)).all()
            ]
            for table in tables()
        }


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.safetensors")}


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty database to restore into: a SQLite file, or a PostgreSQL database beside the saved one."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'other.db'}"
    elif "postgres_database" in request.fixturenames and request.getfixturevalue("database_url").startswith(
        "p"
    ):
        pytest.skip("the saved store has the one database of this test; from SQLite to PostgreSQL is tested")
    else:
        url = request.getfixturevalue("postgres_database")
    opened = Store.open(url)
    yield opened
    opened.close()


def test_a_restored_service_holds_the_same_and_goes_on_the_same(filled, empty, folder, training, tmp_path):
    saved = save(filled, folder, tmp_path / "backup")
    restored = restore(empty, tmp_path / "home" / "checkpoints", tmp_path / "backup")
    assert restored == saved
    assert saved.missing == ()
    assert content(empty) == content(filled)
    assert len(content(empty)["points"]) > 4
    assert [len(content(empty)[name]) for name in ("job_batches", "batch_jobs", "job_labels")] == [3, 3, 3]
    assert files(tmp_path / "home" / "checkpoints") == files(folder)
    for store in (filled, empty):
        for _ in range(2):  # the job in the middle, whose lease has run out, and the one in the queue
            work(store, training, folder, trials=None)
    states = [unit_states(store) for store in (filled, empty)]
    assert states[0] == states[1] == ["succeeded"] * 3
    assert results(filled) == results(empty)


def unit_states(store: Store) -> list[str]:
    with store.unit() as unit:
        return [job.state for job in unit.jobs.page(limit=9, cursor=None, state=None).items]


def results(store: Store) -> list[Any]:
    """Points and fronts, without their numbers and the moments at which they were stored."""
    columns = [column for column in Point.__table__.columns if column.name not in {"seq", "created_at"}]
    with store.snapshot() as connection:
        points = connection.execute(select(*columns).order_by(Point.id)).all()
    return [[tuple(point) for point in points], content(store)["front_members"]]


def test_a_backup_of_the_first_form_is_brought_to_this_one(filled, folder, tmp_path):
    save(filled, folder, tmp_path / "backup")
    old = damaged(tmp_path / "backup", tmp_path / "old", as_the_first_version_saved)
    new = Store.open(f"sqlite:///{tmp_path / 'new.db'}")
    restore(new, tmp_path / "home" / "checkpoints", old)
    assert new.at_head()
    assert results(new) == results(filled)
    new.close()


def test_a_restore_of_an_old_backup_that_broke_off_can_be_run_again(filled, folder, tmp_path):
    save(filled, folder, tmp_path / "backup")
    old = damaged(tmp_path / "backup", tmp_path / "old", as_the_first_version_saved)
    new = Store.open(f"sqlite:///{tmp_path / 'new.db'}")
    new.migrate(to="0001")  # as far as it had come: the tables of that time, and no row
    restore(new, tmp_path / "home" / "checkpoints", old)
    assert results(new) == results(filled)
    new.close()


def test_a_database_that_fails_is_not_taken_for_a_damaged_backup(filled, folder, tmp_path, monkeypatch):
    save(filled, folder, tmp_path / "backup")
    target = Store.open(f"sqlite:///{tmp_path / 'target.db'}")

    def full(*_: Any) -> None:
        raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    monkeypatch.setattr("service.backup.restoring._fill", full)
    with pytest.raises(OperationalError, match="disk is full"):
        restore(target, tmp_path / "home" / "checkpoints", tmp_path / "backup")
    target.close()


def test_checkpoints_that_are_gone_or_altered_are_named(filled, folder, tmp_path):
    first, second, *_ = sorted(folder.rglob("*.safetensors"))
    first.unlink()
    second.write_bytes(b"altered")
    saved = save(filled, folder, tmp_path / "backup")
    assert saved.missing == tuple(f"{path.parent.name}/{path.name}" for path in (first, second))
    assert len(saved.checkpoints()) == len(files(folder)) - 1


def test_neither_way_replaces_what_is_there(filled, folder, tmp_path):
    save(filled, folder, tmp_path / "backup")
    before = (tmp_path / "backup").read_bytes()
    with pytest.raises(InvalidInputError, match="is there already"):
        save(filled, folder, tmp_path / "backup")
    with pytest.raises(InvalidInputError, match="holds jobs or keys already"):
        restore(filled, folder, tmp_path / "backup")
    assert (tmp_path / "backup").read_bytes() == before


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (swap_a_row, "is not what was saved"),
        (repeat_a_row, "do not fit together"),
        (lambda members: members.pop("tables/events.jsonl"), "disagree on tables/events.jsonl"),
        (lambda members: members.update({"extra": b""}), "disagree on extra"),
        (lambda members: members.pop(MANIFEST), "it is no backup"),
        (lambda members: members.update({MANIFEST: b"{"}), "is not acceptable"),
        (lambda members: edit_manifest(members, format=2), "has format 2"),
        (lambda members: edit_manifest(members, owner="x"), "is not acceptable"),
        (lambda members: rename_a_checkpoint(members, "checkpoints/../../bad.safetensors"), "not acceptable"),
        (lambda members: rename_a_checkpoint(members, "/bad.safetensors"), "not acceptable"),
    ],
)
def test_a_damaged_backup_is_refused_and_nothing_is_stored(filled, folder, tmp_path, change, said):
    save(filled, folder, tmp_path / "backup")
    bad = damaged(tmp_path / "backup", tmp_path / "bad", change)
    target = Store.open(f"sqlite:///{tmp_path / 'target.db'}")
    with pytest.raises(BackupDamagedError, match=said):
        restore(target, tmp_path / "home" / "checkpoints", bad)
    assert target.revision() is None or unit_states(target) == []
    assert not list(tmp_path.rglob("bad.safetensors"))
    target.close()


def test_a_backup_that_was_cut_short_is_refused(filled, folder, tmp_path):
    save(filled, folder, tmp_path / "backup")
    whole = (tmp_path / "backup").read_bytes()
    target = Store.open(f"sqlite:///{tmp_path / 'target.db'}")
    for length in (0, 10, len(whole) // 2, len(whole) - 1):
        (tmp_path / "short").write_bytes(whole[:length])
        with pytest.raises(BackupDamagedError, match="cannot be read as a backup"):
            restore(target, tmp_path / "home" / "checkpoints", tmp_path / "short")
    target.close()


def test_a_later_schema_is_not_guessed_at(filled, folder, tmp_path):
    save(filled, folder, tmp_path / "backup")
    later = damaged(
        tmp_path / "backup",
        tmp_path / "later",
        lambda members: edit_manifest(members, schema_revision="9999"),
    )
    target = Store.open(f"sqlite:///{tmp_path / 'target.db'}")
    with pytest.raises(InvalidInputError, match="does not know"):
        restore(target, tmp_path / "home" / "checkpoints", later)
    target.close()


def test_a_snapshot_shows_one_moment_while_others_write(filled, job_spec):
    with filled.snapshot() as connection:
        before = connection.execute(select(Job.id)).all()
        with filled.unit() as unit:
            unit.jobs.submit(job_spec(name="later"), trials_planned=6, plan={}, idempotency_key=None)
        assert connection.execute(select(Job.id)).all() == before
        assert connection.execute(select(Event.seq).order_by(Event.seq.desc()).limit(1)).all()
    assert len(content(filled)["jobs"]) == len(before) + 1


def test_an_empty_database_of_another_form_is_refused(filled, folder, tmp_path):
    save(filled, folder, tmp_path / "backup")
    engine = open_engine(f"sqlite:///{tmp_path / 'target.db'}")
    migrate(engine, to="0001")
    target = Store(engine)
    with pytest.raises(InvalidInputError, match="another form"):
        restore(target, tmp_path / "home" / "checkpoints", tmp_path / "backup")
    target.close()
