"""What a trial holds of the machines: for Tune, for each of its processes, and whether any cluster could."""

from __future__ import annotations

from collections.abc import Sequence

import ray

from models.errors import InvalidInputError
from search.job import ComputeSpec

MIB = 2**20


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


def require_room(compute: ComputeSpec) -> None:
    """Raises InvalidInputError where the nodes, empty, could not hold every process of one trial."""
    wanted = {
        "cpus_per_trial": ("CPU", compute.cpus_per_trial, 1),
        "gpus_per_trial": ("GPU", compute.gpus_per_trial, 1),
        "memory_mib_per_trial": ("memory", compute.memory_mib_per_trial * MIB, MIB),
    }
    there = ray.nodes()  # type: ignore[no-untyped-call]  # Ray leaves it untyped
    nodes = [node["Resources"] for node in there if node["Alive"]]
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
