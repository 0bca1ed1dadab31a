"""`bitfront ablate`, `ablation`, `ablations` and `figures` against a real server in a thread."""

from __future__ import annotations

import builtins
import csv
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml
from typer.testing import CliRunner

from service.cli import app as command_line
from service.client import BitfrontClient

Run = Callable[..., Any]


@pytest.fixture
def file(tmp_path: Path, spec: dict[str, Any]) -> Path:
    """The job in a YAML file."""
    path = tmp_path / "job.yaml"
    path.write_text(yaml.safe_dump(spec | {"bits": {"weight": [1, 4], "spike": [1, 4]}}))
    return path


def test_submits_and_says_where_it_can_be_seen(run: Run, url: str, file: Path) -> None:
    result = run("ablate", str(file), "--groups", "learned", "--name", "other")
    found = BitfrontClient(url).ablations().items[0]
    assert result.exit_code == 0, result.output
    assert f"Submitted other as {found.id} (8 jobs): {url}/ablations/{found.id}" in result.output


def test_waits_and_prints_the_table_with_its_spread(
    run: Run, url: str, file: Path, tmp_path: Path, run_jobs: Callable[..., int]
) -> None:
    results: list[Any] = []
    table = tmp_path / "table.csv"
    arguments = ("ablate", str(file), "--groups", "renewal", "--wait", "--csv", str(table))
    waiting = threading.Thread(target=lambda: results.append(run(*arguments)))
    waiting.start()
    client = BitfrontClient(url)
    while not client.ablations().items:
        waiting.join(0.05)
    run_jobs()
    waiting.join(30)
    (result,) = results
    assert result.exit_code == 0, result.output
    assert "succeeded, 3 of 3 jobs" in result.output
    assert "Renewal: Must a step size" in result.output
    assert "±" in next(line for line in result.output.splitlines() if "closed form" in line)
    assert len(list(csv.DictReader(table.open()))) == 6


def test_shows_the_latest_and_lists_them(run: Run, ended: str) -> None:
    shown = json.loads(run("ablation", "--json").output)
    assert (shown["id"], shown["state"]) == (ended, "succeeded")
    assert "weight bits alone" in run("ablation", ended[: len("ablation-") + 6]).output
    assert ended in run("ablations").output
    assert json.loads(run("ablations", "--json").output)["items"][0]["id"] == ended


def test_an_ablation_with_a_failed_job_exits_1(run: Run, file: Path, api_store: Any, run_jobs: Any) -> None:
    run("ablate", str(file), "--groups", "renewal")
    with api_store.unit() as unit:
        unit.jobs.finish(unit.jobs.claim("test", 60), "failed", "broken")
    run_jobs()
    result = run("ablation", "--wait")
    assert result.exit_code == 1
    assert "ended as failed" in result.output


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("ablate", "{file}", "--groups", "nonsense"), "/groups/0"),
        (("ablate", "{folder}/none.yaml"), "cannot be read"),
    ],
)
def test_bad_input_exits_2(run: Run, file: Path, arguments: tuple[str, ...], reason: str) -> None:
    result = run(*(part.format(file=file, folder=file.parent) for part in arguments))
    assert result.exit_code == 2
    assert reason in result.output


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("ablation",), "there are no ablations yet"),
        (("ablation", "abc"), "no ablation's id begins with 'abc'"),
        (("figures", "latest", "--to", "{folder}"), "there are no jobs yet"),
    ],
)
def test_what_is_not_there_exits_4(run: Run, file: Path, arguments: tuple[str, ...], reason: str) -> None:
    result = run(*(part.format(folder=file.parent) for part in arguments))
    assert result.exit_code == 4
    assert reason in result.output


def test_without_a_service_it_exits_3(file: Path) -> None:
    result = CliRunner().invoke(command_line, ["--url", "http://127.0.0.1:9", "ablate", str(file)])
    assert result.exit_code == 3


def test_writes_figures_as_tables_and_drawings(run: Run, url: str, ended: str, tmp_path: Path) -> None:
    job = BitfrontClient(url).ablation(ended).groups[0].variants[-1].job_ids[0]
    folder = tmp_path / "figures" / "of-a-job"
    result = run("figures", job, "--to", str(folder))
    assert result.exit_code == 0, result.output
    keys = {
        "validation-accuracy",
        "weight-bits-over-epochs",
        "steps-over-epochs",
        "layers-at-2",
        "layers-at-4",
    }
    assert (
        keys <= {path.stem for path in folder.glob("*.svg")} == {path.stem for path in folder.glob("*.csv")}
    )
    texts = "".join(ET.parse(folder / "validation-accuracy.svg").getroot().itertext())  # noqa: S314 - our own file
    assert "Validation accuracy against the budget" in texts
    assert "gradient" in texts
    assert run("figures", ended, "--to", str(tmp_path / "groups")).exit_code == 0
    assert (tmp_path / "groups" / "learned.svg").exists()


def test_without_matplotlib_it_says_how_to_get_it_and_still_writes_tables(
    run: Run, ended: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_module = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return import_module(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    result = run("figures", ended, "--to", str(tmp_path / "a"))
    assert result.exit_code == 1
    assert "bitfront[figures]" in result.output
    written = run("figures", ended, "--to", str(tmp_path / "a"), "--csv-only", "--json")
    assert json.loads(written.stdout)["files"] == [str(tmp_path / "a" / "learned.csv")]
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["learned.csv"]
