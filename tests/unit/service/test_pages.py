"""The pages of `service.web`, asked over HTTP: what they show, what they refuse, and that text stays text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from service.settings import Settings
from service.store import Store, ids
from service.store.studies import PlannedTrial
from service.views import PointView
from service.web import formats, rendering, verdict
from service.web.layer_bars import layer_chart, layer_rows
from service.web.marks import marks
from service.web.pages import pages
from workers.report import TrialFailure

HOSTILE = "<script>alert('x')</script>"
MakeJob = Callable[..., str]


def seeds(method: str, *accuracies: float) -> dict[tuple[str, int], float]:
    """Accuracies of a method by seed."""
    return {(method, seed): accuracy for seed, accuracy in enumerate(accuracies)}


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
        assert setup["ended"] is False

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
        api: TestClient,
        api_store: Store,
        settings: Settings,
        job_with_points: MakeJob,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        job_id = job_with_points()
        monkeypatch.setattr(rendering, "STATIC_FILES", ("style.css", "favicon.svg"))
        app = FastAPI()
        app.include_router(pages(api_store, settings))
        page = TestClient(app).get(f"/jobs/{job_id}").text
        assert "make charts" in page
        assert "<script defer" not in page


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


class TestPointPage:
    def test_it_has_all_that_repeats_the_point(self, api: TestClient, job_with_points: MakeJob) -> None:
        point = api.get(f"/v1/jobs/{job_with_points()}/points").json()["items"][0]
        page = api.get(f"/points/{point['id']}").text
        assert f"bitfront rerun {point['id']}" in page
        assert point["checkpoint_sha256"] in page
        assert api.get(f"/v1/points/{point['id']}/checkpoint").status_code == 200
        assert f'href="/v1/points/{point["id"]}/checkpoint"' in page
        text = plain(page)
        assert "searched layers" in text
        assert "all layers" in text
        assert "conv1 1 2 2" in text
        assert "threads 1" in text

    @pytest.mark.parametrize("path", ["/points/point-0000000000000000", "/jobs/job-0", "/points/x"])
    def test_what_is_not_there_is_a_page_with_404(self, api: TestClient, path: str) -> None:
        answer = api.get(path)
        assert answer.status_code == 404
        assert answer.headers["content-type"].startswith("text/html")
        assert 'href="/jobs"' in answer.text


class TestVerdict:
    def verdicts(self, api_store: Store, job_id: str, accuracy: Any = "validation") -> Any:
        with api_store.unit() as unit:
            return verdict.budget_verdicts(unit.jobs.get(job_id), accuracy)

    def test_search_beats_where_no_seeds_overlap(self, api_store: Store, job_with_points: MakeJob) -> None:
        job_id = job_with_points(accuracies=seeds("random", 0.8, 0.82) | seeds("uniform", 0.7, 0.72))
        first, last = self.verdicts(api_store, job_id)
        assert (first.budget, last.budget) == (2, 4)
        assert last.headline.replace(formats.NARROW, " ") == "Search beat uniform by 10.0 points"
        assert plain(last.sentences[0]) == (
            "random beat uniform: 81.0 % (80.0 to 82.0) against 71.0 % (70.0 to 72.0)."
        )
        assert first.outcome == "few_seeds"  # only seed 0 has a point at that cost

    def test_search_loses_and_it_is_said(self, api_store: Store, job_with_points: MakeJob) -> None:
        job_id = job_with_points(accuracies=seeds("random", 0.6, 0.62) | seeds("uniform", 0.7, 0.72))
        last = self.verdicts(api_store, job_id)[-1]
        assert last.outcome == "lost"
        assert last.headline.startswith("Search lost to uniform by 10.0")
        assert "random lost to uniform" in last.sentences[0]

    def test_there_is_no_verdict_where_seeds_overlap(
        self, api_store: Store, job_with_points: MakeJob
    ) -> None:
        job_id = job_with_points(accuracies=seeds("random", 0.7, 0.82) | seeds("uniform", 0.6, 0.72))
        last = self.verdicts(api_store, job_id)[-1]
        assert (last.outcome, last.headline) == ("overlap", "No verdict")
        assert "the ranges of the seeds overlap" in last.sentences[0]

    def test_the_page_says_it(self, api: TestClient, job_with_points: MakeJob) -> None:
        job_id = job_with_points(accuracies=seeds("random", 0.8, 0.82) | seeds("uniform", 0.7, 0.72))
        text = plain(part(api.get(f"/jobs/{job_id}").text, "verdict"))
        assert "bit_budget ≤ 4 Search beat uniform by 10.0 points" in text

    def test_a_spread_of_nothing_is_none(self) -> None:
        assert verdict.spread([]) is None
        assert verdict.spread([0.5, 0.7]) == verdict.Spread(
            mean=pytest.approx(0.6), least=0.5, greatest=0.7, seeds=2
        )


class TestFormats:
    @pytest.mark.parametrize(
        ("value", "text"),
        [(3.9712, "3.97"), (0, "0"), (1234.5, "1234"), (12_345, "12.3 k"), (2.5e9, "2.5 G"), (None, "–")],
    )
    def test_costs(self, value: float | None, text: str) -> None:
        assert plain(formats.cost(value)) == text

    @pytest.mark.parametrize(
        ("seconds", "text"),
        [(0.2, "1 s"), (89, "89 s"), (200, "3 min"), (7300, "2 h 2 min"), (200_000, "2 days")],
    )
    def test_durations(self, seconds: float, text: str) -> None:
        assert plain(formats.duration(seconds)) == text

    def test_times_are_utc(self) -> None:
        time = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
        assert formats.moment(time) == "2026-11-23 12:30 UTC"
        assert formats.iso(time.replace(tzinfo=None)) == "2026-11-23T12:30:00+00:00"

    def test_records_are_flattened(self) -> None:
        found = dict(formats.flattened({"versions": {"torch": "2"}, "seeds": [1, 2]}))
        assert found == {"versions.torch": "2", "seeds": "1, 2"}


class TestMarks:
    def test_methods_differ_in_colour_and_in_symbol(self) -> None:
        found = marks(
            ["gradient", "gradient-targets", "optuna-tpe", "optuna-nsga2", "random", "uniform", "hybrid"]
        )
        assert len({mark.light for mark in found.values()}) == 7
        assert len({mark.dark for mark in found.values()}) == 7
        assert len({mark.path for mark in found.values()}) == 7

    def test_unknown_methods_get_marks_of_their_own(self) -> None:
        found = marks(["mine", "yours", "gradient", "uniform"])
        assert len({(mark.light, mark.path) for mark in found.values()}) == 4


class TestLayerBars:
    def point(self, api_store: Store, job_id: str) -> PointView:
        with api_store.unit() as unit:
            found = unit.points.page(job_id, limit=1, cursor=None).items[0]
        layers = {
            "a": {"steps": 2, "spike_bits": [1, 3], "weight_bits": 8},
            "b": {"steps": 1, "spike_bits": [4], "weight_bits": 2},
        }
        return found.model_copy(update={"allocation": layers})

    def test_bars_are_as_high_as_their_share_of_the_greatest(
        self, api_store: Store, job_with_points: MakeJob
    ) -> None:
        steps, spike, weight = layer_chart(self.point(api_store, job_with_points())).rows
        assert [bar.text for bar in spike.bars] == ["2", "4"]
        assert steps.bars[0].height == 2 * steps.bars[1].height
        assert weight.bars[0].height == 4 * weight.bars[1].height
        assert all(bar.y + bar.height == row.base for row in (steps, spike, weight) for bar in row.bars)
        assert spike.bars[0].title == "a: Bs 1, 3"

    def test_the_table_lists_spike_bits_per_step_where_they_differ(
        self, api_store: Store, job_with_points: MakeJob
    ) -> None:
        rows = layer_rows(self.point(api_store, job_with_points()))
        assert rows[0] == {"layer": "a", "steps": "2", "spike": "1, 3", "weight": "8"}
        assert rows[1]["spike"] == "4"


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


def part(page: str, name: str) -> str:
    """The live part of a page with this id, to the next one."""
    begin = page.index(f'id="{name}" data-live')
    end = page.find("data-live", begin + len(name) + 20)
    return page[begin : end if end > 0 else None]


def plain(html: str) -> str:
    """The text of a page, without markup, with single ordinary spaces."""
    text = re.sub(r"<[^>]*>", " ", html).replace("&gt;", ">").replace("&lt;", "<")
    return re.sub(r"\s+", " ", text).strip()
