"""`bitfront compare` against a real server in a thread."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from service.cli import app as command_line

Compared = Callable[..., str]
Run = Callable[..., Any]


@pytest.fixture
def run(url: str) -> Run:
    """Runs a command on a wide terminal that is none."""

    def invoke(*arguments: str) -> Any:
        return CliRunner().invoke(command_line, ["--url", url, "compare", *arguments], env={"COLUMNS": "200"})

    return invoke


def lines_of(output: str, method: str) -> list[str]:
    """The rows of a method in each table, without the spaces around them."""
    lines = (line.strip() for line in output.splitlines())
    return [line for line in lines if line.startswith(f"{method} ") and "points" not in line]


def test_the_verdict_comes_first_and_then_what_it_rests_on(run: Run, compared: Compared) -> None:
    compared()
    result = run("latest")
    assert result.exit_code == 0, result.output
    assert result.output.startswith("gradient beats random (+9.90 points")
    volume, accuracy = lines_of(result.output, "gradient")
    assert volume.startswith("gradient   91.00 (")
    assert "3   2,000 of 2,000" in volume
    assert re.findall(r"([\d.]+) \(", accuracy) == ["90.00", "92.00"]
    against = lines_of(result.output, "random")[-1]
    assert "+9.90 (" in against
    assert re.search(r"better +not reached within 1 x +–$", against)


def test_what_is_undecided_says_how_many_seeds_would_settle_it(run: Run, compared: Compared) -> None:
    compared()
    output = run("latest", "--subject", "uniform").output
    assert "loses to" not in output
    assert re.search(r"no verdict +0\.5 x +about \d+$", lines_of(output, "gradient")[-1])


def test_a_refused_comparison_says_why_and_still_exits_0(run: Run, compared: Compared) -> None:
    compared(finish=False)
    result = run("latest")
    assert result.exit_code == 0
    assert result.output.startswith("No verdict: the search has not come to its end")
    assert "better" not in result.output


def test_json_and_csv_carry_the_choice(run: Run, compared: Compared, tmp_path: Path) -> None:
    job_id = compared()
    file = tmp_path / "seeds.csv"
    arguments = ("--subject", "random", "--accuracy", "validation", "--json", "--csv", str(file))
    found = json.loads(run(job_id, *arguments).output)
    assert (found["job_id"], found["subject"], found["accuracy"]) == (job_id, "random", "validation")
    volumes = [row for row in csv.DictReader(file.open()) if row["quantity"] == "hypervolume"]
    assert [float(row["value"]) for row in volumes if row["method"] == "gradient"] == pytest.approx(
        [0.91, 0.92, 0.93]
    )


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("latest", "--subject", "nonsense"), "Use one of random, gradient, uniform."),
        (("latest", "--accuracy", "train"), "train"),
        (("latest", "--csv", "/nowhere/seeds.csv"), "cannot be written"),
    ],
)
def test_bad_input_exits_2(run: Run, compared: Compared, arguments: tuple[str, ...], reason: str) -> None:
    compared()
    result = run(*arguments)
    assert result.exit_code == 2
    assert reason in result.output


def test_a_job_that_is_not_there_exits_4(run: Run, compared: Compared) -> None:
    compared()
    result = run("zzz")
    assert result.exit_code == 4
    assert "no job's id begins with 'zzz'" in result.output


def test_without_a_service_it_exits_3() -> None:
    result = CliRunner().invoke(command_line, ["--url", "http://127.0.0.1:9", "compare", "latest"])
    assert result.exit_code == 3
