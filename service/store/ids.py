"""Public ids: a kind and 16 hexadecimal digits.

The ids of jobs, ablations, batches, webhooks, deliveries and reruns are random. The ids of a job's studies,
trials and points follow from it, so that a search that is interrupted and resumed gives every trial the id,
and so the folder, that it would have had anyway.
"""

from __future__ import annotations

import hashlib
import secrets

DIGITS = 16


def new_job_id() -> str:
    """A fresh random id."""
    return f"job-{secrets.token_hex(DIGITS // 2)}"


def new_ablation_id() -> str:
    """A fresh random id."""
    return f"ablation-{secrets.token_hex(DIGITS // 2)}"


def new_batch_id() -> str:
    """A fresh random id."""
    return f"batch-{secrets.token_hex(DIGITS // 2)}"


def new_webhook_id() -> str:
    """A fresh random id."""
    return f"webhook-{secrets.token_hex(DIGITS // 2)}"


def new_delivery_id() -> str:
    """A fresh random id, which the receiver sees as `webhook-id`."""
    return f"delivery-{secrets.token_hex(DIGITS // 2)}"


def new_rerun_id() -> str:
    """A fresh random id."""
    return f"rerun-{secrets.token_hex(DIGITS // 2)}"


def study_id(job_id: str, method: str, seed: int) -> str:
    """The id of a (method, seed) of a job."""
    return _derived("study", job_id, method, seed)


def trial_id(study: str, number: int) -> str:
    """The id of the trial with this number within its study."""
    return _derived("trial", study, number)


def point_id(trial: str, ordinal: int) -> str:
    """The id of the point with this ordinal within its trial."""
    return _derived("point", trial, ordinal)


def _derived(kind: str, *parts: str | int) -> str:
    text = "/".join(str(part) for part in (kind, *parts))
    return f"{kind}-{hashlib.sha256(text.encode()).hexdigest()[:DIGITS]}"
