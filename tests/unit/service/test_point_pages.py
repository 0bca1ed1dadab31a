"""The page of a point: its layers, what they cost, and all that repeats it."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient

from tests.unit.service.pages import MakeJob, plain


class TestPointPage:
    def test_it_shows_what_each_layer_costs_on_the_hardware_of_its_job(
        self, api: TestClient, job_with_points: MakeJob
    ) -> None:
        job_id = job_with_points()
        point = api.get(f"/v1/jobs/{job_id}/front").json()["points"][0]["id"]
        (layer,) = api.get(f"/v1/points/{point}").json()["layer_costs"]
        assert (layer["name"], layer["searched"], layer["table"]) == ("conv1", True, None)
        assert (layer["compute_cycles"], layer["memory_cycles"]) == (4.0, (10 * 2 + 16 * 2) / 128)
        assert layer["utilisation"] == pytest.approx(100 * 4 / (256 * 4))
        text = plain(api.get(f"/points/{point}").text)
        assert "16 × 16 lanes at 200 MHz" in text
        assert re.search(r"conv1 4 4 0\.406 39\.1 %", text)

    def test_it_is_whole_where_the_layer_table_is_not_known(
        self, api: TestClient, job_with_points: MakeJob, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        job_id = job_with_points()
        point = api.get(f"/v1/jobs/{job_id}/front").json()["points"][0]["id"]
        monkeypatch.setattr("service.store.layer_costs.stored_layers", lambda *_: [])
        assert api.get(f"/v1/points/{point}").json()["layer_costs"] == []
        assert "Costs of each layer" not in api.get(f"/points/{point}").text

    def test_it_shows_the_firing_rate_of_each_layer(self, api: TestClient, job_with_points: MakeJob) -> None:
        point = api.get(f"/v1/jobs/{job_with_points()}/points").json()["items"][0]
        page = api.get(f"/points/{point['id']}").text
        assert 'value="0.1" aria-label="Firing rate of conv1"' in page
        assert re.search(r"conv1 10\.0\s% 10\.0\s%", plain(page))

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

    def test_it_names_settings_only_where_some_were_chosen(
        self, api: TestClient, job_with_points: MakeJob
    ) -> None:
        point = api.get(f"/v1/jobs/{job_with_points()}/points").json()["items"][0]
        assert point["settings"] == {}
        assert "Architecture:" not in plain(api.get(f"/points/{point['id']}").text)

    @pytest.mark.parametrize("path", ["/points/point-0000000000000000", "/jobs/job-0", "/points/x"])
    def test_what_is_not_there_is_a_page_with_404(self, api: TestClient, path: str) -> None:
        answer = api.get(path)
        assert answer.status_code == 404
        assert answer.headers["content-type"].startswith("text/html")
        assert 'href="/jobs"' in answer.text
