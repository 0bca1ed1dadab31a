"""A node without processors on this machine, through which a driver takes part in a Ray cluster.

Ray lets a driver join only through a node of its own machine, and a machine that runs dispatchers need not
train. Nothing is placed on this node; it ends with the driver, also where that is killed.
"""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from models.errors import ClusterUnavailableError

PR_SET_PDEATHSIG = 1
STARTED = "Ray runtime started"
END_SECONDS = 10.0
OBJECT_STORE_BYTES = 128 * 1024 * 1024
"""Trials share nothing through the object store; results are a few kilobytes."""


@contextmanager
def own_node(address: str) -> Iterator[None]:
    """The node for as long as the context lasts; Ray's environment has to be set.

    Raises ClusterUnavailableError with Ray's last words where the cluster does not take the node.
    """
    node = subprocess.Popen(  # noqa: S603 - our own command; the address was checked by who calls
        _command(address),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=_end_with_parent(),  # noqa: PLW1509 - one system call, and libc is loaded before the fork
    )
    try:
        _wait_until_started(node, address)
        yield
    finally:
        _end(node)


def _command(address: str) -> list[str]:
    return [
        *(sys.executable, "-u", "-m", "ray.scripts.scripts", "start"),
        *(f"--address={address}", "--num-cpus=0", "--num-gpus=0"),
        *(f"--object-store-memory={OBJECT_STORE_BYTES}", "--disable-usage-stats", "--block"),
    ]


def _end_with_parent() -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    return lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _wait_until_started(node: subprocess.Popen[str], address: str) -> None:
    said = []
    for line in node.stdout or ():
        said.append(line.strip())
        if STARTED in line:
            return
    last = next((line for line in reversed(said) if line), "it said nothing")
    raise ClusterUnavailableError(
        f"the Ray cluster at {address} does not take a node of this machine: {last}",
        fix="Its head and this machine need the same token, the same Ray and the same Python.",
    )


def _end(node: subprocess.Popen[str]) -> None:
    node.terminate()
    try:
        node.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        node.kill()
        node.wait()
    if node.stdout is not None:
        node.stdout.close()
