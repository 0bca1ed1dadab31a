"""One small Ray, shared by every test that needs one."""

import os
import tempfile
from pathlib import Path

import pytest

from workers.cluster import local_ray, ray_environment

TOKEN_FILE = Path(tempfile.mkdtemp(prefix="bitfront-ray-")) / "token"
os.environ.update(ray_environment(TOKEN_FILE))  # before any test module imports Ray


@pytest.fixture(scope="session")
def ray_cluster():
    """A local Ray with two CPUs."""
    with local_ray(TOKEN_FILE, cpus=2):
        yield
