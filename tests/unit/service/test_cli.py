"""The command line against a real server in a thread: what it prints, and its exit codes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from models.errors import InvalidInputError
from service.client import BitfrontClient
from service.commands.spec_file import read_spec

MakeJob = Callable[..., str]
Run = Callable[..., Any]


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
