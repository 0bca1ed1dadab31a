"""Claims jobs and reruns one after another and runs each on Ray until it ends or the dispatcher is to stop.

However a dispatcher ends, no job is lost: told to stop, it gives its job back; killed, its lease runs out
and another dispatcher takes the job over, with the trials resuming from their checkpoints.

A dispatcher is a process with one job at a time. For several jobs the first one starts the others, which
share its Ray: Tune keeps what it registers, and the samplers their number of threads, for a whole process.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, TypeVar

import structlog
from sqlalchemy.exc import OperationalError

from models.errors import BitfrontError, ClusterUnavailableError
from search.job import JobSpec
from service.jobs import JobRun
from service.jobs.engine import Planner
from service.jobs.heartbeat import Heartbeat
from service.parent import end_with_parent
from service.presence import Present
from service.reruns.running import run_rerun
from service.room import Room
from service.settings import Settings
from service.store import Claim, Store, Unit
from service.store.queue import Presence
from service.store.reruns import RerunClaim
from service.supervisor import dispatcher_of
from workers.feed import TrialFeed
from workers.places import is_full
from workers.planning import plan_job

Runner = Callable[[TrialFeed, JobSpec], None]
"""Runs the trials of a feed to their end; `workers.tune.run_trials` in production."""

Claimed = TypeVar("Claimed", Claim, RerunClaim)
POLL_SECONDS = 0.5
REST_SECONDS = 5.0
NODE_SECONDS = 60.0
"""How long a job waits for a node of a cluster that can hold its trials, where none of those there can."""
ONE_JOB: Mapping[str, Any] = {"jobs": 1, "cpus": None, "ray_node_here": True}
"""What a further dispatcher does otherwise: one job, on the Ray of the first one, through its node."""


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
        has_nodes: Callable[[], bool] = lambda: True,
    ) -> None:
        self._settings = settings
        self._store = store
        self._run = run
        self._stop = stop
        self._plan = plan
        self._has_nodes = has_nodes
        self._without_nodes = False
        self._owner = presence_of(settings).id
        self._room = Room(settings)
        self._rests_until = 0.0
        self._waits = False
        self._log = structlog.get_logger("bitfront.dispatcher")

    def work(self) -> None:
        """Claim and run jobs until told to stop."""
        while not self._stop.is_set():
            if not self.work_once():
                self._stop.wait(POLL_SECONDS)

    def work_once(self) -> bool:
        """Claim one rerun, or else one job, and run it; whether there was one.

        None is claimed while nothing could be stored of it, or nothing could train it.
        """
        if not self._has_room() or not self._can_train():
            return False
        if self._work_on_rerun():
            return True
        claim = self._claim(self._next_job)
        if claim is None:
            return False
        about = {"job": claim.job_id, "token": claim.token, "trace_id": claim.trace_id}
        with structlog.contextvars.bound_contextvars(**about), Heartbeat(self._store, claim) as heartbeat:
            self._log.info("job claimed", name=claim.spec.name)
            self._run_job(claim, heartbeat)
        return True

    def _has_room(self) -> bool:
        if time.monotonic() < self._rests_until:
            return False
        problem = self._room.problem()
        if (problem is not None) != self._waits:
            self._waits = problem is not None
            self._log.warning("jobs wait for room" if problem else "there is room again", error=str(problem))
        return problem is None

    def _can_train(self) -> bool:
        found = self._has_nodes()
        if found == self._without_nodes:
            self._without_nodes = not found
            self._log.warning("there are nodes again" if found else "no node runs trials; jobs stay queued")
        return found

    def _rest(self) -> None:
        """What found no room is not claimed again at once, should the next look find some."""
        self._log.warning("there was no room to store results; the job goes on later")
        self._rests_until = time.monotonic() + REST_SECONDS

    def _work_on_rerun(self) -> bool:
        claim = self._claim(lambda unit: unit.reruns.claim(self._owner, self._settings.lease_seconds))
        if claim is None:
            return False
        self._log.info("rerun claimed", rerun=claim.rerun_id, point=claim.point_id)
        with Heartbeat(self._store, claim) as heartbeat:
            stored = run_rerun(
                self._store,
                claim,
                run=self._run,
                checkpoints=self._settings.checkpoint_place,
                stop=self._stop.is_set,
                lost=heartbeat.lost.is_set,
            )
        if not stored:
            self._rest()
        return True

    def _next_job(self, unit: Unit) -> Claim | None:
        most = self._settings.most_fruitless_claims
        return unit.jobs.claim(self._owner, self._settings.lease_seconds, most_fruitless=most)

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
            checkpoints=self._settings.checkpoint_place,
            plan=self._plan,
            halt=lambda: self._stop.is_set() or heartbeat.lost.is_set(),
            orderly=lambda: not heartbeat.lost.is_set(),
        )
        try:
            self._run_to_end(job, claim)
        except OperationalError as error:
            self._log.warning("the database failed; the job will be claimed again", error=str(error))
        if job.without_room:
            self._rest()
        self._log.info("job left")

    def _run_to_end(self, job: JobRun, claim: Claim) -> None:
        try:
            job.prepare()
            self._run(job, claim.spec)
            job.finish()
        except OperationalError:
            raise
        except ClusterUnavailableError as error:
            self._log.warning("the job goes back to the queue", error=str(error))
            job.give_back()
        except Exception as error:
            if is_full(error):
                job.give_back()
                return
            if isinstance(error, BitfrontError):
                self._log.warning("the job cannot be run", error=str(error))
                job.abort(str(error))
                return
            self._log.exception("the job failed")
            job.abort(f"{type(error).__name__}: {error}")


def presence_of(settings: Settings) -> Presence:
    """What the dispatcher of this process tells of itself."""
    host, pid = socket.gethostname(), os.getpid()
    return Presence(id=f"{host}-{pid}", host=host, pid=pid, lease_seconds=settings.lease_seconds)


def run_dispatcher(settings: Settings, *, stop: threading.Event) -> None:
    """Work on the queue until `stop` is set, by a signal or with the parent that asked for it."""
    from service.ray_cluster import joined
    from workers.cluster import ray_resources

    end_with_parent(stop)
    store = Store.open(settings.database)
    store.migrate()
    present = Present(store, presence_of(settings), ask=lambda: asdict(ray_resources()))
    try:
        with present, joined(settings, stop) as address:
            _stop_on_signals(stop)  # after Ray, which puts a handler of its own in place
            present.look()
            run = ray_runner(settings)
            dispatcher = Dispatcher(settings, store, run=run, stop=stop, has_nodes=present.has_nodes)
            with others(settings, address, stop):
                dispatcher.work()
    finally:
        store.close()


@contextmanager
def others(settings: Settings, ray_address: str, stop: threading.Event) -> Iterator[None]:
    """The further dispatchers that run the further jobs, on the same Ray; `stop` ends them all at once."""
    alone = settings.model_copy(update={**ONE_JOB, "ray_address": ray_address})
    further = [dispatcher_of(alone, stop=stop) for _ in range(settings.jobs - 1)]
    for supervisor in further:
        supervisor.start()
    try:
        yield
    finally:
        stop.set()
        for supervisor in further:
            supervisor.stop()


def ray_runner(settings: Settings) -> Runner:
    """Runs the trials of a job on the Ray that this process has joined."""
    from workers.tune import run_trials

    def run(feed: TrialFeed, spec: JobSpec) -> None:
        run_trials(
            feed,
            compute=spec.compute,
            checkpoints=settings.checkpoint_place,
            data_folder=settings.data,
            scratch=settings.scratch,
            logs=settings.logs,
            checkpoint_every=settings.checkpoint_seconds,
            patience=0.0 if settings.ray_address is None else NODE_SECONDS,
        )

    return run


def _stop_on_signals(stop: threading.Event) -> None:
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
