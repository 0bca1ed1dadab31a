"""Runs the queue of a store inside a test, without a service around it."""

from __future__ import annotations

import threading
from functools import partial
from typing import Any

from search.job import JobSpec
from service.dispatcher import Dispatcher, Runner
from service.settings import Settings
from service.store import Store
from workers.report import TrialRequest
from workers.trial import run_trial


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
            report = partial(feed.epoch, request.trial_id)
            folders = {"checkpoints": settings.checkpoints, "data_folder": settings.data}
            feed.succeeded(request.trial_id, run_trial(request, **folders, threads=1, report=report))

    return run
