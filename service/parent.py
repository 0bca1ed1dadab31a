"""End with the parent process: a dispatcher that `bitfront serve` started must not outlive it.

The parent names itself in the child's environment. Linux then signals the child when the parent dies; a
thread that watches the parent's id does the same on every system.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Mapping

PARENT_VARIABLE = "BITFRONT_PARENT"
"""The process id of the parent that the child is to end with."""

PR_SET_PDEATHSIG = 1
WATCH_SECONDS = 1.0


def child_environment() -> dict[str, str]:
    """What a parent adds to the environment of a child that is to end with it."""
    return {PARENT_VARIABLE: str(os.getpid())}


def end_with_parent(stop: threading.Event, environment: Mapping[str, str] = os.environ) -> None:
    """Set `stop` once the parent named in the environment is gone; nothing to do where none is named."""
    named = environment.get(PARENT_VARIABLE)
    if named is None:
        return
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    threading.Thread(target=_watch, args=(int(named), stop), name="parent-watch", daemon=True).start()


def _watch(parent: int, stop: threading.Event) -> None:
    while os.getppid() == parent:
        if stop.wait(WATCH_SECONDS):
            return
    stop.set()
