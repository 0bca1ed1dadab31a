"""Runs the queue of a store inside a test, without a service around it."""

from __future__ import annotations

import threading
from typing import Any

from search.job import JobSpec
from service.dispatcher import Dispatcher, Runner
from service.settings import Settings
from service.store import Store
from workers.report import TrialOutcome, TrialRequest
from workers.trial import TrialRun


def work_off(settings: Settings, store: Store, run: Runner) -> int:
    """Work off the queue; how many jobs there were."""
    dispatcher = Dispatcher(settings, store, run=run, stop=threading.Event())
    jobs = 0
    while dispatcher.work_once():
        jobs += 1
    return jobs


def here(settings: Settings) -> Runner:
    """Trains one trial after the other in this process."""

    def run(feed: Any, spec: JobSpec) -> None:
        while isinstance(request := feed.next_trial(), TrialRequest):
            feed.started(request.trial_id)
            trial = TrialRun(request, checkpoints=settings.checkpoints, data_folder=settings.data, threads=1)
            while not trial.finished:
                feed.epoch(request.trial_id, trial.step())
            end = trial.end()
            (feed.succeeded if isinstance(end, TrialOutcome) else feed.stopped)(request.trial_id, end)

    return run
