"""Form <-> job: what the form shows of a valid job and sends back is the same job."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.job import MetricName
from service.api.body import parse_as
from service.api.submission import JobSubmission
from service.job_form.fields import OTHER
from service.job_form.form import form_of, job_of, stored, told, without_empty_rows

LEAST: dict[str, Any] = {
    "name": "small",
    "architecture": {"name": "conv-net"},
    "dataset": {"name": "digits"},
    "budget": {"max": [2, 4]},
}
NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True)
SETTINGS = st.one_of(
    st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()
)
METRICS = st.sampled_from(MetricName.__args__)  # type: ignore[attr-defined]  # of a Literal
POSITIVE = st.floats(1e-6, 1e18) | st.integers(1, 10**9)
PAIRS = st.lists(st.integers(1, 6), min_size=2, max_size=2).map(sorted)
CONSTRAINTS = st.lists(
    st.fixed_dictionaries(
        {"metric": METRICS, "max": POSITIVE}, optional={"scope": st.sampled_from(["searched", "all", None])}
    ),
    max_size=8,
)
TRAINING = st.fixed_dictionaries(
    {},
    optional={
        "epochs": st.integers(1, 10_000),
        "lr": st.floats(1e-9, 100),
        "renewal": st.sampled_from(["search", "none", "closed_form"]),
        "augment": st.fixed_dictionaries({}, optional={"flip": st.booleans(), "crop": st.integers(0, 64)}),
        "tet": st.fixed_dictionaries({}, optional={"share": st.floats(0, 1)}),  # no field of the form has it
        "warm_start": NAMES | st.none(),
    },
)
JOBS = st.fixed_dictionaries(
    {
        "name": NAMES,
        "architecture": st.dictionaries(
            st.text(max_size=8).filter(lambda name: name != "name"), SETTINGS
        ).flatmap(lambda found: NAMES.map(lambda name: {"name": name, **found})),
        "dataset": st.fixed_dictionaries({"name": NAMES}, optional={"train_samples": st.integers(1, 10**6)}),
        "budget": st.fixed_dictionaries(
            {"max": st.lists(POSITIVE, min_size=1, max_size=5, unique_by=float)}, optional={"metric": METRICS}
        ),
    },
    optional={
        "constraints": CONSTRAINTS,
        "bits": st.fixed_dictionaries(
            {},
            optional={"weight": PAIRS, "steps": PAIRS, "learn": st.just(["weight"]), "initial": st.just({})},
        ),
        "targets": st.just([{"weight": 2, "spike": 2.5, "steps": 1}]),
        "methods": st.lists(NAMES, min_size=1, max_size=4, unique=True),
        "seeds": st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=5, unique=True),
        "training": TRAINING,
        "compute": st.just({"early_stopping": {"min_epoch": 3}, "cpus_per_trial": 0.5}),
        "search_space": st.just({"width": [8, 16]}),
        "labels": st.dictionaries(NAMES, st.text(max_size=20).filter(str.isprintable), max_size=3),
        "priority": st.integers(-9, 9),
    },
)


def checked(job: dict[str, Any]) -> JobSubmission:
    return parse_as(JobSubmission, json.dumps(job).encode())


def same(one: JobSubmission, other: JobSubmission) -> bool:
    """Equal with their types: True is not 1."""
    return one.model_dump_json() == other.model_dump_json()


@settings(max_examples=150, deadline=None)
@given(JOBS)
def test_a_job_that_is_shown_and_sent_back_is_the_same_job(job: dict[str, Any]) -> None:
    found = job_of(form_of(job))
    assert found.errors == ()
    assert same(checked(found.document), checked(job))
    short = told(checked(job))
    assert same(checked(job_of(form_of(short)).document), checked(job))


def test_a_stored_job_is_shown_without_its_defaults_and_with_its_other_fields() -> None:
    job = checked({**LEAST, "hardware": {"rows": 8}, "bits": {"learn": ["weight"]}, "labels": {"a": "b: c"}})
    form = form_of(stored(job.job().to_json(), job.labels, job.priority))
    assert form["/labels"] == ["a: b: c"]
    assert "/training/epochs" not in form
    assert form[OTHER] == ["bits:\n  learn: [weight]\nhardware: {rows: 8}\n"]


def test_a_form_says_what_a_person_typed() -> None:
    form = {
        "/name": [" small "],
        "/architecture/name": ["resnet20"],
        "/architecture/width": ["16"],
        "/architecture/stem": [""],
        "/budget/max": ["2, 4  8,x"],
        "/bits/weight": ["", "6"],
        "/training/lr": ["fast"],
        "/training/augment/flip": ["", "true"],
        "/constraints/*/metric": ["", "weight_kib"],
        "/constraints/*/max": ["", "128"],
        "/constraints/*/scope": ["", ""],
        "/labels": ["paper: figure-3\n\nteam:a"],
        OTHER: ["training: {tet: {share: 5e-2}}"],
    }
    assert job_of(form).document == {
        "name": "small",
        "architecture": {"name": "resnet20", "width": 16},
        "dataset": {},
        "budget": {"max": [2, 4, 8, "x"]},
        "methods": [],
        "bits": {"weight": [1, 6]},
        "training": {"lr": "fast", "augment": {"flip": True}, "tet": {"share": 0.05}},
        "constraints": [{"metric": "weight_kib", "max": 128}],
        "labels": {"paper": "figure-3", "team": "a"},
    }
    assert without_empty_rows(form)["/constraints/*/max"] == ["128"]


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ("name: again", "name has a field of its own"),
        ("budget: 3", "budget has a field of its own"),
        ("- a", "not fields by name"),
        ("a: [", "not YAML"),
        ("a: &a [x]\nb: [*a, *a]", "references"),
    ],
)
def test_other_fields_that_cannot_be_are_told_beside_them(other: str, said: str) -> None:
    found = job_of({**form_of(LEAST), OTHER: [other]})
    assert [error.pointer for error in found.errors] == ["/other"]
    assert said in found.errors[0].detail
