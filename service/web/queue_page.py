"""What the page of the queue shows."""

from __future__ import annotations

from typing import Any

from models.errors import StorageError
from service.queue.reading import read_queue
from service.store import Store
from service.web.live import Follow

EVERY_SECONDS = 5
"""No event tells of dispatchers and leases."""


def queue_context(everything: Store, own: Store, workspace: str, room: StorageError | None) -> dict[str, Any]:
    """The context of `queue.html`."""
    found = read_queue(everything, own, workspace, room)
    return {
        "queue": found,
        "names": {job.id: job.name for job in found.running},
        "follow": Follow(every=EVERY_SECONDS),
    }
