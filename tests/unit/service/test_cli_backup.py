"""`bitfront backup` and `restore`: what they print, where, and their exit codes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from search.job import JobSpec
from service.cli import app as command_line
from service.store import Store


@pytest.fixture
def home(tmp_path: Path, job_spec: Callable[..., JobSpec]) -> Path:
    """A home with one queued job."""
    store = Store.open(f"sqlite:///{tmp_path / 'home' / 'bitfront.db'}")
    store.migrate()
    with store.unit() as unit:
        unit.jobs.submit(job_spec(), trials_planned=6, plan={}, idempotency_key=None)
    store.close()
    return tmp_path / "home"


def run(*arguments: object) -> Any:
    return CliRunner().invoke(command_line, [str(each) for each in arguments], env={"COLUMNS": "200"})


def test_there_and_back(home, tmp_path):
    saved = run("backup", tmp_path / "a.zip", "--home", home)
    assert (saved.exit_code, saved.stdout.split(" to ")[0]) == (
        0,
        "Saved 1 jobs, 0 trials, 0 points and 0 checkpoints",
    )
    restored = run("restore", tmp_path / "a.zip", "--home", tmp_path / "other")
    assert restored.exit_code == 0
    assert "Restored 1 jobs, 0 trials, 0 points and 0 checkpoints, as of 20" in restored.stdout
    again = run("backup", tmp_path / "b.zip", "--home", tmp_path / "other")
    assert again.exit_code == 0


def test_refusals_say_what_to_do_and_exit_with_2(home, tmp_path):
    run("backup", tmp_path / "a.zip", "--home", home)
    for arguments, said in (
        (("backup", tmp_path / "a.zip", "--home", home), "Choose another name"),
        (("backup", tmp_path / "none" / "a.zip", "--home", home), "cannot be written"),
        (("restore", tmp_path / "a.zip", "--home", home), "Give another --home"),
        (("restore", tmp_path / "nothing", "--home", tmp_path / "other"), "cannot be read as a backup"),
        (("restore", home / "bitfront.db", "--home", tmp_path / "other"), "cannot be read as a backup"),
    ):
        refused = run(*arguments)
        assert refused.exit_code == 2, arguments
        assert said in refused.output


def test_prune_says_what_it_would_remove(home):
    for arguments, said in ((("--dry-run",), "Would remove 0 files"), (("--days", 0), "Removed 0 files")):
        pruned = run("prune", *arguments, "--home", home)
        assert (pruned.exit_code, pruned.stdout.split(" of ")[0]) == (0, said), pruned.output
    assert '"left_bytes": 0' in run("prune", "--json", "--home", home).stdout
    assert run("prune", "--days", -1, "--home", home).exit_code == 2
