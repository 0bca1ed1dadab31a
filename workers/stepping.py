"""A trial as results that travel: each step gives one, as JSON, and the last one how the trial ended.

A failure that would only repeat itself is a result, not an exception: whoever runs trials retries lost
workers alone.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from models.replicas import ALONE, Replicas
from workers.failures import failure_of
from workers.logs import worker_log
from workers.pace import Pace
from workers.places import is_full, place_of
from workers.progress import Progress
from workers.report import TrialOutcome, TrialRequest, to_json
from workers.shared_folder import require_mark
from workers.trial import TrialRun


class SteppedTrial:
    """The trial of a configuration, a step at a time; it is opened by the first, where failures are told."""

    def __init__(self, config: dict[str, Any], replicas: Replicas = ALONE) -> None:
        self._config = config
        self._replicas = replicas
        self._run: TrialRun | None = None
        self._log = log_of(config)
        if replicas.size > 1:
            self._log = self._log.bind(replica=replicas.rank)

    def step(self) -> dict[str, Any]:
        """Train one epoch, or a part of one; the last result of a trial carries its outcome, stop or failure.

        A part that is not the last of its epoch says how many samples the trial has processed by then.
        `done` is true of the last; `unstored` says that there was no room, and that the trial has not ended.
        """
        try:
            return self._advance()
        except Exception as error:
            if is_full(error):  # no fault of the trial: once there is room it goes on
                self._log.warning("nothing can be stored", error=str(error))
                return {"done": True, "unstored": str(error)}
            failure = failure_of(error, self._run)
            self._log.error("trial failed", reason=failure.reason, exc_info=True)
            return {"done": True, "failure": to_json(failure)}

    def _advance(self) -> dict[str, Any]:
        report = None
        if self._run is None:
            self._run = open_run(self._config, self._replicas)
            report = self._run.resumed
            self._log.info(
                "trial opened", resumed_after=report.epoch if report else 0, step=self._run.progress.step
            )
        if report is None:
            report = self._run.step()
            if report is None:
                return self._part(self._run.progress)
            self._log.info("epoch trained", epoch=report.epoch, seconds=round(report.seconds, 3))
        result = {"done": self._run.finished, "epoch": to_json(report)}
        return result | (self._end(self._run) if self._run.finished and self._replicas.first else {})

    def _part(self, progress: Progress) -> dict[str, Any]:
        self._log.info("part of an epoch trained", epochs_before=progress.epoch, step=progress.step)
        return {"done": False, "part": {"samples": progress.samples}}

    def _end(self, run: TrialRun) -> dict[str, Any]:
        end = run.end()
        kind = "outcome" if isinstance(end, TrialOutcome) else "stop"
        self._log.info("trial ended", kind=kind)
        return {kind: to_json(end)}


def open_run(config: dict[str, Any], replicas: Replicas = ALONE) -> TrialRun:
    """The trial of a configuration, resumed where an earlier attempt left it."""
    checkpoints = place_of(str(config["checkpoints"]))
    require_mark(checkpoints, config["folder_mark"])
    return TrialRun(
        TrialRequest(**json.loads(config["request"])),
        checkpoints=checkpoints,
        data_folder=Path(config["data_folder"]),
        threads=config["threads"],
        replicas=replicas,
        pace=Pace(every=config.get("checkpoint_every")),
    )


def log_of(config: dict[str, Any]) -> Any:
    """The log of one attempt; a worker that takes the trial up again after a death has the next number."""
    request = TrialRequest(**json.loads(config["request"]))
    return worker_log(
        config.get("logs"),
        job=request.job_id,
        trial=request.trial_id,
        attempt=config.get("attempt"),
        trace_id=request.trace_id,
    )
