"""The ids in paths: what cannot be an id is answered like one that is not there, without asking the store."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Depends, Path

from service.errors import NotFoundError


def _checked(kind: str, value: str) -> str:
    if re.fullmatch(rf"{kind}-[a-z0-9]{{16}}", value) is None:
        raise NotFoundError(f"there is no {kind} {value[:80]!r}.", fix=f"Ids begin with '{kind}-'.")
    return value


def checked_job_id(value: str) -> str:
    """A text, if it can be the id of a job. Raises NotFoundError."""
    return _checked("job", value)


def _job_id(job_id: Annotated[str, Path()]) -> str:
    return _checked("job", job_id)


def _trial_id(trial_id: Annotated[str, Path()]) -> str:
    return _checked("trial", trial_id)


def _point_id(point_id: Annotated[str, Path()]) -> str:
    return _checked("point", point_id)


def _other_id(other_id: Annotated[str, Path(description="Another point.")]) -> str:
    return _checked("point", other_id)


def _batch_id(batch_id: Annotated[str, Path()]) -> str:
    return _checked("batch", batch_id)


def _ablation_id(ablation_id: Annotated[str, Path()]) -> str:
    return _checked("ablation", ablation_id)


def _webhook_id(webhook_id: Annotated[str, Path()]) -> str:
    return _checked("webhook", webhook_id)


def _upload_id(upload_id: Annotated[str, Path()]) -> str:
    return _checked("upload", upload_id)


def _rerun_id(rerun_id: Annotated[str, Path()]) -> str:
    return _checked("rerun", rerun_id)


def _key_id(key_id: Annotated[str, Path()]) -> str:
    if re.fullmatch("[0-9a-f]{12}", key_id) is None:
        raise NotFoundError("there is no such key.", fix="Give the 12 digits behind bf_, not the secret.")
    return key_id


JobId = Annotated[str, Depends(_job_id)]
TrialId = Annotated[str, Depends(_trial_id)]
PointId = Annotated[str, Depends(_point_id)]
OtherPointId = Annotated[str, Depends(_other_id)]
BatchId = Annotated[str, Depends(_batch_id)]
AblationId = Annotated[str, Depends(_ablation_id)]
WebhookId = Annotated[str, Depends(_webhook_id)]
UploadId = Annotated[str, Depends(_upload_id)]
RerunId = Annotated[str, Depends(_rerun_id)]
KeyId = Annotated[str, Depends(_key_id)]
