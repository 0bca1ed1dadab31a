"""Start a local Ray that nobody else can reach into, or join a cluster that runs already.

Ray's own servers listen on every interface, so token authentication is on: the token lies in a file that
only this user can read. The dashboard is never started and nothing is reported home. A cluster that is joined
has the same token on every node.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from models.errors import ClusterUnavailableError, InvalidInputError
from workers.cluster_node import OBJECT_STORE_BYTES, own_node

PROBE_SECONDS = 5.0
"""Ray itself tries for minutes, without a word, to reach a head that is not there."""


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
def local_ray(token_file: Path, *, cpus: int | None = None) -> Iterator[str]:
    """A Ray on this machine for as long as the context lasts; gives its address.

    `cpus` is what trials may hold of it; all, unless told. Raises RuntimeError where Ray was imported before
    its environment was set: it would run without a token.
    """
    _prepare_environment(token_file)
    import ray

    ray.init(
        address="local",  # without it Ray would join any other one that runs on this machine
        num_cpus=cpus,
        include_dashboard=False,
        object_store_memory=OBJECT_STORE_BYTES,
        log_to_driver=False,
        logging_level=logging.WARNING,
    )
    try:
        yield str(ray.get_runtime_context().gcs_address)
    finally:
        ray.shutdown()


def ray_resources() -> RayResources:
    """What the Ray that this process has joined says of itself; may wait long where it is gone.

    Raises ClusterUnavailableError before it has joined one.
    """
    ray = sys.modules.get("ray")  # importing it here would be before its environment is set
    if ray is None or not ray.is_initialized():
        raise ClusterUnavailableError("this process has not joined a Ray yet.")
    held: dict[str, float] = ray.cluster_resources()
    free: dict[str, float] = ray.available_resources()
    nodes = [node for node in ray.nodes() if node["Alive"]]
    cpus, gpus = held.get("CPU", 0.0), held.get("GPU", 0.0)
    return RayResources(
        nodes=len(nodes),
        cpus=cpus,
        cpus_used=max(cpus - free.get("CPU", 0.0), 0.0),
        gpus=gpus,
        gpus_used=max(gpus - free.get("GPU", 0.0), 0.0),
    )


@contextmanager
def joined_ray(address: str, token_file: Path, *, node_here: bool = False) -> Iterator[str]:
    """A part in the cluster whose head is at `address` (host:port), while the context lasts; gives it.

    Without a node of the cluster on this machine (`node_here`), one is started that nothing is placed on.

    The token file has to be there, with the cluster's token. Raises InvalidInputError where it is not or the
    address is none, and ClusterUnavailableError where nothing answers there or Ray turns us away.
    """
    require_token(token_file)
    require_answer(address)
    _prepare_environment(token_file)
    import ray

    with nullcontext() if node_here else own_node(address):
        try:
            ray.init(address=address, log_to_driver=False, logging_level=logging.WARNING)
        except (ConnectionError, RuntimeError, ray.exceptions.RayError) as error:
            first = str(error).splitlines()[0]
            raise ClusterUnavailableError(
                f"the Ray cluster at {address} does not take us: {first}"
            ) from error
        try:
            yield address
        finally:
            ray.shutdown()


def require_token(token_file: Path) -> None:
    """Raises InvalidInputError where the file with the token of a cluster is not there."""
    if not token_file.is_file():
        raise InvalidInputError(
            f"the token of the Ray cluster is not in {token_file}.",
            fix="Copy there what its nodes have in RAY_AUTH_TOKEN_PATH, or name it with --ray-token-file.",
        )


def require_answer(address: str) -> None:
    """Raises ClusterUnavailableError where nothing listens; InvalidInputError for what is no address."""
    host, port = host_and_port(address)
    try:
        socket.create_connection((host, port), timeout=PROBE_SECONDS).close()
    except OSError as error:
        raise ClusterUnavailableError(
            f"no Ray cluster answers at {host}:{port}: {error.strerror or error}.",
            fix="Start its head with `ray start --head --port=...`, or correct --ray-address.",
        ) from error


def host_and_port(address: str) -> tuple[str, int]:
    """The two parts of the address of a cluster's head; raises InvalidInputError where it has not both."""
    found = re.fullmatch(r"(?P<host>[^\s/@]+):(?P<port>\d{1,5})", address)
    if found is None or int(found["port"]) > 65_535:
        raise InvalidInputError(
            f"{address!r} is no address of a Ray cluster.",
            fix="Name its head as HOST:PORT, such as 10.0.0.5:6379 (not ray://, which is Ray's client).",
        )
    return found["host"], int(found["port"])


def _prepare_environment(token_file: Path) -> None:
    if "ray" in sys.modules and os.environ.get("RAY_AUTH_MODE") != "token":
        raise RuntimeError("set ray_environment() before Ray is imported")
    os.environ.update(ray_environment(token_file))


def _ensure_token(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
