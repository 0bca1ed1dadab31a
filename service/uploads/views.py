"""An upload as data."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from service.views import View

UploadKind = Literal["dataset", "weights"]
PREFIX = "upload-"
ENDINGS: dict[UploadKind, str] = {"dataset": ".npz", "weights": ".safetensors"}


class UploadView(View):
    """A file that a job may name by `id`: as `dataset.name`, or weights as `training.warm_start`.

    `facts` has what its headers say: of a data set its sample shape, classes and training images, of weights
    how many tensors and values there are.
    """

    id: str  # upload- and the first 16 digits of its SHA-256
    kind: UploadKind
    name: str  # what its user calls it; changes nothing
    sha256: str
    bytes: int
    facts: dict[str, Any]
    created_at: datetime
