"""Every way in which a submission can be wrong: its status, code and pointer, and that nothing is stored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.settings import Settings

JSON = {"Content-Type": "application/json"}


def merged(base: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """The spec with some parts replaced; None removes a field."""
    return {name: value for name, value in {**base, **patch}.items() if value is not None}


def stored(api: TestClient) -> int:
    """How many jobs there are."""
    return len(api.get("/v1/jobs").json()["items"])


ROW = {"kind": "conv", "steps": 1, "spike_bits": 1, "weight_bits": 1, "cost": 2}
WRONG_FIELDS = [
    ({"training": {"epochs": -3}}, "/training/epochs", "out_of_range", "1 to 10000"),
    ({"training": {"epochs": 10_001}}, "/training/epochs", "out_of_range", "1 to 10000"),
    ({"training": {"epochs": "3"}}, "/training/epochs", "wrong_type", "a whole number"),
    ({"training": {"epochs": True}}, "/training/epochs", "wrong_type", "a whole number"),
    ({"training": {"epochs": 2.5}}, "/training/epochs", "wrong_type", "a whole number"),
    ({"training": {"lr": 0}}, "/training/lr", "out_of_range", "greater than 0 and at most 100"),
    ({"training": {"lr": None}}, "/training/lr", "wrong_type", "a number"),
    ({"training": {"renewal": "often"}}, "/training/renewal", "unknown_value", "closed_form, search, none"),
    ({"training": 5}, "/training", "wrong_type", "an object"),
    ({"training": {"epoch": 3}}, "/training/epoch", "unknown_field", "epochs"),
    ({"colour": "red"}, "/colour", "unknown_field", "architecture"),
    ({"a/b~c": 1}, "/a~1b~0c", "unknown_field", "architecture"),
    ({"name": None}, "/name", "missing", "text"),
    ({"name": "two words"}, "/name", "invalid_name", "letters"),
    ({"name": "../etc"}, "/name", "invalid_name", "letters"),
    ({"name": "line\n"}, "/name", "invalid_name", "letters"),
    ({"architecture": {"name": "conv-net", "width": [1]}}, "/architecture/width", "wrong_type", "a number"),
    ({"search_space": {"width": [8]}}, "/search_space/width", "out_of_range", "at least 2"),
    ({"search_space": {"width": list(range(1, 18))}}, "/search_space/width", "out_of_range", "at most 16"),
    ({"search_space": {name: [1, 2] for name in "abcdefg"}}, "/search_space", "out_of_range", "at most 6"),
    ({"search_space": {"width": [8, 8]}}, "/search_space", "invalid", "once"),
    ({"search_space": {name: list(range(7)) for name in "abc"}}, "/search_space", "invalid", "at most 256"),
    ({"search_space": {"width": 8}}, "/search_space/width", "wrong_type", "a list"),
    ({"budget": {"max": []}}, "/budget/max", "out_of_range", "at least 1"),
    ({"budget": {"max": [2, -1]}}, "/budget/max/1", "out_of_range", "greater than 0"),
    ({"budget": {"max": [2, 2]}}, "/budget/max", "invalid", "once"),
    ({"budget": {"max": [2], "metric": "watts"}}, "/budget/metric", "unknown_value", "bit_budget"),
    ({"budget": {"max": 2}}, "/budget/max", "wrong_type", "a list"),
    ({"bits": {"weight": [5, 3]}}, "/bits/weight", "invalid", "least <= greatest"),
    ({"bits": {"weight": [5]}}, "/bits/weight/1", "missing", "a whole number"),
    ({"seeds": [0, -1]}, "/seeds/1", "out_of_range", "at least 0"),
    ({"seeds": list(range(65))}, "/seeds", "out_of_range", "at most 64"),
    ({"constraints": [{"metric": "weight_kib"}]}, "/constraints/0/max", "missing", "a number"),
    ({"hardware": {"rows": 0}}, "/hardware/rows", "out_of_range", "1 to 65536"),
    ({"hardware": {"bytes_per_cycle": 0}}, "/hardware/bytes_per_cycle", "out_of_range", "0.001 to 1000000"),
    ({"hardware": {"energies": {"add": -1}}}, "/hardware/energies/add", "out_of_range", "0 to 1000000"),
    ({"hardware": {"lanes": 4}}, "/hardware/lanes", "unknown_field", "rows, columns"),
    ({"hardware": "fast"}, "/hardware", "wrong_type", "an object"),
    ({"cost_table": 5}, "/cost_table", "wrong_type", "text"),
    ({"cost_table": "kind,cost"}, "/cost_table", "invalid", "Begin with the line kind,steps"),
    ({"cost_table": "x" * 1_000_001}, "/cost_table", "invalid", "Leave out"),
    ({"cost_table": []}, "/cost_table", "invalid", ""),
    ({"cost_table": [{"kind": "conv"}]}, "/cost_table", "invalid", "Use kind, steps"),
    ({"cost_table": [ROW | {"cost": 0}]}, "/cost_table", "invalid", "Use a number above 0"),
    ({"cost_table": [ROW | {"cost": True}]}, "/cost_table", "invalid", "Use a number above 0"),
    ({"cost_table": [ROW | {"steps": 1.5}]}, "/cost_table", "invalid", "Use 1 to 256"),
    ({"cost_table": [ROW, ROW | {"steps": 2, "cost": 1}]}, "/cost_table", "invalid", "as much or more"),
]


@pytest.mark.parametrize(("patch", "wanted"), [(patch, wanted) for patch, *wanted in WRONG_FIELDS])
def test_names_the_field_the_reason_and_the_fix(
    api: TestClient, spec: dict[str, Any], patch: dict[str, Any], wanted: list[str]
) -> None:
    pointer, code, fix = wanted
    response = api.post("/v1/jobs", json=merged(spec, patch))
    problem = response.json()
    assert (response.status_code, problem["code"]) == (422, "invalid_input")
    assert response.headers["content-type"] == "application/problem+json"
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [(pointer, code)]
    assert fix in problem["errors"][0]["fix"]
    assert problem["instance"] == "/v1/jobs"
    assert stored(api) == 0


def test_names_every_wrong_field_at_once(api: TestClient, spec: dict[str, Any]) -> None:
    patch = {"seeds": ["a", 1], "training": {"epochs": 0}, "extra": 1}
    errors = api.post("/v1/jobs", json=merged(spec, patch)).json()["errors"]
    assert {error["pointer"] for error in errors} == {"/seeds/0", "/training/epochs", "/extra"}


def test_says_how_far_out_of_range_a_number_is(api: TestClient, spec: dict[str, Any]) -> None:
    error = api.post("/v1/jobs", json=merged(spec, {"training": {"epochs": -3}})).json()["errors"][0]
    assert (error["detail"], error["fix"]) == ("-3 is less than 1.", "Use 1 to 10000.")


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e999"])
@pytest.mark.parametrize(
    ("patch", "pointer"),
    [
        ({"training": {"lr": 12345}}, "/training/lr"),
        ({"training": {"epochs": 12345}}, "/training/epochs"),
        ({"architecture": {"name": "conv-net", "width": 12345}}, "/architecture/width"),
        ({"extra": {"a/b": [1, 12345]}}, "/extra/a~1b/1"),
    ],
)
def test_refuses_numbers_that_are_not_finite(
    api: TestClient, spec: dict[str, Any], patch: dict[str, Any], pointer: str, text: str
) -> None:
    body = json.dumps(merged(spec, patch)).replace("12345", text)
    response = api.post("/v1/jobs", content=body, headers=JSON)
    errors = response.json()["errors"]
    assert response.status_code == 422
    assert [(error["pointer"], error["code"]) for error in errors] == [(pointer, "not_finite")]
    assert stored(api) == 0


@pytest.mark.parametrize(
    ("patch", "code", "pointer"),
    [
        ({"dataset": {"name": "elsewhere"}}, "data_missing", "/dataset/name"),
        ({"budget": {"max": [0.5]}}, "infeasible", "/budget/max/0"),
    ],
)
def test_refuses_what_planning_refuses(
    api: TestClient, spec: dict[str, Any], patch: dict[str, Any], code: str, pointer: str
) -> None:
    response = api.post("/v1/jobs", json=merged(spec, patch))
    problem = response.json()
    assert (response.status_code, problem["code"]) == (422, code)
    assert problem["errors"][0]["pointer"] == pointer
    assert stored(api) == 0


MALFORMED = [
    b"",
    b"{",
    b"{'name': 1}",
    b'{"name": "a", "name": "b"}',
    b"[" * 100_000,
    b'{"a":' * 400 + b"1" + b"}" * 400,
    b'{"name": "\\ud800"}',
    b"\xff\xfe{}",
    b'{"seeds": [' + b"9" * 5000 + b"]}",
]


@pytest.mark.parametrize("body", MALFORMED, ids=range(len(MALFORMED)))
def test_refuses_what_is_not_json(api: TestClient, body: bytes) -> None:
    response = api.post("/v1/jobs", content=body, headers=JSON)
    assert (response.status_code, response.json()["code"]) == (400, "malformed_json")
    assert stored(api) == 0


@pytest.mark.parametrize("body", [b"[]", b"3", b'"job"', b"null"])
def test_refuses_json_that_is_not_an_object(api: TestClient, body: bytes) -> None:
    response = api.post("/v1/jobs", content=body, headers=JSON)
    assert response.status_code == 422
    assert [error["pointer"] for error in response.json()["errors"]] == [""]


@pytest.mark.parametrize("declared", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_refuses_other_content_types(api: TestClient, spec: dict[str, Any], declared: str) -> None:
    response = api.post("/v1/jobs", content=json.dumps(spec), headers={"Content-Type": declared})
    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")
    assert stored(api) == 0


def test_refuses_a_body_that_is_declared_too_large(api: TestClient, settings: Settings) -> None:
    response = api.post("/v1/jobs", content=b" " * (settings.max_body_bytes + 1), headers=JSON)
    assert (response.status_code, response.json()["code"]) == (413, "body_too_large")


def test_refuses_a_body_of_undeclared_length_before_reading_it_whole(
    api: TestClient, settings: Settings
) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(2 * settings.max_body_bytes // 100_000):
            yield b" " * 100_000

    response = api.post("/v1/jobs", content=chunks(), headers=JSON)
    assert (response.status_code, response.json()["code"]) == (413, "body_too_large")
    assert stored(api) == 0


@pytest.mark.parametrize("key", ["", "x" * 256, "two words", "tab\t"])
def test_refuses_an_unusable_idempotency_key(api: TestClient, spec: dict[str, Any], key: str) -> None:
    response = api.post("/v1/jobs", json=spec, headers={"Idempotency-Key": key})
    assert response.status_code == 422
    assert response.json()["errors"][0]["parameter"] == "Idempotency-Key"
    assert stored(api) == 0


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Origin": "http://evil.example"}, "foreign_origin"),
        ({"Origin": "null"}, "foreign_origin"),
        ({"Origin": "http://127.0.0.1:9"}, "foreign_origin"),
        ({"Host": "evil.example:8765"}, "foreign_host"),
        ({"Host": "127.0.0.1.evil.example"}, "foreign_host"),
        ({"Host": ""}, "foreign_host"),
    ],
)
def test_refuses_other_sites(
    api: TestClient, spec: dict[str, Any], headers: dict[str, str], code: str
) -> None:
    response = api.post("/v1/jobs", json=spec, headers=headers)
    assert (response.status_code, response.json()["code"]) == (403, code)
    assert stored(api) == 0


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:9000", "[::1]:8765"])
def test_accepts_its_own_pages_under_every_loopback_name(
    api: TestClient, spec: dict[str, Any], host: str
) -> None:
    headers = {"Host": host, "Origin": f"http://{host}"}
    assert api.post("/v1/jobs", json=spec, headers=headers).status_code == 202


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/v1/jobs?limit=0", "limit"),
        ("/v1/jobs?limit=101", "limit"),
        ("/v1/jobs?limit=many", "limit"),
        ("/v1/jobs?state=asleep", "state"),
        ("/v1/jobs?stat=queued", "stat"),
        ("/v1/jobs/{job}?wait=31", "wait"),
        ("/v1/jobs/{job}?wait=nan", "wait"),
        ("/v1/jobs/{job}/front?metric=colour", "metric"),
        ("/v1/jobs/{job}/front?method=gradient", "method"),
        ("/v1/jobs/{job}/front?seed=7", "seed"),
        ("/v1/jobs/{job}/front?seed=99999999999999999999", "seed"),
        ("/v1/jobs/{job}/front?format=xml", "format"),
        ("/v1/jobs/{job}/best", "max"),
        ("/v1/jobs/{job}/best?max=-1", "max"),
        ("/v1/jobs/{job}/best?max=inf", "max"),
        ("/v1/jobs/{job}/trials?state=queueing", "state"),
        ("/v1/jobs/{job}/events?after=-1", "after"),
        ("/v1/jobs/{job}/events?after=99999999999999999999", "after"),
    ],
)
def test_refuses_unknown_parameters_and_values(
    api: TestClient, spec: dict[str, Any], path: str, parameter: str
) -> None:
    job_id = api.post("/v1/jobs", json=spec).json()["id"]
    response = api.get(path.format(job=job_id))
    assert response.status_code == 422
    assert [error["parameter"] for error in response.json()["errors"]] == [parameter]


@pytest.mark.parametrize("listing", ["/v1/jobs", "/v1/jobs/{job}/trials", "/v1/jobs/{job}/points"])
def test_refuses_cursors_that_it_never_gave(api: TestClient, spec: dict[str, Any], listing: str) -> None:
    job_id = api.post("/v1/jobs", json=spec).json()["id"]
    response = api.get(listing.format(job=job_id), params={"cursor": "nonsense"})
    assert (response.status_code, response.json()["code"]) == (422, "invalid_input")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/jobs/job-0123456789abcdef",
        "/v1/jobs/nothing",
        "/v1/jobs/job-0123456789abcdeF",
        "/v1/jobs/job-0123456789abcdef/front",
        "/v1/jobs/job-0123456789abcdef/best?max=2",
        "/v1/jobs/job-0123456789abcdef/trials",
        "/v1/jobs/job-0123456789abcdef/points",
        "/v1/jobs/job-0123456789abcdef/events",
        "/v1/trials/trial-0123456789abcdef",
        "/v1/trials/..%2f..%2fetc",
        "/v1/points/point-0123456789abcdef",
        "/v1/points/point-0123456789abcdef/checkpoint",
        "/v1/points/job-0123456789abcdef",
        "/v2/jobs",
    ],
)
def test_answers_what_is_not_there_with_a_problem(api: TestClient, path: str) -> None:
    response = api.get(path)
    assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert response.headers["content-type"] == "application/problem+json"


def test_answers_a_wrong_method_with_a_problem(api: TestClient) -> None:
    response = api.put("/v1/jobs", json={})
    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
    assert "allow" in response.headers
