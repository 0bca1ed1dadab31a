"""Benchmarks are run by hand; one is named as a package, which all have to find."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("name", "option"), [("service", "--points"), ("scale", "--second")])
def test_the_package_is_found_beside_the_benchmark_of_its_name(
    tmp_path: Path, name: str, option: str
) -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / f"{name}.py"), "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert option in done.stdout
