"""Kill -9 of the service, the dispatcher or a worker in the middle of a job changes no result."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from service.client import BitfrontClient
from service.store import Store

pytestmark = pytest.mark.ray

JOB = {
    "name": "kills",
    "architecture": {"name": "conv-net", "width": 4},
    "dataset": {"name": "digits", "train_samples": 300},
    "budget": {"max": [2, 4]},
    "methods": ["gradient", "optuna-nsga2"],
    "seeds": [0],
    "training": {"epochs": 6, "batch_size": 32},
    "compute": {"trials_per_study": 6, "concurrent_trials": 2, "cpus_per_trial": 0.5},
}
TRIALS = 18
PATIENCE_SECONDS = 240


class Service:
    """`bitfront serve` on a home of its own, as a user starts it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.start()

    def start(self):
        """Start it, or start it again."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "service.cli", "serve", "--port", "0", "--home", str(self.home)],
            env={**os.environ, "BITFRONT_LEASE_SECONDS": "3"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.client = BitfrontClient(self._url())

    def stop(self):
        """Stop it as Ctrl-C would."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=60)
        self.client.close()

    def kill(self):
        """Kill -9 of the serving process alone; its children must not outlive it."""
        self.process.kill()
        self.process.wait()
        self.client.close()

    def _url(self):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            for port in listening_ports(self.process.pid):
                return f"http://127.0.0.1:{port}"
            time.sleep(0.1)
        raise AssertionError("the service did not start listening")


def listening_ports(pid):
    """TCP ports that a process listens on, from /proc."""
    inodes = set()
    for descriptor in Path(f"/proc/{pid}/fd").glob("*"):
        target = str(descriptor.readlink()) if descriptor.is_symlink() else ""
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    rows = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    return [int(row[1].split(":")[1], 16) for row in rows if row[3] == "0A" and row[9] in inodes]


def processes(title, home=None):
    """Processes whose command line holds a title; with a home, only those started for it.

    Ray overwrites the environment of its workers with their titles, so theirs cannot be asked for.
    """
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            line = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            ours = home is None or str(home).encode() in (path / "environ").read_bytes()
        except OSError:
            continue  # it ended meanwhile
        if title in line and ours:
            found.append(int(path.name))
    return found


def wait_until(condition):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("nothing happened in time")


def in_the_middle(service, job_id):
    """Wait until some trials have ended and another has trained at least two epochs."""

    def reached():
        trials = service.client.trials(job_id, limit=100).items
        ended = [trial for trial in trials if trial.state == "succeeded"]
        return len(ended) >= 5 and [t for t in trials if t.state == "running" and t.epochs_done >= 2]

    wait_until(reached)


def ended(service, job_id):
    job = wait_until(lambda: (found := service.client.job(job_id)).state == "succeeded" and found)
    assert job.trials_finished == TRIALS
    return result(service, job_id)


def result(service, job_id):
    """What must not depend on kills: every point and the front, without ids and times."""
    front = service.client.front(job_id, all_points=True)
    points = [
        (p.method, p.seed, p.cost, p.validation_accuracy, p.test_accuracy, p.on_front) for p in front.points
    ]
    return sorted(points), front.hypervolume


def trained_once(home, job_id):
    """Every trial has exactly one accepted result, and no ended trial was started again."""
    store = Store.open(f"sqlite:///{home / 'bitfront.db'}")
    try:
        with store.unit() as unit:
            for shown in unit.trials.page(
                job_id, limit=100, cursor=None, state=None, method=None, seed=None
            ).items:
                trial = unit.trials.get(shown.id)
                assert len(trial.point_ids) == 1
                states = [attempt.state for attempt in trial.attempts]
                assert states == [] if trial.reused_from else states.count("succeeded") == 1
                assert states[-1:] in ([], ["succeeded"])
    finally:
        store.close()


def run_job(home, disturb):
    service = Service(home)
    try:
        job_id = service.client.submit(JOB).id
        disturb(service, job_id)
        found = ended(service, job_id)
    finally:
        service.stop()
    trained_once(home, job_id)
    return found


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The result of a run that nothing happened to."""
    return run_job(tmp_path_factory.mktemp("undisturbed"), lambda service, job_id: None)


def test_the_service_is_killed_and_started_again(undisturbed, tmp_path):
    def disturb(service, job_id):
        in_the_middle(service, job_id)
        service.kill()
        service.start()

    assert run_job(tmp_path, disturb) == undisturbed


def test_the_dispatcher_is_killed(undisturbed, tmp_path):
    def disturb(service, job_id):
        in_the_middle(service, job_id)
        for pid in wait_until(lambda: processes("service.cli dispatcher", tmp_path)):
            os.kill(pid, signal.SIGKILL)

    assert run_job(tmp_path, disturb) == undisturbed


def test_a_worker_is_killed(undisturbed, tmp_path):
    def disturb(service, job_id):
        in_the_middle(service, job_id)
        # Ray titles an actor by its class when idle, by its wrapper in a step.
        killed = wait_until(lambda: processes("Trainable"))
        for pid in killed:
            os.kill(pid, signal.SIGKILL)

    assert run_job(tmp_path, disturb) == undisturbed
