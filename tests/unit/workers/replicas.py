"""Processes that form one process group of torch, and run functions as the replicas of a training."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from torch import distributed

from models.replicas import Replicas

InReplicas = Callable[..., list[Any]]
"""Calls `work(replicas, *given)` in each process, all picklable; what each returned, by rank."""


@contextmanager
def replicas_of(size: int) -> Iterator[InReplicas]:
    """As many processes for as long as the context lasts: importing torch takes each of them seconds."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as held:
        processes = [held.enter_context(ProcessPoolExecutor(1, get_context("spawn"))) for _ in range(size)]

        def everywhere(work: Callable[..., Any], *given: Any) -> list[Any]:
            asked = [process.submit(work, *given) for process in processes]
            return [one.result(timeout=240) for one in asked]

        joining = [
            process.submit(_join, Path(folder) / "meeting", rank, size)
            for rank, process in enumerate(processes)
        ]
        for one in joining:
            one.result(timeout=240)
        yield lambda work, *given: everywhere(_as_replica, work, given)
        everywhere(_leave)


def _join(meeting: Path, rank: int, size: int) -> None:
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=size)


def _leave() -> None:
    if distributed.is_initialized():
        distributed.destroy_process_group()


def _as_replica(work: Callable[..., Any], given: tuple[Any, ...]) -> Any:
    return work(Replicas.of_process_group(), *given)
