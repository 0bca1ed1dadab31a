"""A whole search on made-up training, undisturbed and killed at every step of its record."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from models.cost import STATIC_METRICS
from search.job import JobSpec
from search.stopping import bars_of, why_stopped
from service.jobs import JobRun
from service.store import Claim, Store, Unit
from workers.report import TrialOutcome, TrialRequest, TrialStop

STRIDE = 7
"""Every seventh step is enough: over both kinds of death and both dialects all kinds of steps are met."""


class KilledError(Exception):
    """Stands for the end of the process."""


class MortalStore:
    """A store whose process dies in its n-th unit of work: before the commit, or right after it."""

    def __init__(self, store: Store, *, units: int, after_commit: bool) -> None:
        self._store = store
        self._units = units
        self._after_commit = after_commit

    @property
    def survived(self) -> bool:
        """Whether it was never killed."""
        return self._units > 0

    def within(self, workspace: str) -> MortalStore:
        """It is used for one claim alone."""
        self._store = self._store.within(workspace)
        return self

    @contextmanager
    def unit(self) -> Iterator[Unit]:
        self._units -= 1
        if self._units < 0:
            raise KilledError
        with self._store.unit() as unit:
            yield unit
            if self._units == 0 and not self._after_commit:
                raise KilledError
        if self._units == 0:
            raise KilledError


def play(feed: JobRun, training: Any, *, at_once: int = 2) -> None:
    """Run the trials of a feed as the real runner does, but in one thread and in no time."""
    running: list[TrialRequest] = []
    while not feed.cancelled():
        found = feed.next_trial() if len(running) < at_once else "wait"
        if isinstance(found, TrialRequest):
            feed.started(found.trial_id)
            running.append(found)
        elif running:
            finish(feed, running.pop(), training)
        else:
            assert found == "finished", "nothing runs and nothing comes"
            return


def finish(feed: JobRun, request: TrialRequest, training: Any) -> None:
    """One trial to its end, which is early where it falls below a bar."""
    bars = bars_of(request.proposal["note"])
    for epoch in (1, 2):
        report = replace(training.report(epoch), validation_accuracy=training.promise(request))
        feed.epoch(request.trial_id, report)
        why = why_stopped(bars, epoch, report.validation_accuracy)
        if why is not None:
            feed.stopped(request.trial_id, TrialStop(epochs=epoch, samples=report.samples, message=why))
            return
    end = training.end(request)
    if isinstance(end, TrialOutcome):
        feed.succeeded(request.trial_id, end)
    else:
        feed.failed(request.trial_id, end)


def claimed(store: Store) -> Claim:
    """The claim of a dispatcher that will never renew it."""
    with store.unit() as unit:
        claim = unit.jobs.claim("test", 0.0)
    assert claim is not None
    return claim


def run(store: Any, claim: Claim, training: Any, folder: Path) -> None:
    """What a dispatcher does with a claim."""
    job = JobRun(store, claim, data_folder=folder, plan=training.plan)
    job.prepare()
    play(job, training)
    job.finish()


def submit(store: Store, spec: JobSpec) -> str:
    with store.unit() as unit:
        return unit.jobs.submit(spec, trials_planned=9, plan={}, idempotency_key=None)[0].id


def result(store: Store, job_id: str) -> dict[str, Any]:
    """Everything of a job that a user relies on, free of random ids and times."""
    with store.unit() as unit:
        job = unit.jobs.get(job_id)
        trials = unit.trials.page(job_id, limit=1000, cursor=None, state=None, method=None, seed=None).items
        points = unit.points.page(job_id, limit=1000, cursor=None).items
        fronts = {
            metric: unit.fronts.front(job_id, metric=metric, method=None, seed=None, all_points=False)
            for metric in STATIC_METRICS
        }
    numbers = {trial.id: (trial.method, trial.seed, trial.number) for trial in trials}
    return {
        "state": job.state,
        "studies": [
            (study.method, study.seed, study.trials_succeeded, study.finished) for study in job.studies
        ],
        "best": [(best.budget, best.cost, best.validation_accuracy) for best in job.best],
        "trials": {
            numbers[trial.id]: (trial.round, trial.state, trial.reason, trial.proposal, trial.samples)
            for trial in trials
        },
        "points": {
            numbers[point.trial_id]: (
                point.allocation,
                point.costs,
                point.validation_accuracy,
                point.feasible,
            )
            for point in points
        },
        "fronts": {
            metric: ([(numbers[point.trial_id], point.cost) for point in front.points], front.hypervolume)
            for metric, front in fronts.items()
        },
    }


@pytest.fixture
def spec(job_spec: Callable[..., JobSpec]) -> JobSpec:
    """Four methods on one seed; one works in several rounds, one in trainings that count as several."""
    return job_spec(
        methods=["random", "optuna-tpe", "gradient-front", "uniform-front"],
        compute={"trials_per_study": 4},
        constraints=[{"metric": "weight_kib", "max": 3}],
    )


def test_a_search_ends_with_trials_points_and_fronts(store, spec, training, tmp_path):
    job_id = submit(store, spec)
    run(store, claimed(store), training, tmp_path)
    found = result(store, job_id)
    assert found["state"] == "succeeded"
    assert [study[0] for study in found["studies"]] == [
        *("random", "optuna-tpe", "gradient-front", "uniform-front", "uniform"),
    ]
    assert all(finished for *_, finished in found["studies"])
    assert {state for _, state, *_ in found["trials"].values()} == {"succeeded", "failed"}
    assert all(front for front, _ in found["fronts"].values())


@pytest.fixture
def stopping(job_spec: Callable[..., JobSpec]) -> JobSpec:
    """Three methods that work in rounds, of which the later ones may be stopped after the first epoch."""
    compute = {"trials_per_study": 16, "early_stopping": {"min_epoch": 1}}
    return job_spec(methods=["random", "optuna-tpe", "optuna-nsga2"], compute=compute)


def test_stopped_trials_leave_their_compute_to_further_ones(store, stopping, training, tmp_path):
    job_id = submit(store, stopping)
    run(store, claimed(store), training, tmp_path)
    with store.unit() as unit:
        job = unit.jobs.get(job_id)
        studies = unit.comparisons.studies(job_id)
    stopped = {study.method: study.trials_stopped for study in job.studies}
    assert sum(stopped.values()) > 2
    assert stopped["uniform"] == 0
    for study in job.studies:
        ended = study.trials_succeeded + study.trials_failed
        assert ended + study.trials_stopped / 2 <= 16
        assert (ended + study.trials_stopped > 16) == (study.trials_stopped > 1)
    assert max(one.samples for one in studies) <= 16 * 200
    assert job.trials_finished <= 4 * 16


@pytest.mark.parametrize("after_commit", [False, True])
def test_killed_at_any_step_the_same_trials_are_stopped(store, stopping, training, tmp_path, after_commit):
    undisturbed_id = submit(store, stopping)
    run(store, claimed(store), training, tmp_path)
    undisturbed = result(store, undisturbed_id)
    assert "pruned" in {state for _, state, *_ in undisturbed["trials"].values()}
    kill_in_steps(
        range(1, 10_000, 15 * STRIDE),
        store=store,
        spec=stopping,
        training=training,
        folder=tmp_path,
        undisturbed=undisturbed,
        after_commit=after_commit,
    )


def test_what_is_in_the_store_already_changes_nothing_of_what_is_stopped(store, stopping, training, tmp_path):
    """What was trained to its end is taken over, what was stopped is trained again; both to the same end."""
    first = submit(store, stopping)
    run(store, claimed(store), training, tmp_path)
    again = submit(store, stopping)
    run(store, claimed(store), training, tmp_path)
    assert result(store, again) == result(store, first)


@pytest.mark.parametrize("after_commit", [False, True])
def test_killed_at_any_step_the_search_ends_as_if_undisturbed(store, spec, training, tmp_path, after_commit):
    undisturbed_id = submit(store, spec)
    run(store, claimed(store), training, tmp_path)
    undisturbed = result(store, undisturbed_id)
    kill_in_steps(
        range(1, 10_000, STRIDE),
        store=store,
        spec=spec,
        training=training,
        folder=tmp_path,
        undisturbed=undisturbed,
        after_commit=after_commit,
    )


class Hesitant(JobRun):
    """Every trial is put back the first time that it is handed out: its worker died before it began."""

    _seen: frozenset[str] = frozenset()

    def next_trial(self) -> Any:
        found = super().next_trial()
        if isinstance(found, TrialRequest) and found.trial_id not in self._seen:
            self._seen |= {found.trial_id}
            self.put_back(found.trial_id)
            return self.next_trial()
        return found


def test_trials_that_are_put_back_once_change_nothing(store, spec, training, tmp_path):
    undisturbed_id = submit(store, spec)
    run(store, claimed(store), training, tmp_path)
    job_id = submit(store, untrained(spec, 1))
    hesitant = Hesitant(store, claimed(store), data_folder=tmp_path, plan=training.plan)
    hesitant.prepare()
    play(hesitant, training)
    hesitant.finish()
    assert len(hesitant._seen) > 5
    assert result(store, job_id) == result(store, undisturbed_id)


def kill_in_steps(
    steps: range,
    *,
    store: Store,
    spec: JobSpec,
    training: Any,
    folder: Path,
    undisturbed: dict[str, Any],
    after_commit: bool,
) -> None:
    """Run a search for each step, killed in it and resumed; each must end as the undisturbed one did."""
    for step in steps:
        job_id = submit(store, untrained(spec, step))
        dead = MortalStore(store, units=step, after_commit=after_commit)
        try:
            run(dead, claimed(store), training, folder)
        except KilledError:
            resume(store, training, folder)
        assert result(store, job_id) == undisturbed, f"killed in step {step}"
        if dead.survived:
            break
    assert step > 10 * STRIDE


def untrained(spec: JobSpec, step: int) -> JobSpec:
    """The same search on another split, so that nothing of it was trained before."""
    return spec.model_copy(update={"dataset": spec.dataset.model_copy(update={"split_seed": step})})


def resume(store: Store, training: Any, folder: Path) -> None:
    """What the next dispatcher does: nothing, where the job had ended."""
    with store.unit() as unit:
        claim = unit.jobs.claim("heir", 0.0)
    if claim is not None:
        run(store, claim, training, folder)
