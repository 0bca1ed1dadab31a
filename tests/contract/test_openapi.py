"""The OpenAPI document says what the service answers, for calls made up from it, on either database.

`pytest tests/contract/test_openapi.py --api-examples 100` makes up more.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from service.api.context import Catalogue
from service.app import create_app
from service.hooks.views import WebhookSpec
from service.jobs import JobRun
from service.settings import Settings
from service.store import Store
from service.views import NamedView

CHECKS = (
    not_a_server_error,
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)


@pytest.fixture
def app(store: Store, training: Any, tmp_path: Path) -> FastAPI:
    """The application, with made-up plans."""
    one = [NamedView(name="one", summary="the only one", details={})]
    offered = Catalogue(
        plan=training.plan, architectures=lambda: one, datasets=lambda _: one, methods=lambda: one
    )
    home = tmp_path / "home"
    (home / "checkpoints").mkdir(parents=True)
    settings_ = Settings(
        home=home, database_url=None, public_url="http://testserver"
    )  # as clients in tests call it
    return create_app(settings_, store, offered=offered)


@pytest.fixture
def ids(store: Store, job_spec: Callable[..., Any], training: Any, tmp_path: Path) -> dict[str, str]:
    """Ids of things that are there, for calls that would find nothing otherwise."""
    default = store.within("default")
    with default.unit() as unit:
        job = unit.jobs.submit(job_spec(), trials_planned=6, plan={}, idempotency_key=None)[0].id
    with store.unit() as unit:
        claim = unit.jobs.claim("test", 60)
    run = JobRun(store, claim, data_folder=tmp_path, plan=training.plan)
    run.prepare()
    while not isinstance(request := run.next_trial(), str):
        run.started(request.trial_id)
        run.succeeded(request.trial_id, training.good(request))
    run.finish()
    with default.unit() as unit:
        point = unit.points.page(job, limit=1, cursor=None).items[0]
        hook = unit.webhooks.create(WebhookSpec(url="https://a.org"), sealed_secret="")
        rerun = unit.reruns.submit(point.id)[0]
    trial = point.trial_id
    return {
        "job_id": job, "point_id": point.id, "trial_id": trial, "webhook_id": hook.id, "rerun_id": rerun.id
    }  # fmt: skip


def test_made_up_calls_are_answered_as_the_document_says(
    app: FastAPI, ids: dict[str, str], request: pytest.FixtureRequest
) -> None:
    schema = schemathesis.openapi.from_asgi("/v1/openapi.json", app)
    made = settings(
        max_examples=request.config.getoption("api_examples"),
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) >= 45
    for operation in operations:

        @made
        @given(case=operation.as_strategy(), there=st.booleans())
        def call(case: Any, there: bool) -> None:
            if there and case.path_parameters:
                known = {name: value for name, value in ids.items() if name in case.path_parameters}
                case.path_parameters = {**case.path_parameters, **known}
            (case.query or {}).pop("wait", None)  # it would be waited for
            case.call_and_validate(checks=list(CHECKS))

        call()
