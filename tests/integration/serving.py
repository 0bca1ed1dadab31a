"""`bitfront serve` as a process that tests may kill, and what must be true of its results after."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from models.errors import BitfrontError
from service.client import BitfrontClient
from service.store import Store

Found = TypeVar("Found")
PATIENCE_SECONDS = 240
JOB: Mapping[str, Any] = {
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


class Service:
    """`bitfront serve` on a home of its own, as a user starts it; what it says is in `log`."""

    def __init__(
        self,
        home: Path,
        database: str | None = None,
        *,
        options: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.home = home
        self.log = home / "serve.log"
        self.options = options
        self.environment = environment or {}
        self.database = database or f"sqlite:///{home / 'bitfront.db'}"
        self.start()

    def start(self) -> None:
        """Start it, or start it again."""
        settings = {"BITFRONT_LEASE_SECONDS": "3", "BITFRONT_DATABASE_URL": self.database}
        command = [sys.executable, "-m", "service.cli", "serve", "--port", "0", "--home", str(self.home)]
        # A user's environment says nothing of Ray; that of the tests does.
        plain = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *self.options],
                env={**plain, **settings, **self.environment},
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )
        self.client = BitfrontClient(self._url())

    def stop(self) -> None:
        """Stop it as Ctrl-C would."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=60)
        self.client.close()

    def kill(self) -> None:
        """Kill -9 of the serving process alone; its children must not outlive it."""
        self.process.kill()
        self.process.wait()
        self.client.close()

    def children(self) -> list[int]:
        """The processes that were started for this home, the serving one among them."""
        return processes("service.cli", self.home)

    def dispatchers(self) -> list[int]:
        """The processes that run searches for this home."""
        return processes("service.cli dispatcher", self.home)

    def workers(self) -> list[int]:
        """The processes that train for this home."""
        return [worker for driver in self.dispatchers() for worker in workers_of(driver)]

    def _url(self) -> str:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            for port in listening_ports(self.process.pid):
                return f"http://127.0.0.1:{port}"
            time.sleep(0.1)
        raise AssertionError("the service did not start listening")


def listening_ports(pid: int) -> list[int]:
    """TCP ports that a process listens on, from /proc."""
    inodes = set()
    for descriptor in Path(f"/proc/{pid}/fd").glob("*"):
        try:
            target = str(descriptor.readlink())
        except OSError:
            continue  # it was closed meanwhile
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    rows = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    return [int(row[1].split(":")[1], 16) for row in rows if row[3] == "0A" and row[9] in inodes]


def processes(title: str, home: Path | None = None) -> list[int]:
    """Processes whose command line holds a title; with a home, only those started for it.

    Ray overwrites the environment of its workers with their titles, so theirs cannot be asked for.
    """
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            started_for = home is None or str(home).encode() in (path / "environ").read_bytes()
        except OSError:
            continue  # it ended meanwhile
        if started_for and title in title_of(int(path.name)):
            found.append(int(path.name))
    return found


def workers_of(driver: int) -> list[int]:
    """The processes that run trials on the Ray that a process has started: children of its raylet.

    Ray titles an actor by its class when idle, by its wrapper in a step, and its session by its driver.
    """
    raylets = [pid for pid in processes(f"_{driver}/sockets/") if "raylet" in title_of(pid)]
    return [pid for pid in processes("Trainable") if parent_of(pid) in raylets]


def title_of(pid: int) -> str:
    """The command line of a process, which it may have changed; nothing where it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def parent_of(pid: int) -> int | None:
    """The process that a process belongs to; None where it has ended."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def kill_all(pids: list[int]) -> int:
    """Kill -9; how many were there to be killed: one may have ended meanwhile."""
    killed = 0
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
        killed += 1
    return killed


def wait_until(condition: Callable[[], Found]) -> Found:
    """What a condition finds once it finds something; a service or database that is down finds nothing."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    error: BitfrontError | None = None
    while time.monotonic() < deadline:
        try:
            if found := condition():
                return found
        except BitfrontError as unavailable:
            error = unavailable
        time.sleep(0.1)
    raise AssertionError("nothing happened in time") from error


def in_the_middle(service: Service, job_id: str) -> None:
    """Wait until some trials have ended and another has trained at least two epochs."""

    def reached() -> bool:
        trials = service.client.trials(job_id, limit=100).items
        ended = [trial for trial in trials if trial.state == "succeeded"]
        running = [trial for trial in trials if trial.state == "running" and trial.epochs_done >= 2]
        return len(ended) >= 5 and bool(running)

    wait_until(reached)


def result(service: Service, job_id: str) -> Any:
    """What must not depend on kills: every point and the front, without ids and times."""
    front = service.client.front(job_id, all_points=True)
    points = [
        (p.method, p.seed, p.cost, p.validation_accuracy, p.test_accuracy, p.on_front) for p in front.points
    ]
    return sorted(points), front.hypervolume


def ended(service: Service, job_id: str) -> Any:
    """The result of a job that succeeds with all its trials."""

    def finished() -> Any:
        found = service.client.job(job_id)
        assert found.state not in {"failed", "cancelled"}, found.error
        return found.state == "succeeded" and found

    job = wait_until(finished)
    assert job.trials_finished == TRIALS
    return result(service, job_id)


def trained_once(database: str, job_id: str) -> None:
    """Every trial has exactly one accepted result, and no ended trial was started again."""
    store = Store.open(database)
    try:
        with store.unit() as unit:
            page = unit.trials.page(job_id, limit=100, cursor=None, state=None, method=None, seed=None)
            for shown in page.items:
                trial = unit.trials.get(shown.id)
                assert len(trial.point_ids) == 1, (trial.state, trial.reason, trial.message)
                states = [attempt.state for attempt in trial.attempts]
                assert states == [] if trial.reused_from else states.count("succeeded") == 1
                assert states[-1:] in ([], ["succeeded"])
    finally:
        store.close()


def run_job(
    home: Path,
    disturb: Callable[[Service, str], None],
    database: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Any:
    """The result of the job on a fresh home, disturbed meanwhile; every trial counted once."""
    service = Service(home, database, environment=environment)
    try:
        job_id = wait_until(lambda: service.client.submit(dict(JOB), idempotency_key="job").id)
        disturb(service, job_id)
        found = ended(service, job_id)
    finally:
        service.stop()
    trained_once(service.database, job_id)
    assert service.children() == []
    return found
