"""Runs a claimed rerun to its end, or gives it back where the dispatcher stops."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.exc import OperationalError

from search.job import JobSpec
from service.errors import StaleLeaseError
from service.reruns.feed import RerunFeed, forget_folder
from service.store import Store
from service.store.reruns import RerunClaim
from workers.places import Place

if TYPE_CHECKING:  # importing it imports Ray, whose environment is set first
    from workers.tune import TrialFeed

Runner = Callable[["TrialFeed", JobSpec], None]


def run_rerun(
    store: Store, claim: RerunClaim, *, run: Runner, checkpoints: Place, halt: Callable[[], bool]
) -> None:
    """Train the point again and store what came out; an error in it ends the rerun, never the dispatcher."""
    log = structlog.get_logger("bitfront.reruns").bind(rerun=claim.rerun_id)
    try:
        feed = _trained(store, claim, run, halt)
        _end(store, claim, feed, halt)
        if feed.result is not None or feed.error is not None:
            forget_folder(checkpoints, claim)
    except StaleLeaseError:
        log.warning("another dispatcher has taken the rerun over")
    except OperationalError as error:
        log.warning("the database failed; the rerun will be claimed again", error=str(error))


def _trained(store: Store, claim: RerunClaim, run: Runner, halt: Callable[[], bool]) -> RerunFeed:
    with store.unit() as unit:
        point = unit.points.get(claim.point_id)
    feed = RerunFeed(store, claim, point, halt=halt)
    try:
        run(feed, JobSpec.model_validate(point.spec))
    except OperationalError:
        raise
    except Exception as error:
        structlog.get_logger("bitfront.reruns").exception("the rerun failed", rerun=claim.rerun_id)
        feed.error = f"{type(error).__name__}: {error}"
    return feed


def _end(store: Store, claim: RerunClaim, feed: RerunFeed, halt: Callable[[], bool]) -> None:
    with store.unit() as unit:
        if feed.result is not None:
            unit.reruns.finish(claim, feed.result)
        elif halt():
            unit.reruns.release(claim)
        else:
            unit.reruns.fail(claim, feed.error or "The training stopped before its end.")
