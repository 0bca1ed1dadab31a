"""The page of a batch in a real browser: jobs that end while it is open, a phone, no script."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from service.batches.spec import BatchSpec
from service.store.jobs import NewJob

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]
Keep = Callable[[Page, str], None]


@pytest.fixture
def batch(site: Any, job_spec: Any) -> str:
    """The id of a batch of three jobs that wait."""
    spec = BatchSpec(name="sweep", jobs=[{"seeds": [seed]} for seed in range(3)])
    jobs = [
        (
            NewJob(
                spec=job_spec(name=f"sweep.{seed}", seeds=[seed]),
                trials_planned=6,
                plan={},
                labels={"a": "b"},
            ),
            {"/seeds": [seed]},
        )
        for seed in range(3)
    ]
    with site.store.unit() as unit:
        return str(unit.batches.submit(spec, "sweep", jobs, idempotency_key=None)[0].id)


def test_jobs_that_end_are_shown_without_a_reload(
    open_page: OpenPage, site: Any, batch: str, keep: Keep
) -> None:
    page = open_page(f"/batches/{batch}", width=1280)
    expect(page.locator("#headline .state")).to_have_text("queued")
    expect(page.locator("#jobs tbody tr")).to_have_count(3)
    with site.store.unit() as unit:
        first = unit.batches.job_ids(batch)[0]
        unit.jobs.request_cancel(first)
    expect(page.locator("#jobs tbody tr").first.locator(".state")).to_have_text("cancelled")
    expect(page.locator("#headline .state")).to_have_text("running")
    keep(page, "batch")
    with site.store.unit() as unit:
        unit.batches.cancel(batch)
    expect(page.locator("#headline .state")).to_have_text("cancelled")
    page.locator("#jobs").get_by_role("link", name="sweep.0").click()
    page.get_by_role("link", name=f"batch {batch}").click()
    expect(page.locator("#jobs tbody tr")).to_have_count(3)


def test_it_fits_a_phone_and_needs_no_script(open_page: OpenPage, batch: str) -> None:
    page = open_page(f"/batches/{batch}", width=390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    plain = open_page(f"/batches/{batch}", script=False)
    expect(plain.locator("#jobs tbody tr")).to_have_count(3)
    expect(plain.get_by_text("/seeds").first).to_be_visible()
