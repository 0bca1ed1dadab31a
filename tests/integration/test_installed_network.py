"""A network of a package that is installed beside Bitfront can be named in a job, and trains."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "fixtures" / "own_network"
ROOT = Path(__file__).parent.parent.parent
OFFLINE = ("--no-deps", "--no-build-isolation", "--no-index", "--quiet")


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder into which the package is installed; nothing of this environment changes."""
    folder = tmp_path_factory.mktemp("installed")
    source = shutil.copytree(PACKAGE, folder / "source")  # building leaves files in it
    subprocess.run(
        [sys.executable, "-m", "pip", "install", *OFFLINE, "--target", folder / "site", source],
        check=True,
        timeout=120,
    )
    return folder / "site"


def test_a_job_with_it_is_planned_and_trained(installed, tmp_path):
    path = os.pathsep.join([str(installed), str(ROOT)])
    finished = subprocess.run(
        [sys.executable, PACKAGE / "train.py", tmp_path],
        check=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
    )
    found = json.loads(finished.stdout)
    assert found["layers"] == [
        ["stem.0", 4 * 4 * 4 * 1 * 9],
        ["first", 4 * 4 * 4 * 2 * 9],
        ["second", 4 * 4 * 4 * 4],
        ["head", 4 * 10],
    ]
    assert found["costs"]["bit_budget"] <= 4


def test_without_it_the_name_is_unknown():
    from models.nets import architectures

    assert "own-network" not in architectures()
