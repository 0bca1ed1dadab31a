"""A service with two workspaces, and a key of each scope for both."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from service.keys import ApiKey, Scope
from service.settings import Settings
from service.store import Store

MakeKey = Callable[..., ApiKey]
CallAs = Callable[[str | None], TestClient]


@pytest.fixture
def make_key(api_store: Store) -> MakeKey:
    """Makes a key of a workspace, which is made with its first."""

    def make(
        workspace: str = "red", scope: Scope = "submit", lives: timedelta | None = timedelta(days=1)
    ) -> ApiKey:
        with api_store.unit() as unit:
            if workspace not in {one.id for one in unit.workspaces.all()}:
                unit.workspaces.create(workspace)
            return unit.keys.create(workspace=workspace, name="test", scope=scope, lives=lives)[1]

    return make


@pytest.fixture
def call_as(app: FastAPI, settings: Settings) -> CallAs:
    """Calls the application with a key's text, or with none."""

    def client(key: str | None) -> TestClient:
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        return TestClient(
            app, base_url=settings.url, headers=headers, raise_server_exceptions=False, follow_redirects=False
        )

    return client


@pytest.fixture
def api(make_key: MakeKey, call_as: CallAs) -> TestClient:
    """Red's: what other fixtures submit is red's."""
    return call_as(make_key("red").text)


@pytest.fixture
def blue(make_key: MakeKey, call_as: CallAs) -> TestClient:
    """Blue's, with every right."""
    return call_as(make_key("blue", "admin").text)
