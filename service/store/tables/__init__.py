"""The tables: the record of every job, study, trial, attempt, epoch, point, front, event, ablation, batch and
label, of the workspaces that they belong to and the keys that open these, of the queue, webhooks and reruns.

`seq` keys number rows in the order in which they were inserted, for cursors and event streams; the public
ids are strings. A column repeated from a parent (`trials.job_id`, `points.method`) spares listings a join.
"""

from __future__ import annotations

from collections.abc import Mapping

from service.store.tables.access import Key, SignIn, Workspace
from service.store.tables.base import Base
from service.store.tables.clouds import FrontExtent, PointSummary
from service.store.tables.groups import Ablation, AblationVariant, BatchJob, JobBatch
from service.store.tables.hooks import Delivery, Rerun, Webhook
from service.store.tables.queue import Dispatcher, Incident
from service.store.tables.runs import (
    Attempt,
    Epoch,
    Event,
    FrontMember,
    Job,
    JobLabel,
    Point,
    Study,
    Trial,
)
from service.store.tables.uploads import Upload

__all__ = [
    "PARENTS",
    "Ablation",
    "AblationVariant",
    "Attempt",
    "Base",
    "BatchJob",
    "Delivery",
    "Dispatcher",
    "Epoch",
    "Event",
    "FrontExtent",
    "FrontMember",
    "Incident",
    "Job",
    "JobBatch",
    "JobLabel",
    "Key",
    "Point",
    "PointSummary",
    "Rerun",
    "SignIn",
    "Study",
    "Trial",
    "Upload",
    "Webhook",
    "Workspace",
]

PARENTS: Mapping[str, type[Job | Trial | Ablation | JobBatch | Webhook | Point]] = {
    "job_id": Job,
    "trial_id": Trial,
    "ablation_id": Ablation,
    "batch_id": JobBatch,
    "webhook_id": Webhook,
    "point_id": Point,
}
"""The columns by which a row finds the workspace that it belongs to, and what they refer to."""
