"""The pages of `service.web`, asked over HTTP: what they show, what they refuse, and that text stays text."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from service.app import create_app
from service.settings import Settings
from service.store import Store, ids
from service.store.studies import PlannedTrial
from service.web import rendering
from tests.unit.service.pages import MakeJob, part, plain, seeds
from workers.report import TrialFailure

HOSTILE = "<script>alert('x')</script>"


class TestListing:
    def test_the_start_leads_to_the_jobs(self, api: TestClient) -> None:
        answer = api.get("/", follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (307, "/jobs")

    def test_without_jobs_it_says_how_to_submit_one(self, api: TestClient) -> None:
        answer = api.get("/jobs")
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert '<meta charset="utf-8">' in answer.text
        assert "bitfront submit job.yaml" in answer.text

    def test_a_job_has_its_state_progress_and_best_points(
        self, api: TestClient, job_with_points: MakeJob
    ) -> None:
        job_id = job_with_points(accuracies=seeds("random", 0.5, 0.875))
        text = plain(api.get("/jobs").text)
        assert f'href="/jobs/{job_id}"' in api.get("/jobs").text
        assert "succeeded" in text
        assert "8 of 8 trials" in text
        assert re.search(r"≤ 4 87\.5 %", text)

    def test_twenty_jobs_fill_a_page_and_a_cursor_leads_on(
        self, api: TestClient, spec: dict[str, Any]
    ) -> None:
        for number in range(21):
            api.post("/v1/jobs", json=spec | {"name": f"job-number-{number}"})
        first = api.get("/jobs").text
        assert "job-number-20" in first
        assert "job-number-0<" not in first
        link = re.search(r'href="(/jobs\?cursor=[^"]+)"', first)
        assert link is not None
        assert "job-number-0<" in api.get(link[1]).text

    def test_a_cursor_of_nowhere_is_refused(self, api: TestClient) -> None:
        assert api.get("/jobs?cursor=nonsense").status_code == 422


class TestJobPage:
    def test_it_has_the_front_the_studies_and_the_failures(
        self, api: TestClient, job_with_points: MakeJob
    ) -> None:
        job_id = job_with_points()
        page = api.get(f"/jobs/{job_id}").text
        front = api.get(f"/v1/jobs/{job_id}/front").json()["points"]
        table = part(page, "front-table")
        assert [point["id"] for point in front] == re.findall(r'data-point="([^"]+)"', table)
        assert part(page, "studies").count('<th scope="row">') == 4
        assert part(page, "failures").count("nan_loss") == 4

    def test_the_metric_and_the_accuracy_of_the_address_hold_for_every_table(
        self, api: TestClient, job_with_points: MakeJob
    ) -> None:
        page = api.get(f"/jobs/{job_with_points()}?metric=s_ace&accuracy=test").text
        assert '<option value="s_ace" selected>' in page
        assert "400" in part(page, "front-table")
        assert "Best test accuracy" in page

    @pytest.mark.parametrize("choice", ["metric=nonsense", "accuracy=nonsense", "metric=&x=1"])
    def test_a_choice_that_is_not_offered_falls_back(
        self, api: TestClient, job_with_points: MakeJob, choice: str
    ) -> None:
        page = api.get(f"/jobs/{job_with_points()}?{choice}")
        assert page.status_code == 200
        assert '<option value="bit_budget" selected>' in page.text

    def test_a_queued_job_has_a_page(self, api: TestClient, spec: dict[str, Any]) -> None:
        job_id = api.post("/v1/jobs", json=spec).json()["id"]
        text = plain(api.get(f"/jobs/{job_id}").text)
        assert "waiting to start" in text
        assert "The studies appear once the job has started." in text
        assert "No feasible point yet." in text

    def test_the_chart_is_told_marks_and_limits(self, api: TestClient, job_with_points: MakeJob) -> None:
        block = re.search(
            r'id="setup">(.*?)</script>', api.get(f"/jobs/{job_with_points(end=False)}").text, re.DOTALL
        )
        assert block is not None
        setup = json.loads(block[1])
        assert setup["budgets"] == [2, 4]
        assert [mark["method"] for mark in setup["methods"]] == ["random", "uniform"]

    def test_scripts_and_handlers_are_never_inline(self, api: TestClient, job_with_points: MakeJob) -> None:
        job_id = job_with_points()
        point_id = api.get(f"/v1/jobs/{job_id}/front").json()["points"][0]["id"]
        for path in ("/jobs", f"/jobs/{job_id}", f"/points/{point_id}"):
            page = api.get(path).text
            assert re.findall(r"<[^>]+\son\w+=", page) == []
            assert "src=" in page
            assert all(
                "src=" in tag or "application/json" in tag for tag in re.findall(r"<script[^>]*>", page)
            )

    def test_without_its_script_the_page_says_so(
        self,
        app: FastAPI,
        api_store: Store,
        settings: Settings,
        job_with_points: MakeJob,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        job_id = job_with_points()
        monkeypatch.setattr(rendering, "STATIC_FILES", ("style.css", "favicon.svg"))
        again = create_app(settings, api_store, offered=app.state.context.catalogue)
        page = TestClient(again, base_url=settings.url).get(f"/jobs/{job_id}").text
        assert "make charts" in page
        assert "<script defer" not in page

    def test_it_says_whether_search_beat_uniform(self, api: TestClient, job_with_points: MakeJob) -> None:
        job_id = job_with_points(accuracies=seeds("random", 0.8, 0.82) | seeds("uniform", 0.7, 0.72))
        text = plain(part(api.get(f"/jobs/{job_id}").text, "verdict"))
        assert "bit_budget ≤ 4 Search beat uniform by 10.0 points" in text


class TestEscaping:
    def test_messages_of_trials_and_jobs_stay_text(
        self, api: TestClient, api_store: Store, spec: dict[str, Any]
    ) -> None:
        job_id = api.post("/v1/jobs", json=spec).json()["id"]
        study = ids.study_id(job_id, "random", 0)
        trial = PlannedTrial(round=0, number=0, proposal={}, fingerprint="0")
        with api_store.unit() as unit:
            claim = unit.jobs.claim("test", 60)
            assert claim is not None
            unit.studies.prepare(claim)
            unit.studies.plan(claim, study, [trial])
            failure = TrialFailure(reason="error", message=HOSTILE)
            unit.results.fail(claim, ids.trial_id(study, 0), failure)
            unit.jobs.finish(claim, "failed", HOSTILE)
        page = api.get(f"/jobs/{job_id}").text
        assert HOSTILE not in page
        assert "&lt;script&gt;" in part(page, "progress")
        assert "&lt;script&gt;" in part(page, "failures")

    def test_a_name_that_no_api_would_take_stays_text(
        self, api: TestClient, api_store: Store, spec: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        job_id = api.post("/v1/jobs", json=spec).json()["id"]
        with api_store.unit() as unit:
            job = unit.jobs.get(job_id)
        named = job.model_copy(update={"name": f"{HOSTILE}\"'</title>"})
        monkeypatch.setattr("service.store.jobs.JobRepository.get", lambda self, job_id: named)
        for path in ("/jobs", f"/jobs/{job_id}"):
            page = api.get(path).text
            assert HOSTILE not in page
            assert "&lt;script&gt;" in page

    def test_an_id_in_the_address_stays_text(self, api: TestClient) -> None:
        answer = api.get("/jobs/<script>alert(1)")
        assert answer.status_code == 404
        assert "<script>alert" not in answer.text

    def test_the_setup_block_cannot_be_closed_from_within(self) -> None:
        template = rendering.Renderer()._templates.from_string("{{ x|tojson }}")
        assert "</script>" not in template.render(x={"a": "</script>"})


def test_a_job_that_searches_architecture_says_which_settings(api: TestClient, spec: dict[str, Any]) -> None:
    searching = spec | {"search_space": {"width": [8, 4], "kernel": [3, 5]}}
    job_id = api.post("/v1/jobs", json=searching).json()["id"]
    assert "conv-net searched: kernel, width" in plain(api.get(f"/jobs/{job_id}").text)


def test_static_files_are_named_by_their_content(tmp_path: Any) -> None:
    (tmp_path / "style.css").write_text("a")
    before = rendering.assets(tmp_path)
    (tmp_path / "style.css").write_text("b")
    assert list(before) == ["style.css"]
    assert rendering.assets(tmp_path)["style.css"] != before["style.css"]


def test_the_bundle_is_small_enough() -> None:
    bundle = rendering.FOLDER / "static" / "charts.js"
    if not bundle.exists():
        pytest.skip("the charts are not built; `make charts` builds them")
    assert bundle.stat().st_size <= 600_000


class TestCancelling:
    def test_ticked_jobs_are_asked_to_end_and_the_others_are_not(
        self, api: TestClient, settings: Settings, spec: dict[str, Any]
    ) -> None:
        made = [
            api.post("/v1/jobs", json=spec | {"name": f"job-{number}"}).json()["id"] for number in range(3)
        ]
        own = {"Origin": settings.url}
        ticked = {"job": made[:2]}
        answer = api.post("/jobs/cancel", data=ticked, headers=own, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/jobs")
        states = [api.get(f"/v1/jobs/{job}").json()["state"] for job in made]
        assert states == ["cancelled", "cancelled", "queued"]

    def test_a_job_is_cancelled_on_its_page(
        self, api: TestClient, settings: Settings, spec: dict[str, Any]
    ) -> None:
        job = api.post("/v1/jobs", json=spec).json()["id"]
        assert 'action="/jobs/cancel"' in api.get(f"/jobs/{job}").text
        sent = {"job": job, "from": "job"}
        answer = api.post("/jobs/cancel", data=sent, headers={"Origin": settings.url}, follow_redirects=False)
        assert answer.headers["location"] == f"/jobs/{job}"
        assert 'action="/jobs/cancel"' not in api.get(f"/jobs/{job}").text

    def test_a_page_elsewhere_cannot_cancel(self, api: TestClient, spec: dict[str, Any]) -> None:
        job = api.post("/v1/jobs", json=spec).json()["id"]
        for headers in ({}, {"Origin": "https://evil.example"}):
            assert api.post("/jobs/cancel", data={"job": job}, headers=headers).status_code == 403
        assert api.get(f"/v1/jobs/{job}").json()["state"] == "queued"

    def test_the_list_shows_jobs_of_one_state(
        self, api: TestClient, settings: Settings, spec: dict[str, Any]
    ) -> None:
        jobs = [api.post("/v1/jobs", json=spec | {"name": f"job-{number}"}).json()["id"] for number in (0, 1)]
        api.post(f"/v1/jobs/{jobs[0]}/cancel")
        page = api.get("/jobs?state=cancelled").text
        assert f'href="/jobs/{jobs[0]}"' in page
        assert f'href="/jobs/{jobs[1]}"' not in page
        assert "No job is failed." in api.get("/jobs?state=failed").text
