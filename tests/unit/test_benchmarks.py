"""Benchmarks are run by hand; the one that is named as a package has to find that package."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_benchmark_of_the_service_finds_the_service(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "service.py"), "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "--points" in done.stdout
