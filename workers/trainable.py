"""A trial as Ray Tune runs it: an actor that trains one epoch per step and is reused for the next trial.

The actor writes a resume checkpoint after every epoch into the trial's folder and takes up the newest one
when it starts, so one mechanism serves a killed worker, a killed driver and a restarted machine.
A failure that would only repeat itself is a result, not an exception: Tune retries lost actors alone.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ray import tune

from workers.failures import failure_of
from workers.logs import worker_log
from workers.places import is_full, place_of
from workers.report import TrialOutcome, TrialRequest, to_json
from workers.shared_folder import require_mark
from workers.trial import TrialRun


class TrialTrainable(tune.Trainable):
    """Trains the request found in `config["request"]` (JSON)."""

    def setup(self, config: dict[str, Any]) -> None:
        """Take a request; the work begins with the first step, where failures are reported."""
        self._config = config
        self._run: TrialRun | None = None
        self._log = log_of(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Take the next request in the same process."""
        self.setup(new_config)
        return True

    def step(self) -> dict[str, Any]:
        """Train one epoch; the last result of a trial carries its outcome, its stop or its failure."""
        try:
            return self._advance()
        except Exception as error:
            if is_full(error):  # no fault of the trial: once there is room it goes on
                self._log.warning("nothing can be stored", error=str(error))
                return {"done": True, "unstored": str(error)}
            failure = failure_of(error, self._run)
            self._log.error("trial failed", reason=failure.reason, exc_info=True)
            return {"done": True, "failure": to_json(failure)}

    def save_checkpoint(self, checkpoint_dir: str) -> dict[str, Any]:
        """Nothing for Tune to keep: the trial's own folder already has its checkpoint."""
        return {}

    def load_checkpoint(self, checkpoint: dict[str, Any] | None) -> None:
        """See `save_checkpoint`."""

    def _advance(self) -> dict[str, Any]:
        report = None
        if self._run is None:
            self._run = open_run(self._config)
            report = self._run.resumed
            self._log.info("trial opened", resumed_after=report.epoch if report else 0)
        if report is None:
            report = self._run.step()
            self._log.info("epoch trained", epoch=report.epoch, seconds=round(report.seconds, 3))
        result = {"done": self._run.finished, "epoch": to_json(report)}
        return result | (self._end(self._run) if self._run.finished else {})

    def _end(self, run: TrialRun) -> dict[str, Any]:
        end = run.end()
        kind = "outcome" if isinstance(end, TrialOutcome) else "stop"
        self._log.info("trial ended", kind=kind)
        return {kind: to_json(end)}


def open_run(config: dict[str, Any]) -> TrialRun:
    """The trial of a Tune configuration, resumed where an earlier attempt left it."""
    checkpoints = place_of(str(config["checkpoints"]))
    require_mark(checkpoints, config["folder_mark"])
    return TrialRun(
        TrialRequest(**json.loads(config["request"])),
        checkpoints=checkpoints,
        data_folder=Path(config["data_folder"]),
        threads=config["threads"],
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
