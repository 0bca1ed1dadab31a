"""PostgreSQL stops and starts again: callers are told, readers come again, and the job goes on by itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from models.errors import BitfrontError
from service.app import create_app
from service.client import BitfrontClient
from service.dispatcher import Dispatcher
from service.presence import Present
from service.serve import bind, server_of
from service.settings import Settings
from service.store import Store
from service.store.queue import Presence
from tests.postgres_server import PostgresServer
from workers.report import TrialRequest

pytestmark = pytest.mark.postgres
PATIENCE_SECONDS = 60
RAY = {"nodes": 1, "cpus": 2.0, "cpus_used": 0.0, "gpus": 0.0, "gpus_used": 0.0}


@contextmanager
def serving(settings: Settings, store: Store) -> Iterator[str]:
    """A server on a free port."""
    app = create_app(settings, store)
    with bind(settings.model_copy(update={"port": 0})) as listener:
        server = server_of(settings, app, app.state.context.stopping)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        app.state.context.stopping.set()
        server.should_exit = True
        thread.join()


def patiently(training: Any, go_on: threading.Event) -> Any:
    """An engine that trains one trial at once and the others when told; what fails is taken up again."""

    def run(feed: Any, spec: Any) -> None:
        while not feed.cancelled() and isinstance(request := feed.next_trial(), TrialRequest):
            feed.started(request.trial_id)
            feed.succeeded(request.trial_id, training.good(request))
            while not go_on.wait(0.2) and not feed.cancelled():
                pass

    return run


def until(condition: Any) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_database_that_stops_and_starts_again_loses_nothing(
    tmp_path: Path, postgres_server: PostgresServer, training: Any, job_spec: Any
) -> None:
    settings = Settings(home=tmp_path, database_url=postgres_server.new_database(), lease_seconds=1.0)
    store = Store.open(settings.database)
    store.migrate()
    stop, go_on = threading.Event(), threading.Event()
    work = Dispatcher(settings, store, run=patiently(training, go_on), stop=stop, plan=training.plan).work
    me = Presence(id="here", host="here", pid=1, lease_seconds=1.0)
    with store.unit() as unit:
        job_id = unit.jobs.submit(job_spec(), trials_planned=6, plan={}, idempotency_key=None)[0].id
    with serving(settings, store) as url, Present(store, me, ask=lambda: RAY), BitfrontClient(url) as client:
        dispatcher = threading.Thread(target=work, daemon=True)
        dispatcher.start()
        until(lambda: client.job(job_id).trials_finished >= 1)
        seen: list[str] = []
        reader = threading.Thread(target=lambda: seen.extend(event.kind for event in client.events(job_id)))
        reader.start()
        with BitfrontClient(url) as other, other._http.stream("GET", f"/v1/jobs/{job_id}/events") as stream:
            lines = stream.iter_lines()
            next(lines)
            postgres_server.stop()
            tail = list(lines)  # the stream ends by itself
        assert "retry: 3000" in tail[-5:]
        answer = client._http.get("/v1/jobs")
        assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
        assert answer.headers["Retry-After"] == "3"
        page = client._http.get("/jobs", headers={"Accept": "text/html"})
        assert (page.status_code, "database cannot be reached" in page.text) == (503, True)
        assert client._http.get("/livez").status_code == 200
        with pytest.raises(BitfrontError, match="database"):
            client.ready()
        time.sleep(2 * settings.lease_seconds)  # the lease runs out meanwhile
        assert dispatcher.is_alive()
        go_on.set()
        postgres_server.start()
        until(lambda: client.job(job_id).state == "succeeded")
        reader.join(PATIENCE_SECONDS)
        assert not reader.is_alive()
        assert client.ready()["status"] == "ready"
        assert [one.id for one in client.queue().dispatchers if one.alive] == ["here"]
        stop.set()
        dispatcher.join(PATIENCE_SECONDS)
    assert seen.count("trial_finished") == 6  # each once, though the stream broke
    store.close()
