"""Tells whether another machine sees the same folder, by a mark in it.

The trials of a cluster write their checkpoints where the service reads them: to one folder that every node
has mounted at the same path. A node without it would write to one of its own, and its results would be lost.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from models.errors import InvalidInputError
from workers.checkpoints import write_atomically

MARK = ".shared-folder"


def mark_of(folder: Path) -> str:
    """What a folder is marked with; it is marked at first use."""
    path = folder / MARK
    if not path.exists():
        write_atomically(path, secrets.token_hex(16).encode())
    return path.read_text()


def require_mark(folder: Path, mark: str) -> None:
    """Raises InvalidInputError where the folder at this path is not the one that was marked so."""
    path = folder / MARK
    if not path.is_file() or path.read_text() != mark:
        raise InvalidInputError(
            f"this node of the cluster sees another folder at {folder} than the service does.",
            fix="Mount the home of the service at the same path on every node.",
        )
