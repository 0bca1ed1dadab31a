"""The supervisor with a child that is a one-line program."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from service.settings import Settings
from service.supervisor import Supervisor, dispatcher_of


def lives(log: Path) -> list[int]:
    """The process ids that the children wrote down."""
    return [int(line) for line in log.read_text().split()] if log.exists() else []


def wait_for_lives(log: Path, count: int) -> list[int]:
    """The first so many children."""
    until = time.monotonic() + 20
    while len(lives(log)) < count:
        assert time.monotonic() < until, f"{len(lives(log))} lives"
        time.sleep(0.05)
    return lives(log)


def supervised(log: Path, then: str, longest: float = 30.0) -> Supervisor:
    """A supervisor of a child that writes down its id and then does something."""
    code = f"import os, signal, time\nwith open({str(log)!r}, 'a') as f: print(os.getpid(), file=f)\n{then}"
    return Supervisor([sys.executable, "-c", code], dict(os.environ), grace=0.5, longest=longest)


def test_starts_a_child_that_dies_again(tmp_path: Path) -> None:
    supervisor = supervised(tmp_path / "log", "raise SystemExit(3)")
    supervisor.start()
    first, second = wait_for_lives(tmp_path / "log", 2)[:2]
    supervisor.stop()
    assert first != second


def test_a_child_that_dies_again_and_again_waits_no_longer_than_asked(tmp_path: Path) -> None:
    supervisor = supervised(tmp_path / "log", "raise SystemExit(3)", longest=0.05)
    supervisor.start()
    wait_for_lives(tmp_path / "log", 6)  # pauses that double from a second take half a minute
    supervisor.stop()


def test_ends_its_child(tmp_path: Path) -> None:
    supervisor = supervised(tmp_path / "log", "time.sleep(60)")
    supervisor.start()
    (child,) = wait_for_lives(tmp_path / "log", 1)
    supervisor.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_kills_a_child_that_does_not_end(tmp_path: Path) -> None:
    stubborn = (
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nf = open(f.name, 'a')\nprint(0, file=f, flush=True)"
    )
    supervisor = supervised(tmp_path / "log", stubborn + "\ntime.sleep(60)")
    supervisor.start()
    child = wait_for_lives(tmp_path / "log", 2)[0]
    supervisor.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_the_grace_of_a_dispatcher_is_a_setting(tmp_path):
    assert dispatcher_of(Settings(home=tmp_path))._grace == 20
    assert dispatcher_of(Settings(home=tmp_path, grace_seconds=90))._grace == 90
