"""A claim stays cheap on either database, however long the queue."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Select

from service.store.claims import abandoned, anything, next_queued
from service.store.engine import open_engine
from service.store.jobs import NewJob


def test_a_claim_reads_a_few_rows_however_many_wait(store, database_url, job_spec):
    new = NewJob(spec=job_spec(), trials_planned=1, plan={})
    with store.unit() as unit:
        unit.jobs.submit_all([new] * 400)
    engine = open_engine(database_url)
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            assert most_rows(connection) <= 5
        else:
            assert scans(connection) == {"SCAN workspaces", "SCAN turn"}
    engine.dispose()


def compiled(connection: Connection, query: Select[Any]) -> str:
    return str(query.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True}))


def claiming(connection: Connection) -> list[str]:
    now = datetime(2026, 1, 2, tzinfo=UTC)
    return [compiled(connection, query) for query in (anything(now), abandoned(now), next_queued())]


def most_rows(connection: Connection) -> int:
    """The most rows that any step of PostgreSQL's plans of a claim has read."""
    found = []
    for statement in claiming(connection):
        explained = connection.exec_driver_sql(
            "EXPLAIN (ANALYZE, FORMAT JSON) " + statement.replace("%", "%%")
        )
        steps = [explained.scalar_one()[0]["Plan"]]
        while steps:
            step = steps.pop()
            found.append(step["Actual Rows"] * step["Actual Loops"] + step.get("Rows Removed by Filter", 0))
            steps += step.get("Plans", [])
    return int(max(found))


def scans(connection: Connection) -> set[str]:
    """What SQLite would read from end to end for a claim."""
    steps = [
        row[-1]
        for statement in claiming(connection)
        for row in connection.exec_driver_sql("EXPLAIN QUERY PLAN " + statement)
    ]
    return {step for step in steps if step.startswith("SCAN") and "CONSTANT ROW" not in step}
