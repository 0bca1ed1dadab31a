"""What the page of the queue shows."""

from __future__ import annotations

from typing import Any

from models.errors import StorageError
from service.queue.reading import read_queue
from service.store import Store
from service.web.formats import iso


def queue_context(everything: Store, own: Store, workspace: str, room: StorageError | None) -> dict[str, Any]:
    """The context of `queue.html`."""
    found = read_queue(everything, own, workspace, room)
    return {
        "queue": found,
        "names": {job.id: job.name for job in found.running},
        # Without figures the script only keeps the tables up to date.
        "setup": {"page": "figures", "figures": [], "read_at": iso(found.read_at), "ended": False},
    }
