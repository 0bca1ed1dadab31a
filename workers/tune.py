"""Ray Tune runs the trials of a job; what they are and what becomes of them is up to a `workers.feed`.

Tune places, retries and stops trials and reuses their actors. A searcher of ours asks the feed for the next
trial, a callback gives it every result, and a stopper asks it whether to go on; all in the calling thread.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import uuid
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ray import tune
from ray.tune import Callback, Stopper
from ray.tune.experiment import Trial
from ray.tune.search import Searcher

from models.errors import StorageError
from search.job import ComputeSpec
from workers.checkpoints import discard_resume
from workers.feed import TrialFeed
from workers.places import Place, Where, place_of
from workers.replicated import ReplicatedTrainable
from workers.report import (
    EpochReport,
    TrialFailure,
    TrialRequest,
    TrialStop,
    failure_from_json,
    outcome_from_json,
)
from workers.resources import await_room, per_process, resources_of
from workers.shared_folder import mark_of
from workers.trainable import TrialTrainable

RETRIES = 2
"""How often a trial whose worker died is started again before it counts as lost."""


def run_trials(
    feed: TrialFeed,
    *,
    compute: ComputeSpec,
    checkpoints: Where,
    data_folder: Path,
    scratch: Path,
    logs: Path | None = None,
    checkpoint_every: float | None = None,
    patience: float = 0.0,
) -> None:
    """Run trials until the feed has no more and all have ended, or until it is cancelled.

    Workers write their log into the folder `logs`, and a checkpoint after each epoch, and after so many
    seconds within one (workers.pace). Needs an initialised Ray; a process runs one such call at
    a time, since Tune keeps what it registers for the whole process. Raises InvalidInputError when the
    cluster cannot hold one trial, and does not come to within `patience` seconds, and ClusterUnavailableError
    where it has no node by then.
    """
    await_room(compute, patience=patience, over=feed.cancelled)
    logging.getLogger("ray.tune").setLevel(logging.ERROR)  # it warns that files we switched off are missing
    _sweep(scratch)
    folder = scratch / f"tune-{os.getpid()}-{uuid.uuid4().hex}"
    place = place_of(checkpoints)
    shared = {
        "processes": compute.processes_per_trial,
        "per_process": per_process(compute),
        "checkpoints": place.url,
        "folder_mark": mark_of(place),
        "data_folder": str(data_folder.resolve()),
        "checkpoint_every": checkpoint_every,
        "threads": max(1, int(compute.cpus_per_trial / compute.processes_per_trial)),
        "logs": None if logs is None else str(logs.resolve()),
    }
    pause = Pause(feed)
    try:
        tune.Tuner(
            trainable_of(compute),
            tune_config=tune.TuneConfig(
                search_alg=FeedSearcher(feed, shared),
                num_samples=-1,
                max_concurrent_trials=compute.concurrent_trials,
                reuse_actors=compute.processes_per_trial == 1,
                trial_dirname_creator=_folder_name,
            ),
            run_config=tune.RunConfig(
                name=folder.name,
                storage_path=str(folder.parent.resolve()),
                callbacks=[FeedCallback(feed, place, pause)],
                stop=FeedStopper(feed, pause),
                checkpoint_config=tune.CheckpointConfig(checkpoint_frequency=0, checkpoint_at_end=False),
                failure_config=tune.FailureConfig(max_failures=RETRIES),
                verbose=0,
            ),
        ).fit()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Unpickled:
    """Tune pickles its parts for a restore that Bitfront never asks for; ours leave their feed out."""

    def __getstate__(self) -> dict[str, Any]:
        return {}


class FeedSearcher(_Unpickled, Searcher):
    """Asks the feed for trials."""

    def __init__(self, feed: TrialFeed, shared: dict[str, Any]) -> None:
        super().__init__()
        self._feed = feed
        self._shared = shared

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:  # type: ignore[override]  # Tune's own FINISHED is a str
        """A configuration, None to be asked again later, or FINISHED."""
        found = self._feed.next_trial()
        if isinstance(found, TrialRequest):
            return {
                **self._shared,
                "trial": found.trial_id,
                "attempt": found.attempt,
                "request": json.dumps(asdict(found)),
            }
        return None if found == "wait" else Searcher.FINISHED

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Results reach the feed through the callback."""

    def save(self, checkpoint_path: str) -> None:
        """SQL is the record of a search; there is nothing to save here."""

    def restore(self, checkpoint_path: str) -> None:
        """See `save`."""


