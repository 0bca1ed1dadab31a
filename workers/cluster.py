"""Start a local Ray that nobody else can reach into.

Ray's own servers listen on every interface, so token authentication is on: the token lies in a file that
only this user can read. The dashboard is never started and nothing is reported home.
"""

from __future__ import annotations

import logging
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

OBJECT_STORE_BYTES = 128 * 1024 * 1024
"""Trials share nothing through the object store; results are a few kilobytes."""


def ray_environment(token_file: Path) -> dict[str, str]:
    """The variables that must be set before Ray is imported for the first time in a process.

    Makes the token file at first use, readable by its owner alone.
    """
    _ensure_token(token_file)
    return {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(token_file),
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_CHDIR_TO_TRIAL_DIR": "0",
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
        "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
        "TUNE_DISABLE_SIGINT_HANDLER": "1",  # the dispatcher, not Tune, answers to Ctrl-C
        "RAY_AIR_NEW_OUTPUT": "0",  # the new output prints its tables even at verbosity 0
        "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
    }


@dataclass(frozen=True, kw_only=True, slots=True)
class RayResources:
    """The machines of a Ray, and what trials may hold and do hold of it."""

    nodes: int
    cpus: float
    cpus_used: float
    gpus: float
    gpus_used: float


@contextmanager
def local_ray(token_file: Path, *, cpus: int | None = None, address: str | None = None) -> Iterator[str]:
    """A Ray on this machine for as long as the context lasts, or the one at `address`; gives its address.

    `cpus` is what trials may hold of a Ray that is started here; all, unless told. Raises RuntimeError where
    Ray was imported before its environment was set (it would run without a token), and ConnectionError where
    none answers at the address.
    """
    if "ray" in sys.modules and os.environ.get("RAY_AUTH_MODE") != "token":
        raise RuntimeError("set ray_environment() before Ray is imported")
    os.environ.update(ray_environment(token_file))
    import ray

    own = address is None
    ray.init(
        address or "local",  # without an address Ray would join any other one that runs on this machine
        num_cpus=cpus if own else None,
        include_dashboard=False if own else None,
        object_store_memory=OBJECT_STORE_BYTES if own else None,
        log_to_driver=False,
        logging_level=logging.WARNING,
    )
    try:
        yield str(ray.get_runtime_context().gcs_address)
    finally:
        ray.shutdown()


def ray_resources() -> RayResources:
    """What the Ray that this process has joined says of itself; may wait long where it is gone."""
    import ray

    # Ray leaves all three untyped.
    held: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    free: dict[str, float] = ray.available_resources()  # type: ignore[no-untyped-call]
    nodes = [node for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]
    cpus, gpus = held.get("CPU", 0.0), held.get("GPU", 0.0)
    return RayResources(
        nodes=len(nodes),
        cpus=cpus,
        cpus_used=max(cpus - free.get("CPU", 0.0), 0.0),
        gpus=gpus,
        gpus_used=max(gpus - free.get("GPU", 0.0), 0.0),
    )


def _ensure_token(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
