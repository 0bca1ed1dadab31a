"""The services of docker-compose.yml as processes of this machine: same commands, settings and secrets."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from service.client import BitfrontClient
from tests.integration.serving import kill_all, wait_until

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
        self.running: dict[str, list[Container]] = {}
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
        self.start_head()
        self.up_all("ray-worker")

    def start_head(self) -> None:
        """Start the head of Ray, which trains nothing itself; it answers."""
        self.up_all("ray-head")
        wait_until(lambda: listens(self.ray_port))

    def stop(self) -> None:
        """End every service as `docker compose down` does; those that do not end are killed."""
        for name in ("api", "dispatcher", "ray-worker", "ray-head"):
            for container in self.running.get(name, []):
                container.terminate()
            for container in self.running.get(name, []):
                container.wait()

    def up_all(self, name: str) -> None:
        """Every container of a service."""
        for _ in range(self.replicas(name)):
            self.up(name)

    def up(self, name: str) -> None:
        """One more container of a service."""
        assert self.services[name]["restart"] == "unless-stopped"
        container = Container(self._command(name), self._environment(name), self.folder / f"{name}.log")
        self.running.setdefault(name, []).append(container)

    def said(self) -> str:
        """The last words of every service, for when a test fails."""
        logs = {
            log.stem: log.read_text(errors="replace").splitlines()[-25:] for log in self.folder.glob("*.log")
        }
        return "\n".join(f"{name}: {line[:300]}" for name, lines in logs.items() for line in lines[-25:])

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
        self.running[name].pop().lose()

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


class Container:
    """A process group that is started again when it ends by itself, as `restart: unless-stopped` says."""

    def __init__(self, command: list[str], environment: Mapping[str, str], log: Path) -> None:
        self._start = partial(
            subprocess.Popen, command, env=environment, stderr=subprocess.STDOUT, start_new_session=True
        )
        self._log = log
        self._stopped = threading.Event()
        self._watch = threading.Thread(target=self._keep_up, daemon=True)
        self._process = self._started()
        self._watch.start()

    def terminate(self) -> None:
        """Ask it to end."""
        self._stopped.set()
        if self._process.poll() is None:
            self._process.terminate()

    def wait(self) -> None:
        """Wait until it has ended."""
        self._watch.join(timeout=60)
        assert not self._watch.is_alive(), f"{self._log.stem} does not end"

    def lose(self) -> None:
        """Kill -9 all that runs in it."""
        self._stopped.set()
        kill_all([*descendants(self._process.pid), self._process.pid])
        self._watch.join(timeout=60)

    def _keep_up(self) -> None:
        self._process.wait()
        while not self._stopped.wait(1.0):
            self._process = self._started()
            self._process.wait()

    def _started(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return self._start(stdout=log)


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
