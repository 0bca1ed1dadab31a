"""What a trial holds of the machines: for Tune, for each of its processes, and whether any cluster could."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import ray

from models.errors import ClusterUnavailableError, InvalidInputError
from search.job import ComputeSpec

MIB = 2**20
LOOK_SECONDS = 1.0


def per_process(compute: ComputeSpec) -> dict[str, float]:
    """What Ray sets aside for each process of a trial, in Ray's words; memory in bytes."""
    names = {"cpu": "CPU", "gpu": "GPU", "memory": "memory"}
    wanted = resources_of(compute)
    return {names[one]: amount / compute.processes_per_trial for one, amount in wanted.items() if amount}


def resources_of(compute: ComputeSpec) -> dict[str, float]:
    """What Ray sets aside for a trial; memory in bytes."""
    wanted = {"cpu": compute.cpus_per_trial, "gpu": compute.gpus_per_trial}
    memory = compute.memory_mib_per_trial * MIB
    return wanted | ({"memory": memory} if memory else {})


def await_room(
    compute: ComputeSpec, *, patience: float, over: Callable[[], bool], look_every: float = LOOK_SECONDS
) -> None:
    """Wait until the nodes could hold one trial: one of them may be lost, or may not have joined yet.

    Returns as well when the job is `over`. Raises what `require_room` does once `patience` seconds have
    passed.
    """
    until = time.monotonic() + patience
    while not over():
        try:
            require_room(compute)
        except (InvalidInputError, ClusterUnavailableError):
            if time.monotonic() >= until:
                raise
            time.sleep(look_every)
        else:
            return


def require_room(compute: ComputeSpec) -> None:
    """Raises InvalidInputError where the nodes, empty, could not hold every process of one trial, and
    ClusterUnavailableError where none runs trials at all.
    """
    wanted = {
        "cpus_per_trial": ("CPU", compute.cpus_per_trial, 1),
        "gpus_per_trial": ("GPU", compute.gpus_per_trial, 1),
        "memory_mib_per_trial": ("memory", compute.memory_mib_per_trial * MIB, MIB),
    }
    there = ray.nodes()  # type: ignore[no-untyped-call]  # Ray leaves it untyped
    nodes = [node["Resources"] for node in there if node["Alive"]]
    if not any(node.get("CPU") for node in nodes):
        raise ClusterUnavailableError(
            "no node of the cluster runs trials.", fix="Join one: ray start --address=HOST:PORT."
        )
    for field, (resource, amount, unit) in wanted.items():
        held = [node.get(resource, 0.0) for node in nodes]
        _require_held(field, amount / unit, [one / unit for one in held], compute.processes_per_trial)


def _require_held(field: str, amount: float, held: Sequence[float], processes: int) -> None:
    """Raises InvalidInputError unless there is room for the amount's equal parts, each on one node."""
    each, most = amount / processes, max(held, default=0.0)
    if each > most:
        part = "" if processes == 1 else f", {each:g} for each process"
        raise InvalidInputError(
            f"{field} is {amount:g}{part}, but no node of the cluster has more than {most // 1:g}.",
            fix=f"Use at most {most * processes // 1:g}, or add a node that has as much.",
            pointer=f"/compute/{field}",
        )
    if each and (room := sum(int(one / each) for one in held)) < processes:
        raise InvalidInputError(
            f"the cluster has room for {room} of the {processes} processes of a trial, by {field}.",
            fix=f"Use at most {room} processes, or add nodes.",
            pointer="/compute/processes_per_trial",
        )
