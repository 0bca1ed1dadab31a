"""A batch on a cluster of several nodes and dispatchers runs to its end, though the cluster loses its head.

pytest tests/integration/test_batch.py --batch-jobs 500
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from service.batches.views import BatchView
from tests.integration.composed import Composed
from tests.integration.serving import wait_until

pytestmark = [pytest.mark.ray, pytest.mark.postgres, pytest.mark.timeout(36_000)]

TEMPLATE = {
    "name": "one-of-many",
    "architecture": {"name": "conv-net", "width": 4},
    "dataset": {"name": "digits", "train_samples": 100},
    "budget": {"max": [2]},
    "methods": ["uniform"],
    "training": {"epochs": 1, "batch_size": 32},
    "compute": {"trials_per_study": 1, "concurrent_trials": 1},
}
PATIENCE_SECONDS = 60
"""For each job, on two cores."""


def batch_of(jobs: int) -> dict[str, Any]:
    """So many jobs, none like another: what was trained before would be reused."""
    return {"name": "many", "template": TEMPLATE, "jobs": [{"seeds": [seed]} for seed in range(jobs)]}


def all_have_joined(composed: Composed) -> bool:
    """Whether every dispatcher is in the cluster; of nodes that start at once Ray may give one up first."""
    dispatchers = composed.client.queue().dispatchers
    return [one.ray_answers for one in dispatchers] == [True] * composed.replicas("dispatcher")


def run_to_end(composed: Composed, batch_id: str, jobs: int) -> BatchView:
    """The batch as it ended. Once a third of its jobs has ended and every dispatcher has had one, the head is
    lost.
    """
    busy: set[str] = set()
    ended, lost = 0, False
    for found in itertools.islice(composed.client.batch_progress(batch_id), jobs * PATIENCE_SECONDS):
        assert found.jobs_ended >= ended  # it never goes back
        ended = found.jobs_ended
        busy |= {one.id for one in composed.client.queue().dispatchers if one.job_id is not None}
        if not lost and ended >= jobs // 3 and len(busy) == composed.replicas("dispatcher"):
            composed.lose("ray-head")
            composed.up("ray-head")
            lost = True
    assert lost, f"only {sorted(busy)} had jobs"
    return composed.client.batch(batch_id)


def test_a_batch_runs_to_its_end_on_a_cluster_that_loses_its_head(
    tmp_path: Path, postgres_database: str, request: pytest.FixtureRequest
) -> None:
    jobs = request.config.getoption("batch_jobs")
    composed = Composed(tmp_path, postgres_database)
    try:
        composed.client = composed.start()
        composed.start_ray()
        wait_until(lambda: all_have_joined(composed))
        batch = composed.client.submit_batch(batch_of(jobs))
        found = run_to_end(composed, batch.id, jobs)
        assert (found.state, found.jobs_ended, found.trials_finished) == ("succeeded", jobs, jobs)
        for job in composed.client.jobs(limit=100).items:
            (trial,) = composed.client.trials(job.id).items
            assert trial.state == "succeeded"
    except AssertionError as error:
        error.add_note(composed.said())
        raise
    finally:
        composed.stop()
