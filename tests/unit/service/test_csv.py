"""CSV: no cell is a formula, what is written can be read again, every table has it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from service.api import csv_answers
from service.csv_text import FORMULA, csv_text


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=1, max_size=4))
def test_text_comes_back_and_is_never_a_formula(cells: list[str]) -> None:
    _, row = csv.reader(io.StringIO(csv_text([str(n) for n in range(len(cells))], [cells]), newline=""))
    for cell, read in zip(cells, row, strict=True):
        assert read.removeprefix("'") == cell.removeprefix("'")
        assert not read.startswith(FORMULA)


def test_numbers_stay_numbers_and_documents_are_json() -> None:
    text = csv_text(["a", "b", "c", "d"], [[-1.5, None, {"x": "="}, [1, "y"]]])
    assert text == 'a,b,c,d\r\n-1.5,,"{""x"": ""=""}","[1, ""y""]"\r\n'


@pytest.mark.parametrize(
    ("path", "column", "rows"),
    [
        ("/v1/jobs", "trials_finished", 1),
        ("/v1/jobs/{job}/trials", "proposal", 8),
        ("/v1/jobs/{job}/trials?state=failed", "message", 4),
        ("/v1/jobs/{job}/attempts", "first_epoch", 8),
        ("/v1/jobs/{job}/points", "bit_budget_searched", 4),
        ("/v1/jobs/{job}/studies", "best", 4),
        ("/v1/jobs/{job}/front", "on_front", 2),
        ("/v1/trials/{trial}/epochs", "train_loss", 1),
        ("/v1/trials/{trial}/attempts", "message", 1),
        ("/v1/points/{point}/layers", "s_ace_share", 1),
        ("/v1/points/{point}/reruns", "same_weights", 0),
        ("/v1/webhooks", "failing_since", 0),
        ("/v1/keys", "scope", 0),
        ("/v1/methods", "summary", None),
        ("/v1/datasets", "available", None),
        ("/v1/architectures", "details", None),
        ("/v1/job-batches", "jobs_queued", 0),
        ("/v1/ablations", "groups", 0),
    ],
)
def test_every_table_comes_as_csv_with_the_values_of_the_json(
    api: TestClient, job_with_points: Callable[..., str], path: str, column: str, rows: int | None
) -> None:
    job = job_with_points()
    point = api.get(f"/v1/jobs/{job}/points").json()["items"][0]
    address = path.format(job=job, trial=point["trial_id"], point=point["id"])
    answer = api.get(address, headers={"Accept": "text/csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    found = table(answer.text)
    assert column in answer.text.splitlines()[0].split(",")
    plain = api.get(address).json()
    items = plain if isinstance(plain, list) else plain.get("items", plain.get("points"))
    assert len(found) == (rows if rows is not None else max(len(items), 1))
    for item, row in zip(items, found, strict=True):
        same = {name for name in row.keys() & item.keys() if isinstance(item[name], int | float)}
        assert {name: str(item[name]) for name in same} == {name: row[name] for name in same}


def test_a_listing_is_whole_unless_a_limit_is_given(
    api: TestClient, spec: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_answers, "ROWS_PER_READ", 2)
    made = [api.post("/v1/jobs", json=spec).json()["id"] for _ in range(5)][::-1]
    assert [row["id"] for row in table(api.get("/v1/jobs?format=csv").text)] == made
    some = api.get("/v1/jobs?format=csv&limit=3")
    assert [row["id"] for row in table(some.text)] == made[:3]
    rest = api.get(f"/v1/jobs?format=csv&cursor={some.headers['x-next-cursor']}")
    assert [row["id"] for row in table(rest.text)] == made[3:]
    assert "x-next-cursor" not in rest.headers


def test_labels_cannot_smuggle_a_formula(api: TestClient, spec: dict[str, Any]) -> None:
    api.post("/v1/jobs", json=spec | {"architecture": {"name": "conv-net", "note": "=1+1"}})
    (row,) = table(api.get("/v1/jobs?format=csv").text)
    assert json.loads(row["architecture"])["note"] == "=1+1"
    assert not any(cell.startswith(FORMULA) for cell in row.values())


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/jobs?format=xml", 422),
        ("/v1/jobs?format=csv&cursor=nonsense", 422),
        ("/v1/jobs/job-0123456789abcdef/trials?format=csv", 404),
        ("/v1/jobs/job-0123456789abcdef/attempts?format=csv", 404),
        ("/v1/jobs/job-0123456789abcdef/points?format=csv", 404),
        ("/v1/trials/trial-0123456789abcdef/epochs", 404),
    ],
)
def test_mistakes_are_answered_as_problems(api: TestClient, path: str, status: int) -> None:
    answer = api.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
