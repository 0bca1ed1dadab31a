"""What the store promises of ablations, on SQLite and PostgreSQL alike."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from models.errors import InvalidInputError
from search.ablation import AblationSpec, Variant
from search.job import JobSpec
from service.errors import ConflictError, NotFoundError
from service.jobs import JobRun
from service.store import Store
from service.store.ablations import JobPlanned
from workers.report import TrialOutcome, TrialRequest

LAYERS = [
    {"name": "body", "weights": 300, "inputs": 10, "macs": 1, "biases": 1, "kind": "conv", "searched": True},
    {
        "name": "classifier",
        "weights": 100,
        "inputs": 30,
        "macs": 1,
        "biases": 1,
        "kind": "linear",
        "searched": True,
    },
]


@pytest.fixture
def jobs(job_spec) -> dict[str, JobSpec]:
    """Two jobs that differ in what they train."""
    once = {"trials_per_study": 2}
    return {
        "fixed": job_spec(name="a.fixed", methods=["uniform"], seeds=[0, 1], compute=once),
        "learned": job_spec(name="a.learned", methods=["random"], seeds=[0, 1], compute=once),
    }


@pytest.fixture
def variants(jobs) -> tuple[Variant, ...]:
    """Three variants over the two jobs; two of them, in different groups, share one."""

    def made(group, name, method, job) -> Variant:
        return Variant(group=group, name=name, description=f"{name}.", method=method, jobs=(jobs[job],))

    return (
        made("learned", "fixed", "uniform", "fixed"),
        made("learned", "all together", "random", "learned"),
        made("targets", "one budget", "random", "learned"),
    )


@pytest.fixture
def submit(job_spec, variants):
    def run(store: Store, key: str | None = None, **changes) -> tuple[str, bool]:
        spec = AblationSpec(job=job_spec(**changes), groups=("learned", "targets"))
        plan = JobPlanned(trials=4, plan={"layers": LAYERS})
        plans = {job.digest(): plan for variant in variants for job in variant.jobs}
        with store.unit() as unit:
            ablation, created = unit.ablations.submit(spec, variants, plans=plans, idempotency_key=key)
        return ablation.id, created

    return run


def listed(store: Store) -> list[str]:
    with store.unit() as unit:
        return [one.id for one in unit.ablations.page(limit=50, cursor=None).items]


def queued(store: Store) -> list[str]:
    with store.unit() as unit:
        return [job.name for job in unit.jobs.page(limit=50, cursor=None, state="queued").items]


def test_equal_jobs_are_queued_once_and_shown_in_every_group(store, submit):
    ablation_id, created = submit(store)
    with store.unit() as unit:
        found = unit.ablations.get(ablation_id)
    assert created
    assert queued(store) == ["a.learned", "a.fixed"]
    assert [(group.key, [one.name for one in group.variants]) for group in found.groups] == [
        ("learned", ["fixed", "all together"]),
        ("targets", ["one budget"]),
    ]
    assert found.groups[0].variants[1].job_ids == found.groups[1].variants[0].job_ids
    assert (found.state, found.jobs, found.jobs_ended) == ("queued", 2, 0)
    assert (found.trials_planned, found.trials_done) == (8, 0)
    assert found.groups[0].variants[0].description == "fixed."


def test_a_key_used_again_returns_the_same_ablation(store, submit):
    first, _ = submit(store, "key")
    assert submit(store, "key") == (first, False)
    assert len(queued(store)) == 2
    with pytest.raises(ConflictError):
        submit(store, "key", name="other")
    assert listed(store) == [first]


def test_twenty_submits_with_one_key_make_one_ablation(store, submit):
    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(lambda _: submit(store, "key"), range(20)))
    assert len({ablation_id for ablation_id, _ in found}) == 1
    assert [created for _, created in found].count(True) == 1
    assert len(queued(store)) == 2


def test_an_ablation_is_stored_with_all_its_jobs_or_not_at_all(store, job_spec, variants):
    plans = {variants[0].jobs[0].digest(): JobPlanned(trials=4, plan={})}  # that of the second job is missing
    spec = AblationSpec(job=job_spec(), groups=("learned",))
    with pytest.raises(KeyError), store.unit() as unit:
        unit.ablations.submit(spec, variants, plans=plans, idempotency_key=None)
    assert (listed(store), queued(store)) == ([], [])


def test_pages_run_from_the_newest_without_groups(store, submit):
    made = [submit(store, name=f"number-{number}")[0] for number in range(3)]
    with store.unit() as unit:
        first = unit.ablations.page(limit=2, cursor=None)
        rest = unit.ablations.page(limit=2, cursor=first.next_cursor)
    assert [one.id for one in (*first.items, *rest.items)] == made[::-1]
    assert rest.next_cursor is None
    assert all(one.groups == [] and one.jobs == 2 for one in first.items)


def test_what_is_not_there_is_refused(store):
    with store.unit() as unit:
        with pytest.raises(NotFoundError):
            unit.ablations.get("ablation-0")
        with pytest.raises(InvalidInputError):
            unit.ablations.page(limit=2, cursor="nonsense")


def test_a_job_knows_its_ablation(store, submit, job_spec):
    ablation_id, _ = submit(store, name="of-these")
    with store.unit() as unit:
        alone, _ = unit.jobs.submit(job_spec(), trials_planned=1, plan={}, idempotency_key=None)
        job_id = unit.ablations.get(ablation_id).groups[0].variants[0].job_ids[0]
        assert unit.ablations.of_job(job_id) == (ablation_id, "of-these")
        assert unit.ablations.of_job(alone.id) is None


def test_results_are_the_spread_over_seeds_of_points_chosen_by_validation(store, submit, training, tmp_path):
    ablation_id, _ = submit(store)
    while run_one(store, training, tmp_path):
        pass
    with store.unit() as unit:
        found = unit.ablations.get(ablation_id)
        learned = found.groups[0].variants[1]
        job = unit.jobs.get(learned.job_ids[0])
        at_nine = learned.results[1]
        points = [unit.points.get(one.point_id) for one in at_nine.found]
    assert (found.state, found.jobs_ended) == ("succeeded", 2)
    assert [result.budget for result in learned.results] == [3.0, 9.0]
    assert (learned.trials_planned, learned.trials_done) == (4, 4)
    best = {study.seed: study.best[1].point_id for study in job.studies if study.method == "random"}
    assert {one.seed: one.point_id for one in at_nine.found} == best
    validation = [point.validation_accuracy for point in points]
    assert at_nine.validation_accuracy.mean == pytest.approx(sum(validation) / 2)
    assert (at_nine.validation_accuracy.least, at_nine.validation_accuracy.greatest) == (
        min(validation),
        max(validation),
    )
    spread = abs(validation[0] - validation[1])
    assert at_nine.validation_accuracy.deviation == pytest.approx(spread / 2**0.5)
    weights = [
        (300 * point.allocation["body"]["weight_bits"] + 100 * point.allocation["classifier"]["weight_bits"])
        / 400
        for point in points
    ]
    assert at_nine.weight_bits.mean == pytest.approx(sum(weights) / 2)
    assert found.groups[1].variants[0].results == learned.results


def test_a_failed_job_fails_the_ablation_once_all_have_ended(store, submit, training, tmp_path):
    ablation_id, _ = submit(store)
    with store.unit() as unit:
        claim = unit.jobs.claim("test", 60)
        unit.jobs.finish(claim, "failed", "broken")
        assert unit.ablations.get(ablation_id).state == "running"
    run_one(store, training, tmp_path)
    with store.unit() as unit:
        assert unit.ablations.get(ablation_id).state == "failed"


def run_one(store: Store, training, folder) -> bool:
    """Claim a job and run its trials, none of which fails; whether there was one."""
    with store.unit() as unit:
        claim = unit.jobs.claim("test", 60)
    if claim is None:
        return False
    job = JobRun(store, claim, data_folder=folder, plan=training.plan)
    job.prepare()
    while isinstance(request := job.next_trial(), TrialRequest):
        job.started(request.trial_id)
        end = training.good(request)
        assert isinstance(end, TrialOutcome)
        job.succeeded(request.trial_id, end)
    job.finish()
    return True
