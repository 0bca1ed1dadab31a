"""The comparison page, asked over HTTP: what it says, what it refuses, and what its address chooses."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

Compared = Callable[..., str]


def plain(html: str) -> str:
    """The text of a page, without markup, with single ordinary spaces."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html)).strip()


def table(page: str, name: str) -> dict[str, list[str]]:
    """The cells of the table in a part of a page, by the name that begins each row."""
    part = page[page.index(f'id="{name}" data-live') :]
    body = part[part.index("<tbody>") : part.index("</tbody>")]
    rows = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in body.split("</tr>")[:-1]]
    return {plain(row[0]): [plain(cell) for cell in row[1:]] for row in rows}


def test_the_verdict_stands_above_the_tables_that_it_rests_on(api: TestClient, compared: Compared) -> None:
    page = api.get(f"/jobs/{compared()}/comparison").text
    text = plain(page)
    assert text.index("gradient beats random (+9.90 points") < text.index("Mean difference in hypervolume")
    differences = table(page, "differences")
    assert differences["random"][0].startswith("+9.90 (+")
    assert differences["random"][1:] == ["3", "better", "not reached within 1 x", "–"]
    assert differences["uniform"][2] == "no verdict"
    assert differences["uniform"][4].startswith("about ")
    hypervolumes = table(page, "hypervolumes")
    assert list(hypervolumes) == ["gradient", "uniform", "random"]
    assert hypervolumes["gradient"][0].startswith("91.00 (")
    assert hypervolumes["gradient"][1:4] == ["3", "2 000", "2 000"]
    assert [cell[:6] for cell in table(page, "accuracies")["gradient"]] == ["90.00 ", "92.00 "]


def test_every_method_is_drawn_at_every_budget_and_in_every_difference(
    api: TestClient, compared: Compared
) -> None:
    page = api.get(f"/jobs/{compared()}/comparison").text
    assert page.count('class="dot"') == 2 + 2 * 3
    assert page.count('class="whiskers"') == 1 + 2
    assert 'data-figure="test-hypervolume-over-compute"' in page


def test_the_address_chooses_method_and_accuracy(api: TestClient, compared: Compared) -> None:
    page = api.get(f"/jobs/{compared()}/comparison?subject=random&accuracy=validation").text
    assert "Is random better than the others?" in page
    assert "<option selected>random</option>" in page
    assert "<option selected>validation</option>" in page
    assert list(table(page, "differences")) == ["gradient", "uniform"]
    assert table(page, "hypervolumes")["gradient"][0].startswith("92.00 (")
    assert "/comparison?accuracy=validation&amp;format=csv" in page
    assert "--subject random --accuracy validation" in page


@pytest.mark.parametrize("choice", ["subject=nonsense", "accuracy=nonsense", "subject=&accuracy="])
def test_a_choice_that_is_not_offered_falls_back(api: TestClient, compared: Compared, choice: str) -> None:
    page = api.get(f"/jobs/{compared()}/comparison?{choice}")
    assert page.status_code == 200
    assert "<option selected>gradient</option>" in page.text
    assert "<option selected>test</option>" in page.text


def test_a_search_that_goes_on_is_refused_plainly(api: TestClient, compared: Compared) -> None:
    page = api.get(f"/jobs/{compared(finish=False)}/comparison").text
    text = plain(page)
    assert "No verdict: the search has not come to its end for random, gradient, uniform" in text
    assert "These methods cannot be judged. What was measured so far is shown below" in text
    assert {row[2] for row in table(page, "differences").values()} == {"no verdict"}


def test_a_queued_job_has_a_page(api: TestClient, spec: dict[str, Any]) -> None:
    job_id = api.post("/v1/jobs", json=spec).json()["id"]
    page = api.get(f"/jobs/{job_id}/comparison").text
    assert "These methods cannot be judged" in page
    assert table(page, "accuracies")["gradient"][0] == "– 3 of 3 seeds without a point"


def test_a_job_that_is_not_there_has_no_page(api: TestClient) -> None:
    assert api.get("/jobs/job-0123456789abcdef/comparison").status_code == 404


def test_a_job_and_its_figures_lead_there(api: TestClient, compared: Compared) -> None:
    job_id = compared()
    for path in (f"/jobs/{job_id}", f"/jobs/{job_id}/figures"):
        assert f'href="/jobs/{job_id}/comparison"' in api.get(path).text
    keys = [figure["key"] for figure in api.get(f"/v1/jobs/{job_id}/figures").json()]
    assert {"test-hypervolume-over-compute", "validation-hypervolume-over-compute"} < set(keys)


def test_scripts_and_handlers_are_never_inline(api: TestClient, compared: Compared) -> None:
    page = api.get(f"/jobs/{compared()}/comparison").text
    assert re.findall(r"<[^>]+\son\w+=", page) == []
    assert all("src=" in tag or "application/json" in tag for tag in re.findall(r"<script[^>]*>", page))
