"""Keeps the dispatcher process running: starts it, and again when it dies, and ends it with the service."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import structlog

from service.credentials import without_key
from service.parent import child_environment
from service.settings import Settings

STEADY_SECONDS = 60.0
"""A process that lived this long is not failing at its start: the next pause is short again."""
NOT_INHERITED = frozenset({"BITFRONT_CPUS", "BITFRONT_RAY_ADDRESS"})
"""Settings that may be none: where they are, the variable must not stand in their place."""


class Supervisor:
    """One dispatcher child process, supervised by a thread; `stop` may be shared, and ends it too.

    One that dies again and again is started again after longer and longer pauses, at most `longest` seconds.
    """

    def __init__(
        self,
        command: list[str],
        environment: dict[str, str],
        *,
        grace: float,
        longest: float = 30.0,
        stop: threading.Event | None = None,
    ) -> None:
        self._command = command
        self._environment = environment
        self._grace = grace
        self._longest = longest
        self._stop = stop or threading.Event()
        self._thread = threading.Thread(target=self._run, name="supervisor")
        self._log = structlog.get_logger("bitfront.supervisor")

    def start(self) -> None:
        """Start the child and watch it."""
        self._thread.start()

    def stop(self) -> None:
        """End the child, gently at first; returns when it is gone."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        pause = least = min(1.0, self._longest)
        while not self._stop.is_set():
            begun = time.monotonic()
            status = self._one_life()
            if self._stop.is_set():
                return
            pause = least if time.monotonic() - begun > STEADY_SECONDS else pause
            self._log.error("the dispatcher ended; it is started again", status=status, in_seconds=pause)
            self._stop.wait(pause)
            pause = min(2 * pause, self._longest)

    def _one_life(self) -> int:
        # In a session of its own: a Ctrl-C on the terminal reaches the service alone, which ends its child.
        child = subprocess.Popen(self._command, env=self._environment, start_new_session=True)  # noqa: S603 - our own command
        self._log.info("dispatcher started", pid=child.pid)
        while child.poll() is None and not self._stop.wait(0.2):
            pass
        return end(child, self._grace)


def end(child: subprocess.Popen[bytes], grace: float) -> int:
    """End a child process if it still runs, by force when the grace is over; its exit status."""
    if child.poll() is None:
        child.terminate()
    try:
        return child.wait(grace)
    except subprocess.TimeoutExpired:
        child.kill()
        return child.wait()


def dispatcher_of(settings: Settings, *, stop: threading.Event | None = None) -> Supervisor:
    """The supervisor of the dispatcher that works with these settings."""
    inherited = {name: value for name, value in without_key(os.environ).items() if name not in NOT_INHERITED}
    environment = inherited | settings.to_environment() | child_environment()
    command = [*own_command(), "dispatcher"]
    return Supervisor(
        command,
        environment,
        grace=settings.grace_seconds,
        longest=settings.most_restart_seconds,
        stop=stop,
    )


def own_command() -> list[str]:
    """This same command line, as a child process runs it."""
    return [sys.executable, "-m", "service.cli"]
