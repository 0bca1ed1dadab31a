"""What guards results is guarded itself: without it, the tests of the store fail.

Each mutant is a copy of the project in which one guard is gone. Some tests must fail there, and others of the
same file pass: the copy itself is sound.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COPIED = ("models", "search", "workers", "service", "tests", "pyproject.toml")
FAILED = 1
"""pytest's exit code where tests ran and some failed; others mean that it could not run them."""


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One guard, removed: `there` of a file becomes `instead`; `tests` must notice."""

    file: str
    there: str
    instead: str
    tests: str
    only: str = "sqlite"


MUTANTS = {
    "the fencing token is not checked": Mutant(
        file="service/store/leases.py",
        there="if job.lease_token != claim.token or job.state not in HELD:",
        instead="if job.state not in HELD:",
        tests="tests/contract/test_store_leases.py",
    ),
    "a living lease is taken over": Mutant(
        file="service/store/claims.py",
        there="and_(Job.lease_expires_at <= now, Job.state.in_(HELD))",
        instead="Job.state.in_(HELD)",
        tests="tests/contract/test_store_leases.py",
    ),
    "a result counts again": Mutant(
        file="service/store/results.py",
        there="""        if trial.state != "running":
            return False
        now = self._transaction.now()
        self._end_attempt(trial, "succeeded", now, None)""",
        instead="""        now = self._transaction.now()
        self._end_attempt(trial, "succeeded", now, None)""",
        tests="tests/contract/test_store_results.py",
    ),
    "idempotency keys are not unique": Mutant(
        file="service/store/migrations/versions/0001_first_tables.py",
        there='        sa.UniqueConstraint("idempotency_key", name="uq_jobs_idempotency_key"),\n',
        instead="",
        tests="tests/contract/test_store_schema.py",
        only="sqlite and (migrations_make or durable)",
    ),
    "the client's clock is asked": Mutant(
        file="service/store/transaction.py",
        there='text = self.session.scalar(select(func.strftime("%Y-%m-%d %H:%M:%f", "now")))',
        instead="text = datetime.now(UTC).replace(tzinfo=None).isoformat()",
        tests="tests/contract/test_store_clock.py",
    ),
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project that may be changed."""
    folder = tmp_path_factory.mktemp("mutants")
    leave_out = shutil.ignore_patterns("__pycache__", "node_modules", "*.egg-info")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=leave_out)
        else:
            shutil.copy(ROOT / name, folder / name)
    return folder


def outcome(copy: Path, tests: str, only: str) -> subprocess.CompletedProcess[str]:
    """How some of a file's tests end in a copy; nothing compiled is kept, whose age goes by whole seconds."""
    return subprocess.run(
        [sys.executable, "-B", "-m", "pytest", "-q", "-k", only, "-p", "no:cacheprovider", tests],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_noticed(name, copy):
    mutant = MUTANTS[name]
    path = copy / mutant.file
    whole = path.read_text()
    assert whole.count(mutant.there) == 1, "the guard is written otherwise now: bring the mutant up to date"
    path.write_text(whole.replace(mutant.there, mutant.instead))
    try:
        ended = outcome(copy, mutant.tests, mutant.only)
    finally:
        path.write_text(whole)
    assert ended.returncode == FAILED, ended.stdout[-2_000:]
    assert re.search(r"\d+ failed, \d+ passed", ended.stdout), ended.stdout[-2_000:]
