"""A trial in several processes, each an actor in a bundle of the placement group that Tune has made for it.

Every process trains a replica on its part of each batch (models.replicas, workers.training) and steps through
the same epochs; the first one writes checkpoints and points, and its results go to Tune. A process that fails
leaves the group, so that none waits for it: what it failed of is the result of the trial. A process that is
lost ends the attempt, and Tune starts the trial again at its last checkpoint. Actors and bundles belong to
Tune's own actor, so whatever is killed, nothing of a trial is left (decision 32).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import ray
from ray import tune
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy
from torch import distributed
from torch.distributed import TCPStore  # type: ignore[attr-defined]  # torch exports it, and does not say so

from models.replicas import Replicas
from workers.stepping import SteppedTrial

LOST = "lost"
SILENCE = timedelta(minutes=10)
"""How long a process waits for the others before it counts them as lost; one may still be loading data."""


class ProcessesLostError(RuntimeError):
    """Processes of a trial have lost each other; Tune starts the trial again."""


class ReplicatedTrainable(tune.Trainable):
    """Watches over the processes of the trial in `config["request"]` (JSON), and speaks for them."""

    def setup(self, config: dict[str, Any]) -> None:
        """Take a request; the processes start with the first step."""
        self._config = config
        self._replicas: list[Any] = []

    def step(self) -> dict[str, Any]:
        """One epoch of every replica, as `SteppedTrial.step` tells it. Raises where a process was lost."""
        if not self._replicas:
            self._replicas = joined_replicas(self._config)
        said = said_by_all(ray.get([one.step.remote() for one in self._replicas]))
        if said is None:
            raise ProcessesLostError("the processes of the trial have lost each other")
        return said

    def cleanup(self) -> None:
        """End the processes."""
        for one in self._replicas:
            ray.kill(one)

    def save_checkpoint(self, checkpoint_dir: str) -> dict[str, Any]:
        """Nothing for Tune to keep: the trial's own folder already has its checkpoint."""
        return {}

    def load_checkpoint(self, checkpoint: dict[str, Any] | None) -> None:
        """See `save_checkpoint`."""


class ReplicaProcess:
    """One process of a trial."""

    def __init__(self, config: dict[str, Any]) -> None:
        self._config = config
        self._store: Any = None

    def meeting(self) -> tuple[str, int]:
        """Open the place where the others find each other; its host and port."""
        host: str = ray.util.get_node_ip_address()  # type: ignore[no-untyped-call]  # Ray leaves it untyped
        self._store = TCPStore(host, 0, is_master=True, wait_for_workers=False)
        return host, self._store.port

    def join(self, meeting: tuple[str, int], rank: int) -> None:
        """Form the group of all processes, and take the trial up as its replica with this number."""
        size, gpu = self._config["processes"], self._config["per_process"].get("GPU", 0) > 0
        distributed.init_process_group(
            "nccl" if gpu else "gloo",
            store=self._store or TCPStore(*meeting, is_master=False),
            rank=rank,
            world_size=size,
            timeout=SILENCE,
        )
        self._trial = SteppedTrial(self._config, Replicas.of_process_group())

    def step(self) -> dict[str, Any]:
        """As `SteppedTrial.step`; one that has failed leaves the group, for the others to notice."""
        result = self._trial.step()
        if "failure" in result or "unstored" in result:
            distributed.destroy_process_group()
        return result


def joined_replicas(config: dict[str, Any]) -> list[Any]:
    """A process in each bundle of this trial's placement group, all in one group of torch."""
    bundles, wanted = ray.util.get_current_placement_group(), config["per_process"]
    if bundles is None:
        raise RuntimeError("a trial in several processes runs in the placement group that Tune makes for it")
    process: Any = ray.remote(ReplicaProcess)
    made = [
        process.options(
            num_cpus=wanted.get("CPU", 0),
            num_gpus=wanted.get("GPU", 0),
            memory=wanted.get("memory"),
            scheduling_strategy=PlacementGroupSchedulingStrategy(bundles, placement_group_bundle_index=rank),
        ).remote(config)
        for rank in range(config["processes"])
    ]
    meeting = ray.get(made[0].meeting.remote())
    ray.get([one.join.remote(meeting, rank) for rank, one in enumerate(made)])
    return made


def said_by_all(results: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The result of a trial whose replicas gave these; None where all that is known is that one was lost."""
    ended = [one for one in results if "unstored" in one or ("failure" in one and not _lost(one))]
    if ended:
        return ended[0]
    return None if any(_lost(one) for one in results) else results[0]


def _lost(result: dict[str, Any]) -> bool:
    return bool(result.get("failure", {}).get("reason") == LOST)
