"""What the store promises of workspaces, on either database: each sees and changes its own rows only."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event, func, select, text

from search.ablation import AblationSpec, ablation_variants
from service.batches.spec import BatchSpec
from service.errors import NotFoundError
from service.jobs import JobRun
from service.store import Store
from service.store.ablations import JobPlanned
from service.store.engine import open_engine
from service.store.jobs import NewJob
from service.store.tables import Base, Dispatcher, Job, Key, SignIn, Trial, Workspace
from service.store.workspace_scope import InWorkspace

OF_NO_WORKSPACE = {Workspace, Key, SignIn, Dispatcher}
PAGE = {"limit": 100, "cursor": None}


@pytest.fixture
def teams(store: Store) -> tuple[Store, Store]:
    """Two workspaces of one store."""
    with store.unit() as unit:
        for name in ("red", "blue"):
            unit.workspaces.create(name)
    return store.within("red"), store.within("blue")


@pytest.fixture
def run(store: Store, training: Any, tmp_path: Any) -> Callable[[], None]:
    """Runs the oldest queued job to its end."""

    def run_one() -> None:
        with store.unit() as unit:
            claim = unit.jobs.claim("test", 60)
        job = JobRun(store, claim, data_folder=tmp_path, plan=training.plan)
        job.prepare()
        while not isinstance(request := job.next_trial(), str):
            job.started(request.trial_id)
            job.epoch(request.trial_id, training.report(1))
            job.succeeded(request.trial_id, training.good(request))
        job.finish()

    return run_one


def submit(store: Store, spec: Any, key: str | None = None) -> str:
    with store.unit() as unit:
        return unit.jobs.submit(spec, trials_planned=6, plan={}, idempotency_key=key)[0].id


def submit_batch(store: Store, spec: Any, key: str | None = None) -> str:
    new = NewJob(spec=spec, trials_planned=6, plan={}, labels={"a": "b"})
    with store.unit() as unit:
        batch = BatchSpec(template={"name": "some"}, grid={"/seeds": [[0]]})
        return unit.batches.submit(batch, "some", [(new, {})], idempotency_key=key)[0].id


def test_every_table_of_jobs_belongs_to_a_workspace():
    mapped = {mapper.class_ for mapper in Base.registry.mappers}
    assert mapped - OF_NO_WORKSPACE == {one for one in mapped if issubclass(one, InWorkspace)}


def test_rows_of_a_run_belong_to_the_workspace_of_the_job(store, teams, run, job_spec, database_url):
    submit_batch(teams[0], job_spec())
    run()
    engine = open_engine(database_url)
    with engine.connect() as connection:
        of_results = ("studies", "trials", "attempts", "epochs", "points", "front_members", "events")
        for table in ("jobs", "job_batches", "batch_jobs", "job_labels", *of_results):
            found = connection.execute(text(f"SELECT DISTINCT workspace_id FROM {table}")).scalars().all()  # noqa: S608 - the names stand above
            assert found == ["red"], table
    engine.dispose()


def test_another_workspace_finds_nothing_under_any_id(teams, run, job_spec):
    red, blue = teams
    job_id = submit(red, job_spec())
    run()
    with red.unit() as unit:
        trial_id = unit.trials.page(job_id, **PAGE, state=None, method=None, seed=None).items[0].id
        point_id = unit.points.page(job_id, **PAGE).items[0].id
    front = {"metric": "s_ace", "method": None, "seed": None, "all_points": False}
    with blue.unit() as unit:
        calls = [
            lambda: unit.jobs.get(job_id),
            lambda: unit.jobs.request_cancel(job_id),
            lambda: unit.trials.get(trial_id),
            lambda: unit.trials.page(job_id, **PAGE, state=None, method=None, seed=None),
            lambda: unit.points.get(point_id),
            lambda: unit.points.checkpoint(point_id),
            lambda: unit.points.page(job_id, **PAGE),
            lambda: unit.fronts.front(job_id, **front),
            lambda: unit.fronts.best(job_id, metric="s_ace", maximum=1e9),
            lambda: unit.comparisons.studies(job_id),
            lambda: unit.curves.of_job(job_id),
        ]
        for call in calls:
            with pytest.raises(NotFoundError):
                call()
        assert unit.events.after(job_id, after=0, limit=9) == []
        assert unit.jobs.page(**PAGE, state=None).items == []
        assert unit.jobs.counts() == {}
    with red.unit() as unit:
        assert unit.jobs.get(job_id).state == "succeeded"
        assert unit.jobs.get(job_id).best[-1].point_id is not None


def test_ablations_are_those_of_the_workspace(teams, job_spec, training):
    red, blue = teams
    spec = AblationSpec(job=job_spec(), groups=("learned",))
    variants = ablation_variants(spec, training.layers)
    plans = {job.digest(): JobPlanned(trials=6, plan={}) for one in variants for job in one.jobs}
    with red.unit() as unit:
        made, _ = unit.ablations.submit(spec, variants, plans=plans, idempotency_key="k")
        job_id = unit.jobs.page(**PAGE, state=None).items[0].id
        assert unit.ablations.of_job(job_id) == (made.id, made.name)
    with blue.unit() as unit:
        assert unit.ablations.page(**PAGE).items == []
        assert unit.ablations.of_job(job_id) is None
        with pytest.raises(NotFoundError):
            unit.ablations.get(made.id)
        other, created = unit.ablations.submit(spec, variants, plans=plans, idempotency_key="k")
    assert created
    assert other.id != made.id


def test_batches_and_labels_are_those_of_the_workspace(teams, job_spec):
    red, blue = teams
    batch = submit_batch(red, job_spec(), "k")
    with red.unit() as unit:
        assert [job.labels for job in unit.jobs.page(**PAGE, state=None, batch=batch).items] == [{"a": "b"}]
        (job_id,) = unit.batches.job_ids(batch)
    with blue.unit() as unit:
        assert unit.batches.page(**PAGE).items == []
        assert unit.batches.job_ids(batch) == []
        for chosen in ({"batch": batch}, {"labels": [("a", None)]}, {"labels": [("a", "b")]}):
            assert unit.jobs.page(**PAGE, state=None, **chosen).items == []
        for call in (
            lambda: unit.batches.get(batch),
            lambda: unit.batches.cancel(batch),
            lambda: unit.jobs.set_labels(job_id, {"a": None}),
            lambda: unit.jobs.all_of([job_id]),
            lambda: unit.trials.attempts_page(job_id, **PAGE),
        ):
            with pytest.raises(NotFoundError):
                call()
        unit.jobs.cancel_all([job_id])
    with red.unit() as unit:
        assert unit.jobs.get(job_id).state == "queued"
        assert unit.jobs.get(job_id).labels == {"a": "b"}
    assert submit_batch(blue, job_spec(), "k") != batch
    assert submit_batch(red, job_spec(), "k") == batch


def test_labels_set_without_a_workspace_belong_to_that_of_the_job(store, teams, job_spec):
    job_id = submit(teams[0], job_spec())
    with store.unit() as unit:
        unit.jobs.set_labels(job_id, {"a": "b"})
    with teams[0].unit() as unit:
        assert unit.jobs.get(job_id).labels == {"a": "b"}


def test_two_workspaces_may_use_the_same_idempotency_key(teams, job_spec):
    first, second = (submit(team, job_spec(), "key") for team in teams)
    assert first != second
    assert [submit(team, job_spec(), "key") for team in teams] == [first, second]


def test_what_another_workspace_trained_is_not_reused(teams, run, job_spec):
    def reused(team: Store, job_id: str) -> set[bool]:
        with team.unit() as unit:
            trials = unit.trials.page(job_id, **PAGE, state=None, method=None, seed=None).items
        return {trial.reused_from is not None for trial in trials}

    red, blue = teams
    jobs = [(team, submit(team, job_spec())) for team in (red, blue, red)]
    for _ in jobs:
        run()
    assert [reused(team, job_id) for team, job_id in jobs] == [{False}, {False}, {True}]


def test_a_dispatcher_claims_jobs_of_all_workspaces(store, teams, job_spec):
    ids = [submit(team, job_spec()) for team in teams]
    claims = []
    for _ in ids:
        with store.unit() as unit:
            claims.append(unit.jobs.claim("test", 60))
    assert {(claim.job_id, claim.workspace) for claim in claims} == set(
        zip(ids, ("red", "blue"), strict=True)
    )


def test_subqueries_and_changes_are_bound_too(store, teams, run, job_spec):
    submit(teams[0], job_spec())
    run()
    with teams[1].unit() as unit:
        session = unit.jobs._session
        within = select(func.count()).select_from(select(Trial.id).subquery())
        assert session.scalar(within) == 0
        assert session.scalar(select(select(func.count()).select_from(Job).scalar_subquery())) == 0


SCOPED = sorted(
    mapper.local_table.name for mapper in Base.registry.mappers if issubclass(mapper.class_, InWorkspace)
)
_FROM = re.compile(rf"\b(?:FROM|JOIN) ({'|'.join(SCOPED)})\b")


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """What reads from a database meanwhile."""
    seen: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *call: seen.append(call[2]))
    yield seen


def test_every_statement_of_a_unit_names_the_workspace_for_each_table(
    store, teams, run, job_spec, database_url
):
    """Counts them: one condition at least for every table that a statement reads from."""
    batch = submit_batch(teams[0], job_spec())
    run()
    with teams[0].unit() as unit:
        (job_id,) = unit.batches.job_ids(batch)
    engine = open_engine(database_url)
    with statements(engine) as seen, Store(engine, "red").unit() as unit:
        unit.jobs.get(job_id)
        unit.jobs.page(**PAGE, state="succeeded")
        unit.jobs.page(**PAGE, state=None, batch=batch, labels=[("a", None), ("a", "b")])
        unit.jobs.counts()
        unit.jobs.set_labels(job_id, {"a": "c"})
        unit.batches.page(**PAGE)
        unit.batches.cancel(batch)
        jobs = unit.jobs.all_of([job_id])
        unit.fronts.overlay(jobs, metric="s_ace", all_points=True)
        unit.trials.attempts_page(job_id, **PAGE)
        unit.trials.get(unit.trials.page(job_id, **PAGE, state=None, method=None, seed=None).items[0].id)
        unit.points.get(unit.points.page(job_id, **PAGE).items[0].id)
        unit.curves.of_job(job_id)
        unit.comparisons.studies(job_id)
        unit.ablations.of_job(job_id)
        for metric in ("bit_budget", "s_ace"):
            unit.fronts.front(job_id, metric=metric, method=None, seed=0, all_points=True)
            unit.fronts.best(job_id, metric=metric, maximum=1e9)
        unit.studies.why_no_point(job_id)
    engine.dispose()
    reading = [sql for sql in seen if _FROM.search(sql)]
    assert len(reading) > 20
    for sql in reading:
        assert len(re.findall(r"workspace_id = ", sql)) >= len(_FROM.findall(sql)), sql
