"""What the store promises of the events of many jobs, on either database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from service.batches.spec import BatchSpec
from service.store import Store
from service.store.events import WhoseEvents
from service.store.jobs import NewJob

SPEC = BatchSpec(template={"name": "some"}, grid={"/seeds": [[0]]})


@pytest.fixture
def submit(job_spec: Callable[..., Any]) -> Callable[..., str]:
    def run(store: Store, name: str, **labels: str) -> str:
        new = NewJob(spec=job_spec(name=name), trials_planned=6, plan={}, labels=labels)
        with store.unit() as unit:
            batch, _ = unit.batches.submit(
                BatchSpec(template={"name": name}, grid={"/seeds": [[0]]}),
                name,
                [(new, {})],
                idempotency_key=None,
            )
            return batch.id

    return run


def names(store: Store, after: int = 0, **whose: Any) -> list[str]:
    """The names of the jobs whose events are found, in order."""
    with store.unit() as unit:
        found = unit.events.of_ids(unit.events.ids_after(after, WhoseEvents(**whose)))
        return [unit.jobs.get(event.job_id).name for event in found]


def test_finds_the_events_of_jobs_batches_labels_and_kinds(store: Store, submit: Callable[..., str]) -> None:
    submit(store, "a", paper="one")
    batch = submit(store, "b", paper="two")
    with store.unit() as unit:
        (job,) = unit.batches.job_ids(batch)
    assert names(store) == ["a", "b"]
    assert names(store, batch=batch) == names(store, jobs=(job,)) == ["b"]
    assert names(store, labels=(("paper", None),)) == ["a", "b"]
    assert names(store, labels=(("paper", "one"),)) == ["a"]
    assert names(store, labels=(("paper", "one"),), batch=batch) == []
    assert names(store, kinds=("job_state",)) == ["a", "b"]
    assert names(store, kinds=("epoch", "point")) == []


def test_finds_what_is_newer_than_an_id(store: Store, submit: Callable[..., str]) -> None:
    with store.unit() as unit:
        assert unit.events.newest() == 0
    submit(store, "a")
    with store.unit() as unit:
        seen = unit.events.newest()
    submit(store, "b")
    assert names(store, after=seen) == ["b"]


def test_a_workspace_hears_of_its_own_jobs_alone(store: Store, submit: Callable[..., str]) -> None:
    with store.unit() as unit:
        for name in ("red", "blue"):
            unit.workspaces.create(name)
    red, blue = store.within("red"), store.within("blue")
    batch = submit(red, "a", paper="one")
    submit(blue, "b", paper="one")
    assert names(red) == names(red, labels=(("paper", "one"),)) == ["a"]
    assert names(blue) == ["b"]
    assert names(blue, batch=batch) == []
    with blue.unit() as unit:
        theirs = unit.events.ids_after(0, WhoseEvents())
        everyones = list(range(1, unit.events.newest() + 1))
        assert [event.id for event in unit.events.of_ids(everyones)] == theirs
