"""Bits over epochs: what counts as a change, over REST, and on the pages of a trial and of a point."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from models.allocation import LayerBits
from service.client import BitfrontClient
from service.store import Store
from service.store.studies import PlannedTrial
from service.trajectory.epochs import EpochByLayer
from service.trajectory.reading import trajectory_of
from service.web.trajectory_map import trajectory_maps
from workers.report import EpochReport

EPOCHS = 4
REPORT = EpochReport(
    epoch=1,
    epochs=EPOCHS,
    samples=1000,
    seconds=0.5,
    learning_rate=0.1,
    train_loss=1.0,
    train_accuracy=0.5,
    validation_accuracy=0.5,
    budget_cost=2.0,
    mean_weight_bits=2.0,
    mean_spike_bits=2.0,
    mean_steps=1.0,
)


def bits(weight: int) -> dict[str, Any]:
    return LayerBits.uniform(steps=1, spike_bits=2, weight_bits=weight).to_json()


@pytest.fixture
def trial(api: TestClient, api_store: Store, spec: dict[str, Any]) -> str:
    """A running trial whose layers `a` and `b` have had four epochs; `b` changed in the third.

    The first epoch is of a time before renewals were counted.
    """
    api.post("/v1/jobs", json=spec)
    with api_store.unit() as unit:
        claim = unit.jobs.claim("test", 60)
        assert claim is not None
        unit.studies.prepare(claim)
        study = unit.jobs.get(claim.job_id).studies[0].id
    planned = PlannedTrial(round=0, number=0, proposal={"kind": "learn_bits", "note": {}}, fingerprint="f")
    with api_store.unit() as unit:
        unit.studies.plan(claim, study, [planned])
        found = unit.studies.trials(study)[0].id
    with api_store.unit() as unit:
        unit.results.start(claim, found)
        for epoch in range(1, EPOCHS + 1):
            told = {"a": bits(4), "b": bits(5 if epoch < 3 else 3)}
            renewals = {"b": 2 if epoch == 3 else 0} if epoch > 1 else None
            report = replace(REPORT, epoch=epoch, layer_bits=told, renewals=renewals)
            unit.results.epoch(claim, found, report)
    return found


def by_layer(widths: list[int], renewals: list[int] | None = None) -> list[EpochByLayer]:
    counted = [None] * len(widths) if renewals is None else [{"a": count} for count in renewals]
    return [
        EpochByLayer(epoch=epoch, bits={"a": bits(width)}, renewals=count)
        for epoch, (width, count) in enumerate(zip(widths, counted, strict=True), start=1)
    ]


@given(st.lists(st.integers(1, 8), min_size=1, max_size=12))
def test_a_change_is_told_in_the_epoch_that_ends_with_it(widths: list[int]) -> None:
    rows = list(trajectory_of(by_layer(widths)))
    assert [row.bits.weight_bits for row in rows] == widths
    pairs = pairwise(widths)
    assert [row.changed for row in rows] == [False, *(before != after for before, after in pairs)]


@given(st.lists(st.integers(1, 8), min_size=1, max_size=12))
def test_the_spans_of_a_layer_fill_the_width_once(widths: list[int]) -> None:
    rows = list(trajectory_of(by_layer(widths)))
    for drawn in trajectory_maps(rows, 1):
        (layer,) = drawn.rows
        edges = [(span.x, span.x + span.width) for span in layer.spans]
        assert edges[0][0] == 0
        assert edges[-1][1] == pytest.approx(100, abs=0.01)
        assert all(end == pytest.approx(begin, abs=0.01) for (_, end), (begin, _) in pairwise(edges))
        assert all(0 < span.opacity <= 1 for span in layer.spans)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12))
def test_the_map_of_renewals_is_blank_where_there_were_none(counts: list[int]) -> None:
    rows = list(trajectory_of(by_layer([4] * len(counts), counts)))
    drawn = trajectory_maps(rows, 1)[-1]
    assert drawn.quantity.kind == "renewals"
    (layer,) = drawn.rows
    covered = sum(span.width for span in layer.spans)
    assert covered == pytest.approx(100 * sum(count > 0 for count in counts) / len(counts), abs=0.02)


def test_what_was_stored_before_renewals_were_counted_has_no_map_of_them() -> None:
    rows = list(trajectory_of(by_layer([4, 3])))
    assert {row.renewals for row in rows} == {None}
    assert [drawn.quantity.kind for drawn in trajectory_maps(rows, 1)] == ["steps", "spike", "weight"]


def test_over_rest_it_has_every_layer_of_every_epoch(api: TestClient, url: str, trial: str) -> None:
    rows = api.get(f"/v1/trials/{trial}/trajectory").json()
    assert [(row["epoch"], row["layer"]) for row in rows if row["changed"]] == [(3, "b")]
    assert len(rows) == 2 * EPOCHS
    assert [row["renewals"] for row in rows if row["layer"] == "b"] == [None, 0, 2, 0]
    assert [row["renewals"] for row in rows if row["layer"] == "a"] == [None, 0, 0, 0]
    text = api.get(f"/v1/trials/{trial}/trajectory?format=csv").text
    assert text.splitlines()[0] == "epoch,layer,steps,spike_bits,weight_bits,changed,renewals"
    assert len(text.splitlines()) == 1 + 2 * EPOCHS
    with BitfrontClient(url) as client:
        assert [row.model_dump() for row in client.trajectory(trial)] == rows


def test_no_event_and_no_learning_curve_carries_them(api_store: Store, api: TestClient, trial: str) -> None:
    assert "layer_bits" not in api.get(f"/v1/trials/{trial}").text
    with api_store.unit() as unit:
        job_id = unit.trials.get(trial).job_id
        events = unit.events.after(job_id, after=0, limit=100)
    assert [event for event in events if {"layer_bits", "renewals"} & set(event.data)] == []


def test_the_page_shows_the_epoch_that_is_asked_for(api: TestClient, trial: str) -> None:
    last, third = (api.get(f"/trials/{trial}{asked}").text for asked in ("", "?epoch=3"))
    assert "After epoch 4</strong>: no layers changed in it, no renewals of step sizes" in last
    assert "After epoch 3</strong>: 1 layer changed in it, 2 renewals of step sizes" in third
    first = api.get(f"/trials/{trial}?epoch=1").text
    assert "After epoch 1</strong>: no layers changed in it." in first
    assert 'value="3"' in third
    assert api.get(f"/trials/{trial}?epoch=99").text.count("After epoch 4<") == 1
    assert api.get(f"/trials/{trial}?epoch=<b>").status_code == 200


def test_without_bits_there_is_nothing_to_show(api: TestClient, job_with_points: Callable[..., str]) -> None:
    job_id = job_with_points()
    point = api.get(f"/v1/jobs/{job_id}/points").json()["items"][0]
    assert api.get(f"/v1/trials/{point['trial_id']}/trajectory").json() == []
    assert "Bits of each layer over epochs" not in api.get(f"/points/{point['id']}").text
    assert api.get("/v1/trials/trial-0000000000000000/trajectory").status_code == 404
