"""A trial over HTTP: its log, its learning curves, its page, the list of a job's trials, and the command."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from service.cli import app as command_line
from service.client import BitfrontClient
from service.settings import Settings
from service.store import Store
from workers.logs import FILE, worker_log

MakeJob = Callable[..., str]


@pytest.fixture
def trials(api: TestClient, job_with_points: MakeJob) -> dict[str, str]:
    """A succeeded and a failed trial of one job, by state, and their job."""
    job_id = job_with_points()
    found = api.get(f"/v1/jobs/{job_id}/trials").json()["items"]
    return {"job": job_id, **{trial["state"]: trial["id"] for trial in found}}


@pytest.fixture
def logged(settings: Settings, trials: dict[str, str]) -> str:
    """The succeeded trial, of which a worker has written."""
    trial = trials["succeeded"]
    log = worker_log(str(settings.logs), job=trials["job"], trial=trial, attempt=1)
    log.info("trial opened", resumed_after=0)
    log.info("epoch trained", epoch=1, seconds=0.5, note="<b>bold</b>")
    worker_log(str(settings.logs), job=trials["job"], trial=trials["failed"]).info("beside", other=trial)
    return trial


class TestLog:
    def test_it_has_the_lines_about_the_trial_and_no_others(self, api: TestClient, logged: str) -> None:
        lines = api.get(f"/v1/trials/{logged}/log").json()
        assert [line["event"] for line in lines] == ["trial opened", "epoch trained"]
        assert lines[0]["attempt"] == 1
        assert lines[1]["details"]["epoch"] == 1

    def test_lines_that_are_no_lines_are_passed_over(
        self, api: TestClient, settings: Settings, logged: str
    ) -> None:
        with (settings.logs / FILE).open("a") as file:
            file.write(f'{{"trial": "{logged}", "event"\n[{json.dumps(logged)}]\n{{"trial": "{logged}"}}\n')
        assert len(api.get(f"/v1/trials/{logged}/log").json()) == 2

    def test_only_the_newest_are_kept(
        self, api: TestClient, settings: Settings, logged: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("service.worker_log.MOST_LINES", 1)
        assert [line["event"] for line in api.get(f"/v1/trials/{logged}/log").json()] == ["epoch trained"]

    def test_the_file_that_made_room_is_read_first(
        self, api: TestClient, settings: Settings, logged: str
    ) -> None:
        (settings.logs / FILE).rename(settings.logs / f"{FILE}.1")
        worker_log(str(settings.logs), trial=logged).info("trial ended")
        lines = api.get(f"/v1/trials/{logged}/log").json()
        assert [line["event"] for line in lines] == ["trial opened", "epoch trained", "trial ended"]

    def test_without_a_log_there_are_no_lines(self, api: TestClient, trials: dict[str, str]) -> None:
        assert api.get(f"/v1/trials/{trials['failed']}/log").json() == []
        assert api.get("/v1/trials/trial-0000000000000000/log").status_code == 404


class TestFigures:
    def test_a_curve_has_what_the_epochs_say(self, api: TestClient, trials: dict[str, str]) -> None:
        figures = api.get(f"/v1/trials/{trials['succeeded']}/figures").json()
        assert [figure["key"] for figure in figures] == ["accuracy", "loss", "bits", "cost"]
        names = {figure["key"]: [series["name"] for series in figure["series"]] for figure in figures}
        assert names["accuracy"] == ["training", "validation"]
        assert names["loss"] == ["training"]  # no validation loss was stored
        (point,) = figures[3]["series"][0]["points"]
        assert (point["x"], point["spread"]["mean"]) == (1, 2.0)

    def test_one_is_to_be_had_as_csv(self, api: TestClient, trials: dict[str, str]) -> None:
        text = api.get(f"/v1/trials/{trials['succeeded']}/figures/bits?format=csv").text
        assert "spike bits" in text
        assert api.get(f"/v1/trials/{trials['succeeded']}/figures/none").status_code == 404

    def test_a_trial_without_epochs_has_none(self, api: TestClient, trials: dict[str, str]) -> None:
        assert api.get(f"/v1/trials/{trials['failed']}/figures").json() == []


class TestPages:
    def test_the_page_has_attempts_curves_and_lines(self, api: TestClient, logged: str) -> None:
        page = api.get(f"/trials/{logged}").text
        assert '<rect class="attempt succeeded"' in page
        assert "Accuracy over epochs" in page
        assert "epoch trained" in page
        assert "<b>bold</b>" not in page
        assert "&lt;b&gt;bold" in page

    def test_a_failed_trial_says_why(self, api: TestClient, trials: dict[str, str]) -> None:
        page = api.get(f"/trials/{trials['failed']}").text
        assert "<code>nan_loss</code> the loss is not a number" in page
        assert "This machine has no lines about it" in page

    def test_a_late_result_is_shown(self, api: TestClient, api_store: Store, trials: dict[str, str]) -> None:
        late = {"what": "success", "dispatcher": "slow", "token": 7}
        with api_store.unit() as unit:
            unit.incidents.late_result(trials["job"], trial_id=trials["succeeded"], **late)
        assert "from slow with token 7" in api.get(f"/trials/{trials['succeeded']}").text
        assert "from slow" not in api.get(f"/trials/{trials['failed']}").text

    def test_there_is_no_page_of_no_trial(self, api: TestClient) -> None:
        assert api.get("/trials/trial-0000000000000000").status_code == 404

    def test_the_list_keeps_to_its_filters(self, api: TestClient, trials: dict[str, str]) -> None:
        address = f"/jobs/{trials['job']}/trials"
        assert api.get(address).text.count("/trials/trial-") == 8
        assert api.get(f"{address}?state=failed&method=random&seed=1").text.count("/trials/trial-") == 1
        assert "No trial is like this" in api.get(f"{address}?state=queued").text
        assert "no whole number" in api.get(f"{address}?seed=x").text
        assert api.get(f"{address}?method=none").status_code == 422


class TestCommand:
    def test_it_shows_the_attempts_and_the_log(self, url: str, logged: str) -> None:
        asked = ["--url", url, "trial", logged]
        found = CliRunner().invoke(command_line, [*asked, "--log"], env={"COLUMNS": "200"})
        assert found.exit_code == 0
        assert f"{logged}: succeeded, random" in found.output
        assert "epoch trained" in found.output
        assert json.loads(CliRunner().invoke(command_line, [*asked, "--json"]).output)["id"] == logged
        missing = CliRunner().invoke(command_line, ["--url", url, "trial", "trial-0000000000000000"])
        assert missing.exit_code == 4

    def test_the_client_has_the_same(self, url: str, logged: str) -> None:
        with BitfrontClient(url) as client:
            assert [line.event for line in client.trial_log(logged)] == ["trial opened", "epoch trained"]
            assert client.figures(logged)[0].key == "accuracy"


def test_shells_complete_its_commands(tmp_path: Path) -> None:
    asked: dict[str, Any] = {
        "_BITFRONT_COMPLETE": "complete_bash",
        "COMP_WORDS": "bitfront ex",
        "COMP_CWORD": "1",
    }
    assert "export" in CliRunner().invoke(command_line, [], env=asked, prog_name="bitfront").output
