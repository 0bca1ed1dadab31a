"""The services of docker-compose.yml as processes of this machine: same commands, settings and secrets."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from service.client import BitfrontClient
from tests.integration.serving import wait_until

COMPOSE = Path(__file__).parents[2] / "docker-compose.yml"
BITFRONT = [sys.executable, "-m", "service.cli"]
RAY = [sys.executable, "-m", "ray.scripts.scripts"]
ON_ONE_MACHINE = {"BITFRONT_LEASE_SECONDS": "3"}


class Composed:
    """Everything but PostgreSQL, which is given; each container is a process group."""

    def __init__(self, folder: Path, database: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.secrets = {"bitfront_database_url": database, "ray_token": "0" * 64}
        self.services = yaml.safe_load(self._on_this_machine(COMPOSE.read_text()))["services"]
        self.running: dict[str, list[subprocess.Popen[bytes]]] = {}
        for name, text in self.secrets.items():
            (folder / name).write_text(text)

    def start(self) -> BitfrontClient:
        """Start all but Ray, with a fresh database and a key; a client."""
        self.run("migrate")
        key = self.run("migrate", "keys", "create", "--scope", "submit").strip()
        for name in ("dispatcher", "api"):
            self.up_all(name)
        wait_until(lambda: listens(self.port))
        return BitfrontClient(f"http://127.0.0.1:{self.port}", key=key)

    def start_ray(self) -> None:
        """Start the head, and the workers once it answers."""
        self.up_all("ray-head")
        wait_until(lambda: listens(self.ray_port))
        self.up_all("ray-worker")

    def stop(self) -> None:
        """End every service as `docker compose down` does; those that do not end are killed."""
        for name in ("api", "dispatcher", "ray-worker", "ray-head"):
            for process in self.running.get(name, []):
                if process.poll() is None:
                    process.terminate()
            for process in self.running.get(name, []):
                process.wait(timeout=60)

    def up_all(self, name: str) -> None:
        """Every container of a service."""
        for _ in range(self.replicas(name)):
            self.up(name)

    def up(self, name: str) -> None:
        """One more container of a service."""
        process = subprocess.Popen(
            self._command(name),
            env=self._environment(name),
            stdout=(self.folder / f"{name}.log").open("ab"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.running.setdefault(name, []).append(process)

    def run(self, name: str, *other: str) -> str:
        """Run a service to its end, with another command if one is given; what it printed."""
        command = [*BITFRONT, *other] if other else self._command(name)
        done = subprocess.run(
            command, env=self._environment(name), capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def lose(self, name: str) -> None:
        """Kill -9 one container of a service with all that runs in it."""
        process = self.running[name].pop()
        for pid in [*descendants(process.pid), process.pid]:
            os.kill(pid, signal.SIGKILL)
        process.wait()

    def replicas(self, name: str) -> int:
        """How many containers a service has."""
        return int(self.services[name].get("deploy", {}).get("replicas", 1))

    def _command(self, name: str) -> list[str]:
        service = self.services[name]
        return [*(RAY if service.get("entrypoint") == ["ray"] else BITFRONT), *service["command"]]

    def _environment(self, name: str) -> dict[str, str]:
        given: Mapping[str, Any] = self.services[name]["environment"]
        named = {key: str(value) for key, value in given.items()}
        secret = {"BITFRONT_DATABASE_URL": self.secrets["bitfront_database_url"]}
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("RAY_", "BITFRONT_"))}
        return clean | named | secret | (ON_ONE_MACHINE if "BITFRONT_HOME" in named else {})

    def _on_this_machine(self, compose: str) -> str:
        """The compose file with this machine's addresses and folders in place of the containers'."""
        self.ray_port = free_port()
        for theirs, ours in {
            "ray-head:6379": f"127.0.0.1:{self.ray_port}",
            "6379": str(self.ray_port),
            "8765": str(self.port),
            "/run/secrets/": f"{self.folder}/",
            "/data": f"{self.folder}/home",
            "${BITFRONT_WORKERS:-2}": "2",
        }.items():
            assert theirs in compose
            compose = compose.replace(theirs, ours)
        return compose


def descendants(pid: int) -> list[int]:
    """The children of a process, their children and so on."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += [int(child), *descendants(int(child))]
    return found


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def listens(port: int) -> bool:
    """Whether somebody does."""
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0
