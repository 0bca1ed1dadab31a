"""What the store promises of its tables, on SQLite and PostgreSQL alike."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from service.store import Store
from service.store.engine import open_engine
from service.store.schema import migrate
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


def test_a_database_of_the_first_form_keeps_its_jobs_when_it_is_migrated(database_url, job_spec):
    engine = open_engine(database_url)
    migrate(engine, to="0001")
    store = Store(engine)
    with store.unit() as unit:
        unit.jobs.submit(job_spec(), trials_planned=6, plan={}, idempotency_key="key")
    assert "ablations" not in inspect(engine).get_table_names()
    assert not store.at_head()
    store.migrate()
    with store.unit() as unit:
        assert [job.name for job in unit.jobs.page(limit=9, cursor=None, state=None).items] == ["small"]
        assert unit.ablations.page(limit=9, cursor=None).items == []
    assert store.at_head()
    store.close()
