"""Opaque cursors of listings: which listing it is, and the sequence number of the last entry shown.

Listings run from the newest entry down, so entries that arrive later never shift a page.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from typing import TypeVar

from models.errors import InvalidInputError

MAX_PAGE = 1000
MAX_SEQ = 10**18
"""Above every sequence number, and within 64 bits."""
Row = TypeVar("Row")


def encode(listing: str, seq: int) -> str:
    """The cursor of the page after the entry `seq`."""
    return base64.urlsafe_b64encode(f"{listing}:{seq}".encode()).decode().rstrip("=")


def decode(listing: str, cursor: str) -> int:
    """The sequence number in a cursor. Raises InvalidInputError for one that this listing never gave."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, ValueError):  # ValueError: not ASCII, or not UTF-8 once decoded
        text = ""
    kind, _, digits = text.partition(":")
    if kind != listing or re.fullmatch("[0-9]{1,18}", digits) is None:
        raise InvalidInputError(
            "this is not a cursor of this listing.", fix="Use `next_cursor` of the page before."
        )
    return int(digits)


def start(listing: str, cursor: str | None) -> int:
    """Entries of the page lie below this sequence number."""
    return MAX_SEQ if cursor is None else decode(listing, cursor)


def check_limit(limit: int) -> int:
    """The limit, if a page may have that many entries. Raises InvalidInputError otherwise."""
    if not 1 <= limit <= MAX_PAGE:
        raise InvalidInputError(f"limit is {limit}.", fix=f"Use 1 to {MAX_PAGE}.")
    return limit


def split(listing: str, rows: Sequence[tuple[int, Row]], limit: int) -> tuple[list[Row], str | None]:
    """Cut `limit` + 1 rows of (sequence number, row) to a page and the cursor of the next, if any."""
    shown = rows[:limit]
    more = encode(listing, shown[-1][0]) if len(rows) > limit else None
    return [row for _, row in shown], more
