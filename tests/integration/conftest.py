"""One small Ray, shared by every test that needs one."""

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest

from service.settings import Settings
from service.store import Store
from workers.cluster import local_ray, ray_environment

TOKEN_FILE = Path(tempfile.mkdtemp(prefix="bitfront-ray-")) / "token"
os.environ.update(ray_environment(TOKEN_FILE))  # before any test module imports Ray


@pytest.fixture(scope="session")
def ray_cluster():
    """A local Ray with two CPUs."""
    with local_ray(TOKEN_FILE, cpus=2):
        yield


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home of its own."""
    return Settings(home=tmp_path, database_url=None)


@pytest.fixture
def store(settings: Settings) -> Any:
    """A migrated SQLite store."""
    opened = Store.open(settings.database)
    opened.migrate()
    yield opened
    opened.close()
