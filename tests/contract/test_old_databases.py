"""Databases that earlier versions of Bitfront left, brought to today's schema: everything is still there.

Each of tests/fixtures/databases is a dump, and beside it what its service answered: what a field said then it
says now. How one is made stands in the README there.
"""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from fastapi.testclient import TestClient

from service.app import create_app
from service.settings import Settings
from service.store import Store
from service.store.engine import open_engine
from service.store.tables import Base

FOLDER = Path(__file__).parents[1] / "fixtures" / "databases"
REVISIONS = sorted({file.name.partition("-")[0] for file in FOLDER.glob("*.sql")})


@pytest.fixture(params=REVISIONS)
def revision(request: pytest.FixtureRequest) -> str:
    """The schema that a dump has."""
    return str(request.param)


@pytest.fixture
def old_database(revision: str, database_url: str) -> str:
    """The URL of a database that holds what the dump of its kind does."""
    kind = database_url.split(":", maxsplit=1)[0]
    dump = (FOLDER / f"{revision}-{kind}.sql").read_text()
    if kind == "sqlite":
        with sqlite3.connect(database_url.removeprefix("sqlite:///")) as connection:
            connection.executescript(dump)
        connection.close()
    else:
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute(dump.encode())
    return database_url


def test_it_has_todays_schema_and_says_what_it_said(revision: str, old_database: str, tmp_path: Path) -> None:
    answers = answers_of(revision, old_database)
    settings = Settings(home=tmp_path, database_url=old_database)
    store = Store.open(settings.database)
    assert not store.at_head()
    store.migrate()
    assert differences(old_database) == []
    api = TestClient(create_app(settings, store), base_url=settings.url)
    for path, before in answers.items():
        answer = api.get(path)
        assert answer.status_code == 200, path
        assert as_before(answer.json(), before) == before, path
    store.close()


def test_its_queue_goes_on(old_database: str) -> None:
    store = Store.open(old_database)
    store.migrate()
    with store.unit() as unit:
        waiting = unit.jobs.page(limit=9, cursor=None, state="queued").items
        claim = unit.jobs.claim("today", 60)
        assert claim is not None
        assert claim.job_id in {job.id for job in waiting}
        unit.studies.prepare(claim)
    store.close()


def answers_of(revision: str, url: str) -> dict[str, Any]:
    """What the service of then said, by path."""
    answers: dict[str, Any] = json.loads((FOLDER / f"{revision}-{kind_of(url)}-answers.json").read_text())
    return answers


def kind_of(url: str) -> str:
    """sqlite or postgresql."""
    return url.split(":", maxsplit=1)[0]


def differences(url: str) -> list[Any]:
    """Between the tables of a database and those that are declared."""
    engine = open_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found = compare_metadata(context, Base.metadata)
    engine.dispose()
    return found


def as_before(now: Any, before: Any) -> Any:
    """Today's answer without the fields that there were none of before."""
    if isinstance(now, dict) and isinstance(before, dict):
        return {name: as_before(value, before[name]) for name, value in now.items() if name in before}
    if isinstance(now, list) and isinstance(before, list) and len(now) == len(before):
        return [as_before(*pair) for pair in zip(now, before, strict=True)]
    return now
