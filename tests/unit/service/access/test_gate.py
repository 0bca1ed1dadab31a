"""Who is let in: open or closed, scopes, keys that have ended, rates, streams, hosts and addresses."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import update

from models.errors import InvalidInputError
from service.api.access import needed_scope
from service.app import create_app
from service.client import ApiError, BitfrontClient
from service.keys import ApiKey
from service.serve import serve
from service.settings import Settings
from service.store import Store
from service.store.tables import Key

MakeKey = Callable[..., ApiKey]
CallAs = Callable[[str | None], TestClient]


def expire(store: Store, key: ApiKey) -> None:
    """Let a key's time be over."""
    with store.unit() as unit:
        made = next(one.created_at for one in unit.keys.all() if one.id == key.id)
        session = unit.keys._transaction.write()
        session.execute(update(Key).where(Key.id == key.id).values(expires_at=made - timedelta(seconds=1)))


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


class TestOpen:
    def test_without_keys_loopback_is_open_and_belongs_to_the_default_workspace(
        self, call_as: CallAs, spec: dict[str, Any]
    ) -> None:
        one = call_as(None)
        assert one.post("/v1/jobs", json=spec).status_code == 202
        use = one.get("/v1/workspace").json()
        assert (use["id"], use["scope"], use["key_id"]) == ("default", "admin", None)
        assert one.get("/metrics").status_code == 200

    def test_the_first_key_closes_it_while_it_runs_and_its_end_does_not_open_it(
        self, call_as: CallAs, make_key: MakeKey, api_store: Store, app: FastAPI, settings: Settings
    ) -> None:
        nobody = call_as(None)
        assert nobody.get("/v1/jobs").status_code == 200
        key = make_key("default")
        assert code_of(nobody.get("/v1/jobs")) == (401, "unauthenticated")
        expire(api_store, key)
        again = create_app(settings, api_store, offered=app.state.context.catalogue)
        for one in (nobody, TestClient(again, base_url=settings.url)):
            assert code_of(one.get("/v1/jobs")) == (401, "unauthenticated")

    def test_a_setting_keeps_loopback_open_beside_keys_but_a_wrong_key_is_wrong(
        self, settings: Settings, api_store: Store, app: FastAPI, make_key: MakeKey
    ) -> None:
        key = make_key("red")
        changed = settings.model_copy(update={"keys_on_loopback": False})
        again = create_app(changed, api_store, offered=app.state.context.catalogue)

        def workspace(headers: dict[str, str]) -> Any:
            return TestClient(again, base_url=settings.url, headers=headers).get("/v1/workspace")

        assert workspace({}).json()["id"] == "default"
        assert workspace({"Authorization": f"Bearer {key.text}"}).json()["id"] == "red"
        assert workspace({"Authorization": f"Bearer {key.text[:-1]}"}).status_code == 401

    def test_beyond_loopback_nothing_is_open_whatever_the_settings_say(
        self, settings: Settings, api_store: Store, app: FastAPI
    ) -> None:
        wide = settings.model_copy(update={"host": "0.0.0.0", "keys_on_loopback": False})  # noqa: S104 - it must stay closed
        again = TestClient(create_app(wide, api_store, offered=app.state.context.catalogue))
        assert code_of(again.get("/v1/jobs")) == (401, "unauthenticated")
        assert again.get("/livez").status_code == 200


class TestServe:
    @pytest.mark.parametrize("ended", [None, "expired", "revoked"])
    def test_it_listens_nowhere_else_without_a_usable_key(
        self, settings: Settings, api_store: Store, make_key: MakeKey, ended: str | None, monkeypatch: Any
    ) -> None:
        monkeypatch.setattr("service.serve._end_on_signals", lambda: None)
        monkeypatch.setattr("service.serve.bind", lambda _: pytest.fail("it was about to listen"))
        if ended:
            key = make_key()
            expire(api_store, key)
            if ended == "revoked":
                with api_store.unit() as unit:
                    unit.keys.revoke(key.id)
        with pytest.raises(InvalidInputError, match="no usable key") as caught:
            serve(settings.model_copy(update={"host": "0.0.0.0"}), with_dispatcher=False)  # noqa: S104 - refused
        assert "bitfront keys create" in caught.value.fix

    def test_it_listens_with_one(self, settings: Settings, make_key: MakeKey, monkeypatch: Any) -> None:
        make_key()
        monkeypatch.setattr("service.serve._end_on_signals", lambda: None)

        def bind(_: Settings) -> None:
            raise InterruptedError

        monkeypatch.setattr("service.serve.bind", bind)
        with pytest.raises(InterruptedError):
            serve(settings.model_copy(update={"host": "0.0.0.0"}), with_dispatcher=False)  # noqa: S104 - never bound


