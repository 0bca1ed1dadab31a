"""What the store promises of its tables, on SQLite and PostgreSQL alike."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from search.job import JobSpec
from service.store import Store
from service.store.engine import WRITES, open_engine
from service.store.schema import downgrade, migrate
from service.store.tables import Base

MIGRATE = "import sys; from service.store import Store; Store.open(sys.argv[1]).migrate()"


def test_the_migrations_make_exactly_the_declared_tables(store, database_url):
    engine = open_engine(database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_an_empty_database_is_not_at_head_until_it_is_migrated(database_url):
    store = Store.open(database_url)
    assert not store.at_head()
    store.migrate()
    assert store.at_head()
    store.migrate()
    assert store.at_head()
    store.close()


def test_several_processes_may_migrate_at_once(database_url):
    def migrate(_: int) -> int:
        return subprocess.run(
            [sys.executable, "-c", MIGRATE, database_url], check=False, timeout=120
        ).returncode

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(migrate, range(2))) == [0, 0]
    store = Store.open(database_url)
    assert store.at_head()
    store.close()


def test_threads_may_migrate_at_once(database_url):
    stores = [Store.open(database_url) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(Store.migrate, stores))
    assert all(store.at_head() for store in stores)
    for store in stores:
        store.close()


@pytest.mark.postgres
def test_sequence_keys_are_64_bits_wide_and_costs_can_be_queried_on_postgres(postgres_database):
    store = Store.open(postgres_database)
    store.migrate()
    store.close()
    engine = open_engine(postgres_database)
    columns = {column["name"]: str(column["type"]) for column in inspect(engine).get_columns("points")}
    engine.dispose()
    assert (columns["seq"], columns["costs"], columns["allocation"]) == ("BIGINT", "JSONB", "JSON")


def test_sqlite_commits_are_durable_and_references_are_kept(sqlite_database):
    engine = open_engine(sqlite_database)
    with engine.connect() as connection:
        asked = ("journal_mode", "synchronous", "foreign_keys")
        found = [connection.execute(text(f"PRAGMA {name}")).scalar() for name in asked]
    engine.dispose()
    assert found == ["wal", 2, 1]  # 2 is FULL


def test_many_may_open_a_new_sqlite_file_at_once(tmp_path):
    def connect(url):
        engine = open_engine(url)
        with engine.connect() as connection:
            mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
        engine.dispose()
        return mode

    with ThreadPoolExecutor(8) as pool:
        for number in range(150):  # the collision is rare
            urls = [f"sqlite:///{tmp_path}/{number}.db"] * 8
            assert set(pool.map(connect, urls)) == {"wal"}


OLD_JOB = (
    "INSERT INTO jobs (seq, id, name, state, spec, spec_digest, plan, trials_planned, "
    "idempotency_key, created_at, lease_token) "
    "VALUES (1, 'job-0', 'small', 'queued', :spec, :digest, '{}', 6, 'key', :now, 0)",
    "INSERT INTO studies (seq, id, job_id, ordinal, method, seed, finished) "
    "VALUES (1, 'study-0', 'job-0', 0, 'random', 0, false)",
    "INSERT INTO trials (seq, id, job_id, study_id, method, seed, round, number, state, proposal, "
    "fingerprint, epochs_done, samples, seconds, created_at) "
    "VALUES (1, 'trial-0', 'job-0', 'study-0', 'random', 0, 0, 0, 'queued', :proposal, 'f', 0, 0, 0, :now)",
    "INSERT INTO events (seq, job_id, kind, data, created_at) VALUES (1, 'job-0', 'job_state', :data, :now)",
)
"""A job as the first form of the tables holds it, with a study, a trial and an event."""


def store_old_job(engine: Engine, spec: JobSpec) -> None:
    values = {
        "spec": json.dumps(spec.to_json()),
        "digest": spec.digest(),
        "proposal": '{"kind": "fixed_bits"}',
        "data": '{"state": "queued"}',
        "now": "2026-01-02 03:04:05",
    }
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        for statement in OLD_JOB:
            named = re.findall(r":(\w+)", statement)
            connection.execute(text(statement), {name: values[name] for name in named})


def test_a_database_of_the_first_form_keeps_its_jobs_when_it_is_migrated(database_url, job_spec):
    engine = open_engine(database_url)
    migrate(engine, to="0001")
    store_old_job(engine, job_spec())
    store = Store(engine)
    assert "ablations" not in inspect(engine).get_table_names()
    assert not store.at_head()
    store.migrate()
    for seen in (store, store.within("default")):
        with seen.unit() as unit:
            assert [job.name for job in unit.jobs.page(limit=9, cursor=None, state=None).items] == ["small"]
            assert unit.ablations.page(limit=9, cursor=None).items == []
            assert unit.trials.get("trial-0").state == "queued"
            assert len(unit.events.after("job-0", after=0, limit=9)) == 1
            again = unit.jobs.submit(job_spec(), trials_planned=6, plan={}, idempotency_key="key")
            assert (again[0].id, again[1]) == ("job-0", False)
    assert store.at_head()
    store.close()


def test_workspaces_can_be_taken_back_and_made_again(database_url, job_spec):
    engine = open_engine(database_url)
    migrate(engine, to="0005")
    store_old_job(engine, job_spec())
    before = columns_of(engine)
    store = Store(engine)
    store.migrate()
    downgrade(engine, to="0005")
    assert columns_of(engine) == before
    with engine.connect() as connection:
        assert connection.execute(text("SELECT id, idempotency_key FROM jobs")).all() == [("job-0", "key")]
    store.migrate()
    with store.within("default").unit() as unit:
        assert unit.jobs.get("job-0").name == "small"
    store.close()


def columns_of(engine: Engine) -> dict[str, list[str]]:
    """The columns of every table, by name."""
    tables = inspect(engine)
    return {table: sorted(c["name"] for c in tables.get_columns(table)) for table in tables.get_table_names()}
