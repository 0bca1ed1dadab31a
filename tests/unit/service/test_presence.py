"""A dispatcher is on the list while it lives, and what it knows of its Ray grows old where that is gone."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

from structlog.testing import capture_logs

from service.presence import Present
from service.queue.reading import read_queue
from service.queue.views import DispatcherView
from service.store import Store
from service.store.queue import Presence

RAY = {"nodes": 1, "cpus": 2.0, "cpus_used": 1.0, "gpus": 0.0, "gpus_used": 0.0}
ME = Presence(id="here-1", host="here", pid=1, lease_seconds=0.3)


def shown(store: Store) -> list[DispatcherView]:
    return read_queue(store, store.within("default"), "default").dispatchers


def test_it_comes_beats_and_goes(api_store: Store) -> None:
    assert shown(api_store) == []
    with Present(api_store, ME, ask=lambda: RAY):
        (first,) = shown(api_store)
        assert (first.alive, first.ray_answers, first.ray.cpus_used) == (True, True, 1.0)
        until = time.monotonic() + 20
        while shown(api_store)[0].seen_at == first.seen_at:
            assert time.monotonic() < until
            time.sleep(0.02)
    assert shown(api_store) == []


def test_a_ray_that_is_gone_does_not_keep_the_dispatcher_from_saying_so(api_store: Store) -> None:
    answers = [RAY]

    def ask() -> Mapping[str, Any]:
        if not answers:
            raise ConnectionError("the GCS is gone")
        return answers.pop()

    with Present(api_store, ME, ask=ask):
        until = time.monotonic() + 20
        while shown(api_store)[0].ray_answers:
            assert time.monotonic() < until
            time.sleep(0.02)
        assert shown(api_store)[0].ray is not None


def test_a_ray_that_stays_away_is_told_of_once(api_store: Store) -> None:
    asked = threading.Semaphore(0)

    def ask() -> Mapping[str, Any]:
        asked.release()
        raise ConnectionError("nobody there")

    with capture_logs() as logs, Present(api_store, ME, ask=ask):
        assert all(asked.acquire(timeout=20) for _ in range(3))
    assert [log["error"] for log in logs if log["event"] == "Ray does not answer"] == ["nobody there"]


def test_it_knows_whether_any_node_runs_trials(api_store: Store) -> None:
    answers: list[Mapping[str, Any]] = []

    def ask() -> Mapping[str, Any]:
        if not answers:
            raise ConnectionError("nobody there")
        return answers.pop()

    present = Present(api_store, ME, ask=ask)
    found = [present.has_nodes()]
    for cpus in (0.0, 2.0, None):
        answers = [] if cpus is None else [RAY | {"cpus": cpus}]
        present.look()
        found.append(present.has_nodes())
    assert found == [False, False, True, True]  # as long as Ray is silent, its last answer holds
