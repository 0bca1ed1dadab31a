"""A service on this machine for as long as something needs it: one that runs already, or a child process."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from models.errors import BitfrontError
from service.api.home import home_id
from service.client import ApiError, BitfrontClient, UnreachableError
from service.credentials import without_key
from service.parent import child_environment
from service.settings import Settings
from service.supervisor import end, own_command

START_SECONDS = 90.0
PORTS_TRIED = 50


class StartError(BitfrontError):
    """The service did not start."""

    code = "start_failed"


@contextmanager
def local_service(
    settings: Settings, console: Console
) -> Iterator[tuple[BitfrontClient, Callable[[], bool]]]:
    """A client of a service on the home of the settings, and whether that still lives.

    It is one that is there already, or a child process that ends with the context. Raises StartError.
    """
    client = running_service(settings)
    if client is not None:
        console.print(f"Using the service that runs at {client.url}.")
        with client:
            yield client, lambda: True
        return
    port = free_port(settings)
    if port != settings.port and settings.port:
        console.print(f"Port {settings.port} is taken; using {port}.")
    settings = settings.model_copy(update={"port": port})
    log = settings.home / "logs" / "service.log"
    child = _start(settings, log)
    try:
        with BitfrontClient(settings.url) as client:
            _wait_until_ready(client, child, log, console)
            yield client, lambda: child.poll() is None
    finally:
        end(child, grace=30)


def _start(settings: Settings, log: Path) -> subprocess.Popen[bytes]:
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        return subprocess.Popen(  # noqa: S603 - our own command
            [*own_command(), "serve"],
            env=without_key(os.environ) | settings.to_environment() | child_environment(),
            stdout=file,
            stderr=file,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # a Ctrl-C reaches the demo alone, which then ends the service
        )


def _wait_until_ready(
    client: BitfrontClient, child: subprocess.Popen[bytes], log: Path, console: Console
) -> None:
    until = time.monotonic() + START_SECONDS
    with console.status("Starting the service ..."):
        while child.poll() is None and time.monotonic() < until:
            try:
                client.ready()
            except (ApiError, UnreachableError):
                time.sleep(0.2)
            else:
                return
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
    raise StartError(
        f"the service did not start. Its log ends with:\n{tail}\n", fix=f"The whole log is {log}."
    )


def running_service(settings: Settings) -> BitfrontClient | None:
    """A client of the service that already runs on this home at this port, if there is one."""
    client = BitfrontClient(settings.url)
    try:
        if client.ready().get("home") == home_id(settings.home):
            return client
    except (ApiError, UnreachableError, ValueError):
        pass
    client.close()
    return None


def free_port(settings: Settings) -> int:
    """The port of the settings, or the next one that is free."""
    for port in range(settings.port, min(settings.port + PORTS_TRIED, 65_536)):
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if _can_bind(trial, settings.host, port):
                return int(trial.getsockname()[1])
    raise StartError(f"no port from {settings.port} on is free.", fix="Choose one with --port.")


def _can_bind(trial: socket.socket, host: str, port: int) -> bool:
    try:
        trial.bind((host, port))
    except OSError:
        return False
    return True
