"""Jobs, fronts and points on the command line, against a real server in a thread."""

from __future__ import annotations

import io
import json
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from service.cli import app as command_line
from service.client import BitfrontClient
from service.commands.front import point_view

MakeJob = Callable[..., str]
Run = Callable[..., Any]


def test_lists_jobs(run: Run, url: str, file: Path) -> None:
    assert "No jobs yet" in run("jobs").output
    run("submit", str(file))
    job = BitfrontClient(url).jobs().items[0]
    assert job.id in run("jobs").output
    assert "No jobs that are running." in run("jobs", "--state", "running").output
    assert json.loads(run("jobs", "--json").output)["items"][0]["id"] == job.id


def test_refuses_a_state_that_there_is_not(run: Run) -> None:
    result = run("jobs", "--state", "asleep")
    assert result.exit_code == 2
    assert "queued" in result.output


@pytest.mark.parametrize("cut", [4 + 16, 4 + 8, 4 + 3])
def test_a_job_is_named_by_the_beginning_of_its_id(run: Run, job_with_points: MakeJob, cut: int) -> None:
    job_id = job_with_points()
    for text in (job_id[:cut], job_id[4:cut]):
        assert json.loads(run("front", text, "--json").output)["job_id"] == job_id


def test_the_latest_job(run: Run, job_with_points: MakeJob, file: Path) -> None:
    assert run("front", "latest").exit_code == 4  # there is none
    job_with_points()
    run("submit", str(file))
    newest = json.loads(run("cancel", "latest", "--json").output)
    assert newest["state"] == "cancelled"


def test_a_beginning_that_several_jobs_share(run: Run, file: Path) -> None:
    run("submit", str(file))
    run("submit", str(file))
    result = run("cancel", "job-")
    assert result.exit_code == 2
    assert "2 jobs begin with" in result.output
    assert run("cancel", "zzz").exit_code == 4


def test_cancelling_is_shown(run: Run, file: Path) -> None:
    run("submit", str(file))
    assert "is cancelled." in run("cancel", "latest").output


def test_shows_the_front_with_a_verdict_per_budget(run: Run, job_with_points: MakeJob) -> None:
    high = {("random", 0): 0.8, ("random", 1): 0.9, ("uniform", 0): 0.5, ("uniform", 1): 0.6}
    job_with_points(accuracies=high)
    output = run("front", "latest").output
    assert "bit_budget of at most 2" in output
    assert (
        "No verdict on random against uniform (it takes a point of every seed, and 2 seeds at least)."
        in output
    )
    assert "random beats uniform." in output
    assert "random ★" in output
    assert "85.0 (84.0)" in output  # the mean of 0.8 and 0.9, test in brackets


def test_the_front_by_another_metric_has_no_verdict(run: Run, job_with_points: MakeJob) -> None:
    job_with_points()
    output = run("front", "latest", "--metric", "weight_kib").output
    assert "hypervolume by weight_kib (all layers)" in output
    assert "verdict" not in output


def test_the_front_as_csv(run: Run, job_with_points: MakeJob) -> None:
    job_with_points()
    assert run("front", "latest", "--csv").output.startswith("metric,scope,id")
    assert run("front", "latest", "--csv", "--json").exit_code == 2


def test_shows_the_best_point(run: Run, job_with_points: MakeJob) -> None:
    job_with_points()
    output = run("best", "latest", "--max", "4").output
    assert "60.0 % (test 59.0 %)" in output
    assert "conv1" in output
    assert json.loads(run("best", "latest", "--max", "2", "--json").output)["validation_accuracy"] == 0.5


def test_shows_a_cost_that_only_one_scope_has(run: Run, url: str, job_with_points: MakeJob) -> None:
    job_id = job_with_points()
    point = BitfrontClient(url).best(job_id, maximum=4)
    costs = {"searched": {"bit_budget": 2.0, "table": 1234.5}, "all": {"bit_budget": 3.0}}
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(point_view(point.model_copy(update={"costs": costs})))
    assert re.search(r"table\W+1,234\.5\W+–", console.export_text())


def test_no_best_point_exits_1(run: Run, job_with_points: MakeJob) -> None:
    job_with_points()
    result = run("best", "latest", "--max", "1")
    assert result.exit_code == 1
    assert "no feasible point" in result.output


def test_watching_ends_with_the_job(run: Run, job_with_points: MakeJob) -> None:
    job_with_points()
    result = run("watch", "latest")
    assert result.exit_code == 0
    assert "succeeded, 8 of 8 trials; best 50.0 % at 2, 60.0 % at 4" in result.output


def test_watching_prints_json_at_the_end(run: Run, job_with_points: MakeJob) -> None:
    job_id = job_with_points()
    ended = json.loads(run("watch", "latest", "--json").stdout)
    assert (ended["id"], ended["state"]) == (job_id, "succeeded")


@pytest.mark.parametrize(
    "arguments",
    [
        ("front", "job-0123456789abcdef"),
        ("cancel", "batch-0123456789abcdef"),
        ("batch", "latest"),
        ("jobs", "--batch", "batch-0123456789abcdef"),
        ("fronts", "job-0123456789abcdef"),
        ("clone", "abc"),
        ("label", "latest", "a:b"),
        ("table", "trials", "latest"),
        ("rerun", "point-0123456789abcdef"),
    ],
)
def test_what_is_not_there_exits_4(run: Run, arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 4, result.output


def test_watching_a_job_that_did_not_succeed_exits_1(run: Run, file: Path) -> None:
    run("submit", str(file))
    run("cancel", "latest")
    result = run("watch", "latest")
    assert result.exit_code == 1
    assert "The job ended as cancelled." in result.output


def test_submitting_can_wait_for_the_end(run: Run, url: str, file: Path) -> None:
    client = BitfrontClient(url)

    def cancel() -> None:
        while not (found := client.jobs().items):
            time.sleep(0.05)
        time.sleep(1.0)  # for its state to be shown once
        client.cancel(found[0].id)

    threading.Thread(target=cancel).start()
    result = run("submit", str(file), "--wait")
    assert result.exit_code == 1
    assert "queued, 0 of 8 trials" in result.output
    assert "cancelled" in result.output


def test_lists_what_a_job_may_name(run: Run) -> None:
    assert "conv-net" in run("architectures").output
    assert "digits" in run("datasets").output
    assert [entry["name"] for entry in json.loads(run("methods", "--json").output)["items"]] == [
        "random",
        "uniform",
    ]


def test_says_how_to_start_a_service_that_does_not_answer() -> None:
    result = CliRunner().invoke(command_line, ["--url", "http://127.0.0.1:9", "jobs"])
    assert result.exit_code == 3
    assert "bitfront serve" in result.output


def test_the_url_comes_from_the_environment_too(url: str) -> None:
    result = CliRunner().invoke(command_line, ["jobs"], env={"BITFRONT_URL": url})
    assert result.exit_code == 0


def test_a_setting_that_is_not_acceptable(run: Run) -> None:
    result = CliRunner().invoke(command_line, ["jobs"], env={"BITFRONT_PORT": "many"})
    assert result.exit_code == 2
    assert "BITFRONT_PORT" in result.output
