"""Tells whether another machine sees the same place of checkpoints, by a mark in it.

The trials of a cluster write their checkpoints where the service reads them: to one folder that every node
has mounted at the same path, or to one bucket. A node without it would write to another, and its results
would be lost.
"""

from __future__ import annotations

import secrets

from models.errors import InvalidInputError
from workers.places import Where, place_of

MARK = ".shared-folder"


def mark_of(folder: Where) -> str:
    """What a place is marked with; it is marked at first use. Raises StorageError."""
    place = place_of(folder)
    if MARK not in place.names():
        place.write(MARK, secrets.token_hex(16).encode())
    return place.read(MARK).decode()


def require_mark(folder: Where, mark: str) -> None:
    """Raises InvalidInputError where the folder at this path is not the one that was marked so."""
    place = place_of(folder)
    try:
        found = place.read(MARK).decode(errors="replace")
    except FileNotFoundError:
        found = ""
    if found != mark:
        raise InvalidInputError(
            f"this node of the cluster sees another folder at {place.url} than the service does.",
            fix="Mount the home of the service at the same path on every node, or keep them in a bucket.",
        )
