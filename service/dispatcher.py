"""Claims jobs and reruns one after another and runs each on Ray until it ends or the dispatcher is to stop.

However a dispatcher ends, no job is lost: told to stop, it gives its job back; killed, its lease runs out
and another dispatcher takes the job over, with the trials resuming from their checkpoints.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import structlog
from sqlalchemy.exc import OperationalError

from models.errors import BitfrontError
from search.job import JobSpec
from service.jobs import JobRun
from service.jobs.engine import Planner
from service.jobs.heartbeat import Heartbeat
from service.parent import end_with_parent
from service.reruns.running import run_rerun
from service.settings import Settings
from service.store import Claim, Store, Unit
from service.store.reruns import RerunClaim
from workers.planning import plan_job

if TYPE_CHECKING:  # importing it imports Ray, whose environment is set first
    from workers.tune import TrialFeed

Runner = Callable[["TrialFeed", JobSpec], None]
"""Runs the trials of a feed to their end; `workers.tune.run_trials` in production."""

Claimed = TypeVar("Claimed", Claim, RerunClaim)
POLL_SECONDS = 0.5


class Dispatcher:
    """Works on the queue of a store, one job at a time."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        *,
        run: Runner,
        stop: threading.Event,
        plan: Planner = plan_job,
    ) -> None:
        self._settings = settings
        self._store = store
        self._run = run
        self._stop = stop
        self._plan = plan
        self._owner = f"{socket.gethostname()}-{os.getpid()}"
        self._log = structlog.get_logger("bitfront.dispatcher")

    def work(self) -> None:
        """Claim and run jobs until told to stop."""
        while not self._stop.is_set():
            if not self.work_once():
                self._stop.wait(POLL_SECONDS)

    def work_once(self) -> bool:
        """Claim one rerun, or else one job, and run it; whether there was one."""
        if self._work_on_rerun():
            return True
        claim = self._claim(lambda unit: unit.jobs.claim(self._owner, self._settings.lease_seconds))
        if claim is None:
            return False
        self._log.info("job claimed", job=claim.job_id, name=claim.spec.name, token=claim.token)
        with Heartbeat(self._store, claim) as heartbeat:
            self._run_job(claim, heartbeat)
        return True

    def _work_on_rerun(self) -> bool:
        claim = self._claim(lambda unit: unit.reruns.claim(self._owner, self._settings.lease_seconds))
        if claim is None:
            return False
        self._log.info("rerun claimed", rerun=claim.rerun_id, point=claim.point_id)
        with Heartbeat(self._store, claim) as heartbeat:
            run_rerun(
                self._store,
                claim,
                run=self._run,
                checkpoints=self._settings.checkpoints,
                halt=lambda: self._stop.is_set() or heartbeat.lost.is_set(),
            )
        return True

    def _claim(self, claim: Callable[[Unit], Claimed | None]) -> Claimed | None:
        try:
            with self._store.unit() as unit:
                return claim(unit)
        except OperationalError as error:
            self._log.warning("the database cannot be reached", error=str(error))
            return None

    def _run_job(self, claim: Claim, heartbeat: Heartbeat) -> None:
        """Run a claimed job to whatever end it has; an error in it ends the job, never the dispatcher."""
        job = JobRun(
            self._store,
            claim,
            data_folder=self._settings.data,
            checkpoints=self._settings.checkpoints,
            plan=self._plan,
            halt=lambda: self._stop.is_set() or heartbeat.lost.is_set(),
        )
        try:
            self._run_to_end(job, claim)
        except OperationalError as error:
            self._log.warning(
                "the database failed; the job will be claimed again", job=claim.job_id, error=str(error)
            )
        self._log.info("job left", job=claim.job_id)

    def _run_to_end(self, job: JobRun, claim: Claim) -> None:
        try:
            job.prepare()
            self._run(job, claim.spec)
            job.finish()
        except OperationalError:
            raise
        except BitfrontError as error:
            job.abort(str(error))
        except Exception as error:
            self._log.exception("the job failed", job=claim.job_id)
            job.abort(f"{type(error).__name__}: {error}")


def run_dispatcher(settings: Settings, *, stop: threading.Event) -> None:
    """Work on the queue until `stop` is set, by a signal or with the parent that asked for it."""
    from workers.cluster import local_ray

    end_with_parent(stop)
    store = Store.open(settings.database)
    store.migrate()
    try:
        with local_ray(settings.home / "ray-token"):
            _stop_on_signals(stop)  # after Ray, which puts a handler of its own in place
            Dispatcher(settings, store, run=ray_runner(settings), stop=stop).work()
    finally:
        store.close()


def ray_runner(settings: Settings) -> Runner:
    """Runs the trials of a job on the Ray that this process has joined."""
    from workers.tune import run_trials

    def run(feed: TrialFeed, spec: JobSpec) -> None:
        run_trials(
            feed,
            compute=spec.compute,
            checkpoints=settings.checkpoints,
            data_folder=settings.data,
            scratch=settings.scratch,
        )

    return run


def _stop_on_signals(stop: threading.Event) -> None:
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
