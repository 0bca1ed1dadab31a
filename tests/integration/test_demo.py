"""`bitfront demo` and `bitfront serve` as a user runs them: real processes, searches and signals."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from service.client import BitfrontClient
from service.settings import Settings

pytestmark = pytest.mark.ray

TINY = """
name: demo-tiny
architecture: {name: conv-net, width: 2}
dataset: {name: digits, train_samples: 64}
budget: {max: [4]}
methods: [random]
seeds: [0]
training: {epochs: 1}
compute: {trials_per_study: 1, concurrent_trials: 1}
"""
DEMO = """
import signal
import sys
from pathlib import Path
from service.demo import run_demo
from service.settings import Settings
signal.signal(signal.SIGINT, signal.default_int_handler)  # tests started in the background inherit a deaf one
run_demo(Settings(), leave=sys.argv[2] == "leave", spec=Path(sys.argv[1]))
"""

Run = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture
def run(tmp_path: Path, port: int) -> Iterator[Run]:
    """Starts a Python command with a home and a port of its own; what still runs at the end is killed."""
    started = []
    environment = os.environ | Settings(home=tmp_path / "home", port=port).to_environment()

    def start(*command: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, *command],
            env=environment | {"COLUMNS": "120"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def read_until(process: subprocess.Popen[str], text: str) -> str:
    """The output up to the line with some text."""
    assert process.stdout is not None
    seen = ""
    for line in process.stdout:
        seen += line
        if text in line:
            return seen
    pytest.fail(f"ended without {text!r}:\n{seen}")


def closed(port: int, *, within: float) -> bool:
    """Whether nothing listens on a port any more, at the latest after some seconds."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        with socket.socket() as caller:
            if caller.connect_ex(("127.0.0.1", port)) != 0:
                return True
        time.sleep(0.1)
    return False


def test_demo_searches_shows_the_result_and_ends(run: Run, tmp_path: Path, port: int) -> None:
    (tmp_path / "tiny.yaml").write_text(TINY)
    output, _ = (demo := run("-c", DEMO, str(tmp_path / "tiny.yaml"), "leave")).communicate(timeout=180)
    assert demo.returncode == 0, output
    assert "succeeded, 2 of 2 trials" in output
    assert "bit_budget of at most 4" in output
    assert "cheapest first; * is on the front" in output
    assert f"http://127.0.0.1:{port}/jobs/job-" in output
    assert closed(port, within=1)


def test_demo_serves_until_it_is_interrupted(run: Run, tmp_path: Path, port: int) -> None:
    (tmp_path / "tiny.yaml").write_text(TINY)
    demo = run("-c", DEMO, str(tmp_path / "tiny.yaml"), "stay")
    read_until(demo, "Ctrl-C ends the demo")
    assert httpx.get(f"http://127.0.0.1:{port}/jobs").status_code == 200
    second, _ = (again := run("-c", DEMO, str(tmp_path / "tiny.yaml"), "leave")).communicate(timeout=180)
    assert again.returncode == 0, second
    assert "Using the service that runs at" in second
    demo.send_signal(signal.SIGINT)
    assert demo.wait(60) == 0
    assert closed(port, within=1)


def test_the_service_ends_with_a_demo_that_is_killed(run: Run, tmp_path: Path, port: int) -> None:
    (tmp_path / "tiny.yaml").write_text(TINY)
    demo = run("-c", DEMO, str(tmp_path / "tiny.yaml"), "stay")
    read_until(demo, "Searching")
    demo.kill()
    assert closed(port, within=30)


def test_demo_takes_the_next_port_when_its_own_is_taken(run: Run, tmp_path: Path, port: int) -> None:
    (tmp_path / "tiny.yaml").write_text(TINY)
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        demo = run("-c", DEMO, str(tmp_path / "tiny.yaml"), "stay")
        assert f"Port {port} is taken; using " in read_until(demo, "Searching")
        demo.send_signal(signal.SIGINT)
        demo.wait(60)


def test_serve_says_that_its_port_is_taken(run: Run, port: int) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        output, _ = (serve := run("-m", "service.cli", "serve")).communicate(timeout=60)
    assert serve.returncode == 2
    assert f"port {port} of 127.0.0.1 is taken" in output


def test_serve_refuses_an_address_that_others_can_reach(run: Run) -> None:
    output, _ = (serve := run("-m", "service.cli", "serve", "--host", "0.0.0.0")).communicate(timeout=60)  # noqa: S104 - it must refuse
    assert serve.returncode == 2
    assert "0.0.0.0 can be reached from other machines" in output


def test_serve_starts_a_dispatcher_that_dies_again_and_ends_in_order(run: Run, port: int) -> None:
    serve = run("-m", "service.cli", "serve")
    output = read_until(serve, "dispatcher started")
    read_until(serve, "listening")
    assert BitfrontClient(f"http://127.0.0.1:{port}").ready()["status"] == "ready"
    os.kill(_pid_in(output), signal.SIGKILL)
    again = _pid_in(read_until(serve, "dispatcher started"))
    serve.send_signal(signal.SIGTERM)
    serve.communicate(timeout=60)
    assert serve.returncode == 0
    with pytest.raises(ProcessLookupError):
        os.kill(again, 0)


def _pid_in(output: str) -> int:
    """The process id in the last line of JSON logs."""
    return int(output.splitlines()[-1].partition('"pid": ')[2].partition(",")[0])
