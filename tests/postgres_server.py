"""A throw-away PostgreSQL server on a loopback port, which tests may stop at once and start again."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from pathlib import Path

import psycopg

USER = "postgres"


class PostgresServer:
    """A fresh server; the operating system keeps what it wrote, so a killed one recovers by its log."""

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        self._folder = Path(tempfile.mkdtemp(prefix="bitfront-postgres-"))
        if os.geteuid() == 0:
            shutil.chown(self._folder, USER)
        self._port = _free_port()
        self._run(f"initdb -D {self._data} -U {USER} -A trust --no-sync -E UTF8 --locale=C")
        self.start()

    @property
    def url(self) -> str:
        """The URL of the database that every server has."""
        return f"postgresql://{USER}@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        """Start it, or start it again; returns when it accepts connections."""
        sockets = f"-c listen_addresses=127.0.0.1 -c unix_socket_directories={self._folder}"
        options = f"-p {self._port} {sockets} -c fsync=off"
        self._run(f"pg_ctl start -w -D {self._data} -l {self._folder}/log -o '{options}'")

    def stop(self) -> None:
        """Stop it as a crash would: at once, without writing anything more."""
        self._run(f"pg_ctl stop -m immediate -D {self._data}")

    def new_database(self) -> str:
        """The URL of an empty database of its own."""
        name = f"test_{uuid.uuid4().hex}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return self.url.rsplit("/", 1)[0] + f"/{name}"

    def copy(self, source: str, target: str) -> None:
        """Put a copy of a database, to which nobody is connected, in the place of another."""
        from_name, to_name = (url.rsplit("/", 1)[1] for url in (source, target))
        self.drop(target)
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{to_name}" TEMPLATE "{from_name}"')

    def drop(self, url: str) -> None:
        """Remove a database, whoever is connected to it."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{url.rsplit("/", 1)[1]}" WITH (FORCE)')

    def remove(self) -> None:
        """Stop it and remove its files."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _run(self, command: str) -> None:
        """Run one of PostgreSQL's programs as a user whom it accepts: never root."""
        whole = f"{self._binaries}/{command}"
        wrapped = ["su", USER, "-s", "/bin/bash", "-c", whole]
        run = wrapped if os.geteuid() == 0 else ["/bin/bash", "-c", whole]
        result = subprocess.run(run, cwd="/", capture_output=True, text=True, timeout=60, check=False)
        assert result.returncode == 0, result.stdout + result.stderr


def server_binaries() -> Path | None:
    """Where PostgreSQL's programs are installed: the newest version; None where there are none."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_version)
    on_path = shutil.which("initdb")
    found = str(installed[-1]) if installed else on_path
    return Path(found).parent if found else None


def _version(initdb: Path) -> float:
    return float(initdb.parent.parent.name)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