class FeedCallback(_Unpickled, Callback):
    """Gives every result to the feed."""

    def __init__(self, feed: TrialFeed, checkpoints: Place, pause: Pause) -> None:
        self._feed = feed
        self._checkpoints = checkpoints
        self._pause = pause

    def on_step_end(self, iteration: int, trials: list[Trial], **info: Any) -> None:
        """Tune has done one thing; it looks whether to stop before the next."""
        self._pause.seen(trials)

    def on_trial_start(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        """An actor takes the trial up, for the first time or again."""
        self._feed.started(trial.config["trial"])

    def on_trial_result(
        self, iteration: int, trials: list[Trial], trial: Trial, result: dict[str, Any], **info: Any
    ) -> None:
        """One epoch or a part of one, and with the last one the end of the trial."""
        trial_id = trial.config["trial"]
        self._pause.seen(trials)
        self._pause.told(trial)
        if "part" in result:
            self._feed.advanced(trial_id, result["part"]["samples"])
        if "epoch" in result:
            self._feed.epoch(trial_id, EpochReport(**result["epoch"]))
        if "outcome" in result:
            self._feed.succeeded(trial_id, outcome_from_json(result["outcome"]))
            self._discard(trial_id)
        if "stop" in result:
            self._feed.stopped(trial_id, TrialStop(**result["stop"]))
            self._discard(trial_id)
        if "unstored" in result:
            self._feed.unstored(trial_id, result["unstored"])
        if "failure" in result:
            self._feed.failed(trial_id, failure_from_json(result["failure"]))

    def _discard(self, trial_id: str) -> None:
        try:
            discard_resume(self._checkpoints.child(trial_id))
        except StorageError as error:  # the result is stored; what is left over is pruned later
            logging.getLogger("bitfront.tune").warning("%s", error)

    def on_trial_recover(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        """The worker died and Tune will start the trial again."""
        trial.config["attempt"] += 1
        self._feed.lost(trial.config["trial"], "the worker process died")

    def on_trial_error(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        """The worker died once too often, or it died of something else while it was given this trial.

        Tune retries only what has started: it gives up at once on a trial whose reused worker dies between
        two trials, though the trial has done nothing to it.
        """
        if trial.run_metadata.num_failures <= RETRIES:
            self._feed.put_back(trial.config["trial"])
            return
        message = f"its worker process died {RETRIES + 1} times"
        self._feed.failed(trial.config["trial"], TrialFailure(reason="lost", message=message))


class Pause:
    """Which trials a run waits for once its feed is pausing: those that ran then, until their next result.

    A trial has stored what it trained when it gives a result, and is stopped by it.
    """

    def __init__(self, feed: TrialFeed) -> None:
        self._feed = feed
        self._awaited: set[str] | None = None

    def seen(self, trials: Sequence[Trial]) -> None:
        """These are the trials at a moment."""
        if self._awaited is None and self._feed.pausing():
            self._awaited = {one.trial_id for one in trials if one.status == Trial.RUNNING}

    def told(self, trial: Trial) -> None:
        """A trial has given a result."""
        if self._awaited is not None:
            self._awaited.discard(trial.trial_id)

    def waits(self) -> bool:
        """Whether some trial has yet to store what it trains, or nobody has looked yet."""
        return self._awaited != set() and self._feed.pausing()


class FeedStopper(_Unpickled, Stopper):
    """Stops everything once the feed is cancelled, and a trial after its result where the feed pauses."""

    def __init__(self, feed: TrialFeed, pause: Pause) -> None:
        self._feed = feed
        self._pause = pause

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        """Whether this trial stops after its result."""
        return self._feed.cancelled()

    def stop_all(self) -> bool:
        """Whether the whole run stops now."""
        return self._feed.cancelled() and not self._pause.waits()


def _sweep(scratch: Path) -> None:
    """Remove what processes that were killed have left behind."""
    for folder in scratch.glob("tune-*-*"):
        if not _alive(int(folder.name.split("-")[1])):
            shutil.rmtree(folder, ignore_errors=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)  # signal 0 asks, and does nothing
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _folder_name(trial: Trial) -> str:
    """A short name; Tune's own would spell out the whole configuration."""
    return str(trial.trial_id)


def trainable_of(compute: ComputeSpec) -> Any:
    """What Tune makes an actor of for each trial; one that watches over processes holds nothing itself."""
    if compute.processes_per_trial == 1:
        return tune.with_resources(TrialTrainable, resources_of(compute))
    bundles = [{}, *[per_process(compute)] * compute.processes_per_trial]  # the first is the watcher's own
    return tune.with_resources(ReplicatedTrainable, tune.PlacementGroupFactory(bundles))
