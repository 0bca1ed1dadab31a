"""The command line against a real server in a thread: what it prints, and its exit codes."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console
from typer.testing import CliRunner

from models.errors import InvalidInputError
from service.cli import app as command_line
from service.client import BitfrontClient
from service.commands.front import point_view
from service.commands.spec_file import read_spec

MakeJob = Callable[..., str]
Run = Callable[..., Any]


@pytest.fixture
def run(url: str) -> Run:
    """Runs a command on a wide terminal that is none."""

    def invoke(*arguments: str, text: str | None = None) -> Any:
        return CliRunner().invoke(
            command_line, ["--url", url, *arguments], input=text, env={"COLUMNS": "200"}
        )

    return invoke


@pytest.fixture
def file(tmp_path: Path, spec: dict[str, Any]) -> Path:
    """The job in a YAML file."""
    path = tmp_path / "job.yaml"
    path.write_text(yaml.safe_dump(spec))
    return path


def test_importing_it_imports_nothing_heavy() -> None:
    heavy = ("torch", "ray", "sqlalchemy", "fastapi", "optuna", "numpy", "httpx")
    code = f"import sys, service.cli; print([name for name in {heavy!r} if name in sys.modules])"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert output.stdout.strip() == "[]"


def test_tells_what_happens_to_jobs(run: Run, file: Path) -> None:
    run("submit", str(file))
    told = run("events", "latest", "--after", "0", "--seconds", "0", "--kind", "job_state")
    assert told.exit_code == 0, told.output
    assert re.fullmatch(r"\d\d:\d\d:\d\d \d+ job-\w+ job_state state=queued\n", told.output)
    (event,) = run("events", "--after", "0", "--seconds", "0", "--json").output.splitlines()
    assert json.loads(event)["data"] == {"state": "queued", "error": None}
    assert run("events", "--seconds", "0").output == ""


def test_an_event_of_no_kind_is_refused(run: Run) -> None:
    refused = run("events", "--kind", "news", "--seconds", "0")
    assert (refused.exit_code, "job_state" in refused.output) == (2, True)


def test_submits_a_file(run: Run, url: str, file: Path) -> None:
    result = run("submit", str(file))
    assert result.exit_code == 0, result.output
    job = BitfrontClient(url).jobs().items[0]
    assert f"Submitted small as {job.id}: {url}/jobs/{job.id}" in result.output


def test_submits_json_from_standard_input_under_another_name(run: Run, spec: dict[str, Any]) -> None:
    result = run("submit", "-", "--name", "other", "--json", text=json.dumps(spec))
    assert json.loads(result.output)["name"] == "other"


def test_submits_once_per_key(run: Run, url: str, file: Path) -> None:
    for _ in range(2):
        assert run("submit", str(file), "--idempotency-key", "k").exit_code == 0
    assert len(BitfrontClient(url).jobs().items) == 1


def test_shows_the_queue_and_moves_a_job_in_it(run: Run, url: str, file: Path) -> None:
    assert run("submit", str(file), "--name", "first").exit_code == 0
    assert run("submit", str(file), "--name", "urgent", "--priority", "5").exit_code == 0
    shown = run("queue").output
    assert shown.index("urgent") < shown.index("first")
    assert "No dispatcher is running" in shown
    assert "Dispatchers: 0" in shown
    assert run("priority", "latest", "--", "-9").output.strip().endswith("has priority -9.")
    assert [job["name"] for job in json.loads(run("queue", "--json").output)["queued"]] == ["first", "urgent"]
    assert run("priority", "latest", "99").exit_code == 2
    assert BitfrontClient(url).incidents(BitfrontClient(url).jobs().items[0].id).items == []


def test_validates_without_storing(run: Run, url: str, file: Path) -> None:
    result = run("submit", str(file), "--validate-only")
    assert "conv1" in result.output
    assert "8 trials at most" in result.output
    assert BitfrontClient(url).jobs().items == []


def test_a_plan_of_several_architectures_says_whose_layers_it_shows(
    run: Run, file: Path, spec: dict[str, Any]
) -> None:
    file.write_text(yaml.safe_dump(spec | {"search_space": {"width": [8, 4], "kernel": [3, 5]}}))
    result = run("submit", str(file), "--validate-only")
    assert "layers with kernel 3, width 8" in result.output
    assert "what 4 architectures can reach" in result.output


TABLE_CSV = "kind,steps,spike_bits,weight_bits,cost\nconv,1,1,1,0.5\n"


def test_puts_hardware_and_a_cost_table_from_files_into_the_job(
    run: Run, url: str, file: Path, tmp_path: Path
) -> None:
    (tmp_path / "hw.yaml").write_text("rows: 8\nenergies: {dram_bit: 5.0e+0}\n")
    (tmp_path / "t.csv").write_text(TABLE_CSV)
    hardware, table = f"--hardware={tmp_path / 'hw.yaml'}", f"--cost-table={tmp_path / 't.csv'}"
    assert run("submit", str(file), hardware, table).exit_code == 0
    spec = BitfrontClient(url).jobs().items[0].spec
    assert (spec["hardware"]["rows"], spec["hardware"]["columns"]) == (8, 16)
    assert spec["hardware"]["energies"]["dram_bit"] == 5
    assert spec["cost_table"] == TABLE_CSV


def test_says_what_is_wrong_with_hardware_and_cost_tables_in_files(
    run: Run, file: Path, tmp_path: Path
) -> None:
    (tmp_path / "hw.yaml").write_text("- 8\n")
    (tmp_path / "t.csv").write_text(TABLE_CSV.replace("0.5", "-1"))
    result = run("submit", str(file), "--hardware", str(tmp_path / "hw.yaml"))
    assert (result.exit_code, "does not hold hardware" in result.output) == (2, True)
    result = run("submit", str(file), "--cost-table", str(tmp_path / "t.csv"))
    assert result.exit_code == 2
    assert "/cost_table: line 2 of the cost table has cost '-1'." in result.output


def test_shows_the_field_the_reason_and_the_fix(run: Run, file: Path, spec: dict[str, Any]) -> None:
    file.write_text(yaml.safe_dump(spec | {"training": {"epochs": -3}, "seed": 1}))
    result = run("submit", str(file))
    assert result.exit_code == 2
    assert "/training/epochs: -3 is less than 1." in result.output
    assert "Use 1 to 10000." in result.output
    assert '/seed: there is no field "seed" here.' in result.output


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: [1", "neither YAML nor JSON"),
        ("- 1", "does not hold a job"),
        ("!!python/object/apply:os.system [ls]", "neither YAML nor JSON"),
        ("[" * 5000, "nested too deeply"),
        ("a: &a [*a]", "nested too deeply"),
        ("when: 2024-13-77", "neither YAML nor JSON"),
    ],
)
def test_says_why_a_file_is_no_job(run: Run, file: Path, text: str, reason: str) -> None:
    file.write_text(text)
    result = run("submit", str(file))
    assert result.exit_code == 2
    assert reason in result.output


def test_says_that_a_file_cannot_be_read(run: Run, tmp_path: Path) -> None:
    result = run("submit", str(tmp_path / "none.yaml"))
    assert result.exit_code == 2
    assert "cannot be read: No such file" in result.output


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5e-4", 5e-4),
        ("1e3", 1000.0),
        ("-2.E+1", -20.0),
        ("0.1", 0.1),
        ("3", 3),
        ("'5e-4'", "5e-4"),
        ("e5", "e5"),
    ],
)
def test_reads_numbers_as_people_write_them(tmp_path: Path, text: str, value: object) -> None:
    path = tmp_path / "job.yaml"
    path.write_text(f"lr: {text}")
    assert read_spec(path) == {"lr": value}
    assert type(read_spec(path)["lr"]) is type(value)


def test_a_date_stays_the_text_that_was_written(tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    path.write_text("name: 2026-11-23")
    assert read_spec(path) == {"name": "2026-11-23"}


def test_binary_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidInputError, match="not text"):
        read_spec(path)


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
    threading.Timer(1.0, lambda: client.cancel(client.jobs().items[0].id)).start()
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
