"""Fixtures that several test packages share: a throw-away PostgreSQL and a store per dialect."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from service.store import Store

SERVER_USER = "postgres"


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a fresh PostgreSQL server on a loopback port; skips where none is installed."""
    binaries = _server_binaries()
    if binaries is None:
        pytest.skip(
            "no PostgreSQL server is installed (looked for initdb under /usr/lib/postgresql and on PATH)"
        )
    folder = Path(tempfile.mkdtemp(prefix="bitfront-postgres-"))
    if os.geteuid() == 0:
        shutil.chown(folder, SERVER_USER)
    port = _free_port()
    data = folder / "data"
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    _as_server_user(f"{binaries}/initdb -D {data} -U {SERVER_USER} -A trust --no-sync -E UTF8 --locale=C")
    _as_server_user(f"{binaries}/pg_ctl start -w -D {data} -l {folder}/log -o '{options}'")
    try:
        yield f"postgresql://{SERVER_USER}@127.0.0.1:{port}/postgres"
    finally:
        _as_server_user(f"{binaries}/pg_ctl stop -m immediate -D {data}")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_database(postgres_url: str) -> str:
    """The URL of an empty database of its own on that server."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return postgres_url.rsplit("/", 1)[0] + f"/{name}"


@pytest.fixture
def sqlite_database(tmp_path: Path) -> str:
    """The URL of a SQLite file that is not there yet."""
    return f"sqlite:///{tmp_path / 'bitfront.db'}"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """An empty database of each dialect in turn."""
    return str(request.getfixturevalue(f"{request.param}_database"))


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """A migrated store of each dialect in turn."""
    opened = Store.open(database_url)
    opened.migrate()
    yield opened
    opened.close()


def _server_binaries() -> Path | None:
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_version)
    on_path = shutil.which("initdb")
    found = str(installed[-1]) if installed else on_path
    return Path(found).parent if found else None


def _version(initdb: Path) -> float:
    return float(initdb.parent.parent.name)


def _as_server_user(command: str) -> None:
    """Run a command as a user whom PostgreSQL accepts: never root."""
    wrapped = ["su", SERVER_USER, "-s", "/bin/bash", "-c", command]
    run = wrapped if os.geteuid() == 0 else ["/bin/bash", "-c", command]
    result = subprocess.run(run, cwd="/", capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
