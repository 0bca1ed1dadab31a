"""What the store promises of keys and quotas, on SQLite and PostgreSQL alike."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text, update

from models.errors import InvalidInputError
from service.errors import KeyRefusedError, NotFoundError, QuotaExceededError
from service.jobs import JobRun
from service.keys import ApiKey, KeyView
from service.store import Store
from service.store.engine import open_engine
from service.store.tables import Job, Key, Trial
from service.workspaces import Quotas


def make(store: Store, **changes) -> tuple[KeyView, ApiKey]:
    fields = {"workspace": "default", "name": "", "scope": "submit", "lives": timedelta(days=1), **changes}
    with store.unit() as unit:
        return unit.keys.create(**fields)


def code_of(store: Store, text: str) -> str:
    """Why a key is refused."""
    with store.unit() as unit, pytest.raises(KeyRefusedError) as caught:
        unit.keys.check(text)
    return caught.value.code


def test_a_key_opens_its_workspace_and_its_secret_is_not_stored(store, database_url):
    view, key = make(store)
    with store.unit() as unit:
        assert unit.keys.check(key.text) == view
        assert (view.workspace, view.scope, view.state) == ("default", "submit", "usable")
    engine = open_engine(database_url)
    with engine.connect() as connection:
        row = connection.execute(text("SELECT * FROM keys")).one()
    engine.dispose()
    assert key.secret not in str(row)


@pytest.mark.parametrize(
    "change", [lambda t: t[:-1] + "~", lambda t: t[:-1], str.upper, lambda t: "", lambda t: t * 2]
)
def test_what_is_not_quite_the_key_opens_nothing(store, change):
    _, key = make(store)
    assert code_of(store, change(key.text)) == "invalid_key"


def test_a_key_with_the_secret_of_another_opens_nothing(store):
    (first, _), (_, other) = make(store), make(store)
    assert code_of(store, ApiKey(id=first.id, secret=other.secret).text) == "invalid_key"


def test_keys_expire_by_the_clock_of_the_database_and_are_revoked_for_good(store):
    old, old_key = make(store)
    gone, gone_key = make(store, lives=None)
    with store.unit() as unit:
        past = unit.keys.all()[0].created_at - timedelta(seconds=1)
        unit.keys._transaction.write().execute(update(Key).where(Key.id == old.id).values(expires_at=past))
        assert unit.keys.revoke(gone.id).revoked_at == unit.keys.revoke(gone.id).revoked_at
    assert code_of(store, old_key.text) == "key_expired"
    assert code_of(store, gone_key.text) == "key_revoked"
    with store.unit() as unit:
        assert not unit.keys.any_usable()
        assert unit.keys.any_ever()
        assert not unit.keys.usable(old.id)
        assert {key.state for key in unit.keys.all()} == {"expired", "revoked"}


def test_there_is_no_key_at_first(store):
    with store.unit() as unit:
        assert not unit.keys.any_ever()
        assert not unit.keys.any_usable()


def test_a_key_needs_a_workspace(store):
    with pytest.raises(NotFoundError, match="workspaces create nowhere"):
        make(store, workspace="nowhere")


def test_the_last_use_is_noted_once_an_hour(store):
    view, _ = make(store)
    with store.unit() as unit:
        unit.keys.note_use(view)
        used = unit.keys.all()[0]
        unit.keys.note_use(used)
        assert used.last_used_at is not None
        assert unit.keys.all()[0].last_used_at == used.last_used_at
        later = used.last_used_at - timedelta(hours=1)
        unit.keys.note_use(used.model_copy(update={"last_used_at": later}))
        assert unit.keys.all()[0].last_used_at > used.last_used_at


def test_a_sign_in_ends_with_sign_out_or_with_its_key(store):
    view, _ = make(store)
    with store.unit() as unit:
        (first, lasts), (second, _) = unit.keys.sign_in(view), unit.keys.sign_in(view)
    assert lasts == timedelta(hours=12)
    with store.unit() as unit:
        assert unit.keys.signed_in(first) == unit.keys.signed_in(second) == view
        unit.keys.sign_out(first)
        with pytest.raises(KeyRefusedError):
            unit.keys.signed_in(first)
        assert unit.keys.signed_in(second) == view
        unit.keys.revoke(view.id)
        with pytest.raises(KeyRefusedError):
            unit.keys.signed_in(second)


@pytest.mark.parametrize("name", ["", "Red", "a b", "-a", "a" * 64, "../x", "é"])
def test_names_that_no_workspace_can_have(store, name):
    with store.unit() as unit, pytest.raises(InvalidInputError, match="cannot name"):
        unit.workspaces.create(name)


def test_a_workspace_is_made_once(store):
    with store.unit() as unit:
        unit.workspaces.create("red", Quotas(queued_jobs=3))
        with pytest.raises(InvalidInputError, match="already"):
            unit.workspaces.create("red")
        assert [one.id for one in unit.workspaces.all()] == ["default", "red"]
        assert unit.workspaces.get("red").quotas == Quotas(queued_jobs=3)


class Red:
    """A workspace with quotas."""

    def __init__(self, store: Store, spec, **quotas) -> None:
        with store.unit() as unit:
            unit.workspaces.create("red", Quotas(**quotas))
        self.store = store.within("red")
        self.spec = spec

    def submit(self, trials: int = 6, key: str | None = None) -> str:
        with self.store.unit() as unit:
            return unit.jobs.submit(self.spec, trials_planned=trials, plan={}, idempotency_key=key)[0].id

    def refusal(self, trials: int = 6) -> QuotaExceededError:
        with pytest.raises(QuotaExceededError) as caught:
            self.submit(trials)
        return caught.value

    def used(self) -> dict[str, float]:
        with self.store.unit() as unit:
            return {use.name: use.used for use in unit.quotas.uses()}


def test_a_full_queue_takes_no_job_but_an_earlier_one_again(store, job_spec):
    red = Red(store, job_spec(), queued_jobs=1)
    first = red.submit(key="k")
    refused = red.refusal()
    assert (refused.use.name, refused.use.limit, refused.use.used) == ("queued_jobs", 1, 1)
    assert refused.retry_after == 60
    assert red.submit(key="k") == first
    with store.unit() as unit:  # the queue of another workspace is its own
        unit.jobs.submit(job_spec(), trials_planned=6, plan={}, idempotency_key=None)
    with red.store.unit() as unit:
        unit.jobs.request_cancel(first)
    red.submit()


def test_submitters_at_once_do_not_overfill_a_queue(store, job_spec):
    red = Red(store, job_spec(), queued_jobs=3)

    def submit(_: int) -> bool:
        try:
            red.submit()
        except QuotaExceededError:
            return False
        return True

    with ThreadPoolExecutor(12) as pool:
        assert sum(pool.map(submit, range(12))) == 3


def test_trials_count_for_a_day(store, job_spec):
    red = Red(store, job_spec(), trials_per_day=10)
    job = red.submit(6)
    refused = red.refusal(6)
    assert (refused.use.used, refused.use.limit) == (6, 10)
    assert 86_000 < refused.retry_after <= 86_400
    assert red.refusal(11).retry_after is None  # never fits
    with red.store.unit() as unit:
        made = unit.jobs.get(job).created_at - timedelta(days=1)
        unit.jobs._transaction.write().execute(update(Job).values(created_at=made))
    red.submit(6)


def test_device_hours_and_stored_bytes_count_what_trials_took(store, job_spec, training, tmp_path):
    red = Red(store, job_spec(compute={"trials_per_study": 1, "cpus_per_trial": 2}), device_hours=1)
    job_id = red.submit()
    with store.unit() as unit:
        claim = unit.jobs.claim("test", 60)
    run = JobRun(store, claim, data_folder=tmp_path, checkpoints=tmp_path, plan=training.plan)
    run.prepare()
    request = run.next_trial()
    (tmp_path / request.trial_id).mkdir()
    (tmp_path / request.trial_id / "point-0.safetensors").write_bytes(b"x" * 1000)
    (tmp_path / request.trial_id / "epoch-8.json").write_bytes(b"removed once the result is stored")
    run.started(request.trial_id)
    run.succeeded(request.trial_id, training.good(request))
    with red.store.unit() as unit:
        unit.jobs._transaction.write().execute(update(Trial).values(seconds=0.0))
        unit.jobs._transaction.write().execute(
            update(Trial).where(Trial.id == request.trial_id).values(seconds=1800.0)
        )
    assert red.used() == {"queued_jobs": 0, "trials_per_day": 6, "device_hours": 1.0, "stored_bytes": 1000}
    assert red.refusal().use.name == "device_hours"
    with store.unit() as unit:
        unit.workspaces.set_quotas("red", Quotas(stored_bytes=1000))
    refused = red.refusal()
    assert (refused.use.name, refused.retry_after) == ("stored_bytes", None)
    with store.unit() as unit:
        unit.workspaces.set_quotas("red", Quotas())
    assert red.submit() != job_id
