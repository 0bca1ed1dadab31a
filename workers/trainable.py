"""A trial as Ray Tune runs it: an actor that trains one epoch per step and is reused for the next trial.

The actor writes a resume checkpoint after every epoch into the trial's folder and takes up the newest one
when it starts, so one mechanism serves a killed worker, a killed driver and a restarted machine.
"""

from __future__ import annotations

from typing import Any

from ray import tune

from workers.stepping import SteppedTrial


class TrialTrainable(tune.Trainable):
    """Trains the request found in `config["request"]` (JSON)."""

    def setup(self, config: dict[str, Any]) -> None:
        """Take a request; the work begins with the first step, where failures are reported."""
        self._trial = SteppedTrial(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Take the next request in the same process."""
        self.setup(new_config)
        return True

    def step(self) -> dict[str, Any]:
        """Train one epoch, as `SteppedTrial.step` tells it."""
        return self._trial.step()

    def save_checkpoint(self, checkpoint_dir: str) -> dict[str, Any]:
        """Nothing for Tune to keep: the trial's own folder already has its checkpoint."""
        return {}

    def load_checkpoint(self, checkpoint: dict[str, Any] | None) -> None:
        """See `save_checkpoint`."""
