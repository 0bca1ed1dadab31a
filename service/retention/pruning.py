"""Removes what the rule does not keep, trial by trial, each under a lock of its own.

While a trial is locked no job can take its points over, so nothing that is removed can turn out to be needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from service.retention.rule import Rule
from service.store import Store
from service.store.retention import Ended
from workers.places import Place


class Pruned(BaseModel):
    """What was removed, or would be."""

    model_config = ConfigDict(frozen=True)

    dry_run: bool
    trials: int
    files: int
    removed_bytes: int
    left_bytes: int  # of all ended trials


def prune(store: Store, place: Place, rule: Rule, *, dry_run: bool = False) -> Pruned:
    """Remove the checkpoints that the rule does not keep. Raises StorageError, having removed some."""
    with store.unit() as unit:
        ended, now = unit.retention.ended(), unit.retention.now()
    total = sum(trial.stored_bytes for trial in ended)
    trials = files = removed = 0
    for trial in _due(ended, rule, now):
        over = rule.most_bytes is not None and total - removed > rule.most_bytes
        if not (over or _is_old(trial, rule, now)):
            continue
        gone = _prune_trial(store, place.child(trial.trial_id), trial.trial_id, rule, dry_run=dry_run)
        trials, files, removed = trials + bool(gone), files + len(gone), removed + sum(gone.values())
    return Pruned(
        dry_run=dry_run, trials=trials, files=files, removed_bytes=removed, left_bytes=max(total - removed, 0)
    )


def _due(ended: Sequence[Ended], rule: Rule, now: datetime) -> Iterator[Ended]:
    """Those that ended first, first; once they are young and there is no limit of bytes, none."""
    for trial in ended:
        if rule.most_bytes is None and not _is_old(trial, rule, now):
            return
        yield trial


def _is_old(trial: Ended, rule: Rule, now: datetime) -> bool:
    return rule.age is not None and now - trial.finished_at >= rule.age


def _prune_trial(store: Store, folder: Place, trial_id: str, rule: Rule, *, dry_run: bool) -> dict[str, int]:
    """The files of a trial that were removed, or would be, and their bytes."""
    with store.unit() as unit:
        if not unit.retention.has_spare(trial_id, rule.age) or not unit.retention.hold(trial_id):
            return {}
        needed, sizes = unit.retention.needed(trial_id, rule.age), folder.sizes()
        gone = {name: size for name, size in sizes.items() if name not in needed}
        if not dry_run:
            for name in gone:
                folder.remove(name)
            unit.retention.left(trial_id, sum(sizes.values()) - sum(gone.values()))
        return gone