class TestKeys:
    def test_keys_that_open_nothing(self, call_as: CallAs, make_key: MakeKey, api_store: Store) -> None:
        good, old, gone = make_key(), make_key(), make_key()
        expire(api_store, old)
        with api_store.unit() as unit:
            unit.keys.revoke(gone.id)
        wrong = ApiKey(id=good.id, secret=old.secret)
        cases = [(old, "key_expired"), (gone, "key_revoked"), (wrong, "invalid_key")]
        for key, code in cases:
            answer = call_as(key.text).get("/v1/jobs")
            assert code_of(answer) == (401, code)
            assert answer.headers["WWW-Authenticate"] == 'Bearer realm="bitfront", error="invalid_token"'
            assert key.secret not in answer.text
        assert call_as(good.text).get("/v1/jobs").status_code == 200

    @pytest.mark.parametrize(
        "sent", ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer bf_x", "bearer é".encode()]
    )
    def test_what_is_no_key(self, call_as: CallAs, make_key: MakeKey, sent: str | bytes) -> None:
        make_key()
        assert call_as(None).get("/v1/jobs", headers={"Authorization": sent}).status_code == 401

    def test_a_key_in_the_query_or_the_body_opens_nothing(self, call_as: CallAs, make_key: MakeKey) -> None:
        key = make_key()
        nobody = call_as(None)
        assert nobody.get("/v1/jobs", params={"key": key.text, "access_token": key.text}).status_code == 401
        assert nobody.post("/v1/jobs", json={"key": key.text}).status_code == 401

    def test_scopes(self, call_as: CallAs, make_key: MakeKey, spec: dict[str, Any]) -> None:
        read, submit, admin = (call_as(make_key("red", scope).text) for scope in ("read", "submit", "admin"))
        assert code_of(read.post("/v1/jobs", json=spec)) == (403, "missing_scope")
        job_id = submit.post("/v1/jobs", json=spec).json()["id"]
        assert read.get(f"/v1/jobs/{job_id}").status_code == 200
        assert code_of(read.post(f"/v1/jobs/{job_id}/cancel")) == (403, "missing_scope")
        assert admin.post(f"/v1/jobs/{job_id}/cancel").status_code == 200
        assert [one.get("/metrics").status_code for one in (read, submit, admin)] == [403, 403, 200]

    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "BREW"])
    def test_whatever_may_change_something_takes_more_than_reading(self, method: str) -> None:
        assert needed_scope(method, "/v1/jobs") == "submit"

    def test_the_last_use_is_noted(self, call_as: CallAs, make_key: MakeKey, api_store: Store) -> None:
        call_as(make_key().text).get("/v1/jobs")
        with api_store.unit() as unit:
            assert unit.keys.all()[0].last_used_at is not None


class TestRates:
    @pytest.fixture
    def limited(
        self, settings: Settings, api_store: Store, app: FastAPI
    ) -> Callable[[str | None], TestClient]:
        few = settings.model_copy(update={"rate_limit": "3/day", "failed_key_limit": "2/day"})
        one = create_app(few, api_store, offered=app.state.context.catalogue)
        return lambda key: TestClient(
            one, base_url=settings.url, headers={"Authorization": f"Bearer {key}"} if key else {}
        )

    def test_a_key_that_calls_too_often_is_told_when_to_come_back(
        self, limited: CallAs, make_key: MakeKey
    ) -> None:
        first, second = make_key(), make_key()
        answers = [limited(first.text).get("/v1/jobs") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert answers[-1].json()["code"] == "rate_limited"
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 86_400
        assert limited(second.text).get("/v1/jobs").status_code == 200

    def test_an_address_that_guesses_is_told_to_wait_and_a_right_key_still_comes_in(
        self, limited: CallAs, make_key: MakeKey
    ) -> None:
        good = make_key()
        wrong = ApiKey(id=good.id, secret="x" * 43)
        answers = [limited(wrong.text).get("/v1/jobs") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [401, 401, 429]
        assert answers[-1].json()["code"] == "too_many_failures"
        assert int(answers[-1].headers["Retry-After"]) >= 1
        form = limited(None).post(
            "/sign-in", data={"key": wrong.text}, headers={"Origin": "http://127.0.0.1:8765"}
        )
        assert form.status_code == 429
        assert limited(good.text).get("/v1/jobs").status_code == 200


class TestStreams:
    def test_a_revoked_key_ends_its_stream(
        self, url: str, make_key: MakeKey, api_store: Store, spec: dict[str, Any]
    ) -> None:
        key = make_key()
        with BitfrontClient(url, key=key.text) as client:
            events = client.events(client.submit(spec).id)
            assert next(events).kind == "job_state"
            with api_store.unit() as unit:
                unit.keys.revoke(key.id)
            with pytest.raises(ApiError) as caught:  # the stream ends, and the client asks again
                list(events)
        assert (caught.value.status, caught.value.code) == (401, "key_revoked")

    def test_a_stream_goes_on_while_its_key_is_good(
        self, url: str, make_key: MakeKey, spec: dict[str, Any]
    ) -> None:
        with BitfrontClient(url, key=make_key().text) as client:
            job_id = client.submit(spec).id
            events = client.events(job_id)
            next(events)
            timer = threading.Timer(1.2, client.cancel, [job_id])
            timer.start()
            assert next(events).data["state"] == "cancelled"
            timer.join()


class TestHosts:
    def test_a_public_address_is_let_in_with_its_pages_and_no_other(
        self, settings: Settings, api_store: Store, app: FastAPI, make_key: MakeKey, spec: dict[str, Any]
    ) -> None:
        public = settings.model_copy(update={"public_url": "https://bits.example.org"})
        one = TestClient(
            create_app(public, api_store, offered=app.state.context.catalogue),
            base_url=settings.url,
            headers={"Authorization": f"Bearer {make_key().text}", "Host": "bits.example.org"},
        )
        assert (
            one.post("/v1/jobs", json=spec, headers={"Origin": "https://bits.example.org"}).status_code == 202
        )
        for headers, code in (
            ({"Host": "evil.example"}, "foreign_host"),
            ({"Host": ""}, "foreign_host"),
            ({"Origin": "https://evil.example"}, "foreign_origin"),
        ):
            assert code_of(one.post("/v1/jobs", json=spec, headers=headers)) == (403, code)

    @pytest.mark.parametrize(
        "url", ["bits.example.org", "https://a/b", "ftp://a", "https://u@a", "https://a?b"]
    )
    def test_a_public_address_has_no_path_and_no_user(self, url: str) -> None:
        with pytest.raises(ValueError, match="without a path"):
            Settings(public_url=url)
