"""Runs a claimed rerun to its end, or gives it back where the dispatcher stops."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from sqlalchemy.exc import OperationalError

from models.errors import CheckpointDamagedError, ClusterUnavailableError, StorageError
from search.job import JobSpec
from service.errors import StaleLeaseError
from service.reruns.feed import RerunFeed, forget_folder, put_back
from service.store import Store
from service.store.reruns import RerunClaim
from workers.feed import TrialFeed
from workers.places import Place, is_full

Runner = Callable[[TrialFeed, JobSpec], None]


def run_rerun(
    store: Store,
    claim: RerunClaim,
    *,
    run: Runner,
    checkpoints: Place,
    stop: Callable[[], bool],
    lost: Callable[[], bool],
) -> bool:
    """Train the point again and store what came out; an error in it ends the rerun, never the dispatcher.

    `stop` says that the dispatcher stops, `lost` that its lease is over. Whether there was room to store it
    and a node to train it.
    """
    log = structlog.get_logger("bitfront.reruns").bind(rerun=claim.rerun_id)
    stored = True

    def halt() -> bool:
        return stop() or lost()

    try:
        feed = _trained(store, claim, run, halt, orderly=lambda: not lost())
        if feed.result is not None and feed.result["same_weights"]:
            _put_back(store, claim, checkpoints)
        _end(store, claim, feed, halt)
        if feed.result is not None or feed.error is not None:
            forget_folder(checkpoints, claim)
        stored = not feed.without_room
    except StaleLeaseError:
        log.warning("another dispatcher has taken the rerun over")
    except StorageError as error:
        log.warning("what the rerun left cannot be removed", error=str(error))
    except OperationalError as error:
        log.warning("the database failed; the rerun will be claimed again", error=str(error))
    return stored


def _trained(
    store: Store, claim: RerunClaim, run: Runner, halt: Callable[[], bool], *, orderly: Callable[[], bool]
) -> RerunFeed:
    with store.unit() as unit:
        point = unit.points.get(claim.point_id)
    feed = RerunFeed(store, claim, point, halt=halt, orderly=orderly)
    try:
        run(feed, JobSpec.model_validate(point.spec))
    except OperationalError:
        raise
    except Exception as error:
        if is_full(error) or isinstance(error, ClusterUnavailableError):
            feed.without_room = True
            return feed
        structlog.get_logger("bitfront.reruns").exception("the rerun failed", rerun=claim.rerun_id)
        feed.error = f"{type(error).__name__}: {error}"
    return feed


def _put_back(store: Store, claim: RerunClaim, checkpoints: Place) -> None:
    """Pruned checkpoints come back this way; without the weights at hand the comparison still counts."""
    log = structlog.get_logger("bitfront.reruns").bind(rerun=claim.rerun_id)
    with store.unit() as unit:
        point, home = unit.points.get(claim.point_id), unit.points.checkpoint(claim.point_id)
    try:
        if put_back(checkpoints, claim, point, home):
            with store.unit() as unit:
                unit.retention.left(home[0], sum(checkpoints.child(home[0]).sizes().values()))
            log.info("the checkpoint is there again", point=claim.point_id)
    except (CheckpointDamagedError, StorageError) as error:
        log.warning("the checkpoint could not be put back", error=str(error))


def _end(store: Store, claim: RerunClaim, feed: RerunFeed, halt: Callable[[], bool]) -> None:
    with store.unit() as unit:
        if feed.result is not None:
            unit.reruns.finish(claim, feed.result)
        elif halt() or feed.without_room:
            unit.reruns.release(claim)
        else:
            unit.reruns.fail(claim, feed.error or "The training stopped before its end.")
