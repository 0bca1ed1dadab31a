"""Trials in two processes on a real Ray: the curve of one process, a killed one, a failure of one alone."""

import os
import signal
import time

import pytest

from models.errors import InvalidInputError
from search.job import ComputeSpec
from tests.integration.serving import processes
from tests.integration.test_tune import Feed, job, request
from workers.resources import require_room
from workers.tune import run_trials

pytestmark = pytest.mark.ray
COMPUTE = ComputeSpec(processes_per_trial=2, cpus_per_trial=2, concurrent_trials=1)


def run(feed, folder, compute=COMPUTE):
    """Run a feed of requests in two processes each."""
    run_trials(
        feed,
        compute=compute,
        checkpoints=folder / "checkpoints",
        data_folder=folder,
        scratch=folder / "scratch",
        logs=folder / "logs",
    )
    return feed


class Curves(Feed):
    """Remembers the losses of each trial."""

    def __init__(self, requests, on_epoch=lambda trial_id, report: None):
        super().__init__(requests, on_epoch)
        self.losses = {}

    def epoch(self, trial_id, report):
        self.losses.setdefault(trial_id, {})[report.epoch] = report.train_loss
        super().epoch(trial_id, report)


def replicas_now():
    """The processes that train replicas."""
    return [pid for pid in processes("ReplicaProcess") if pid != os.getpid()]


class Disturbed(Curves):
    """Kills a process of the first trial after its first epoch, and cancels all in the last one."""

    def __init__(self, requests):
        super().__init__(requests, self.disturb)
        self.killed = []

    def disturb(self, trial_id, report):
        if trial_id == "trial-a" and not self.killed:
            self.killed.append(replicas_now()[-1])
            os.kill(self.killed[0], signal.SIGKILL)
        self.stop = trial_id == "trial-endless"


def test_two_processes_reach_what_one_does_through_a_kill_a_failure_and_a_cancel(ray_cluster, tmp_path):
    wanted = request("trial-a", job(epochs=3))
    alone = run(Curves([wanted]), tmp_path / "alone", ComputeSpec(cpus_per_trial=1))
    others = [
        request("trial-bad", job(lr=100.0, weight_decay=1.0)),
        request("trial-endless", job(epochs=200)),
    ]
    together = run(Disturbed([wanted, *others]), tmp_path / "together")

    assert together.killed
    assert together.log.count(("lost", "trial-a")) == 1
    assert together.losses["trial-a"].keys() == {1, 2, 3}
    for epoch, loss in together.losses["trial-a"].items():
        assert loss == pytest.approx(
            alone.losses["trial-a"][epoch], rel=0.1
        )  # float32: tests of units are exact
    (point,) = together.outcomes["trial-a"].points
    assert together.outcomes["trial-a"].provenance["processes"] == 2
    files = [path.name for path in (tmp_path / "together" / "checkpoints" / "trial-a").iterdir()]
    assert files == [point.checkpoint]

    assert together.failures["trial-bad"].reason == "nan_loss"
    assert together.outcomes.keys() == {"trial-a"}
    gone(replicas_now)
    gone(lambda: list((tmp_path / "together" / "scratch").iterdir()))


def gone(look):
    """Wait until there is nothing of it any more; Ray ends its workers in its own time."""
    until = time.monotonic() + 60
    while left := look():
        assert time.monotonic() < until, left
        time.sleep(0.1)


def test_a_cluster_without_room_for_every_process_is_refused(ray_cluster):
    with pytest.raises(InvalidInputError, match="room for 1 of the 2 processes") as found:
        require_room(ComputeSpec(processes_per_trial=2, cpus_per_trial=4))
    assert found.value.pointer == "/compute/processes_per_trial"
    with pytest.raises(InvalidInputError, match="6, 3 for each process"):
        require_room(ComputeSpec(processes_per_trial=2, cpus_per_trial=6))
    require_room(COMPUTE)
