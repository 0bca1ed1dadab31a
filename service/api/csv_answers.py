"""Answers as CSV: when a request asks for one, and whole listings, sent page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TypeVar

from fastapi import Request
from pydantic import BaseModel
from starlette.responses import Response, StreamingResponse

from service.api.queries import PageQuery
from service.csv_text import csv_lines, csv_text
from service.views import Page

MEDIA_TYPE = "text/csv; charset=utf-8"
ROWS_PER_READ = 500
Row = TypeVar("Row", bound=BaseModel)
Columns = Mapping[str, Callable[[Row], object]]
"""By name, what a cell of the column holds."""
Read = Callable[[int, str | None], Page[Row]]
"""The page of a limit and a cursor."""


def wants_csv(asked: str | None, request: Request) -> bool:
    """Whether a query or, without one, the `Accept` header asks for CSV."""
    return asked == "csv" or (
        asked is None and request.headers.get("accept", "").lower().startswith("text/csv")
    )


def csv_answer(text: str, name: str) -> Response:
    """A table as a file with this name."""
    return Response(text, media_type=MEDIA_TYPE, headers=_file(name))


def csv_table(rows: Sequence[Row], columns: Columns[Row], name: str) -> Response:
    """A table that is short enough to be whole in memory, as a file with this name."""
    cells = ([of(row) for of in columns.values()] for row in rows)
    return csv_answer(csv_text(list(columns), cells), name)


def csv_listing(read: Read[Row], query: PageQuery, columns: Columns[Row], name: str) -> Response:
    """Every row of a listing from the query's cursor on; at most `limit` of them where it is given.

    The first page is read at once, so that a mistake in the query is answered as one.
    """
    limited = "limit" in query.model_fields_set
    first = read(query.limit if limited else ROWS_PER_READ, query.cursor)
    headers = _file(name)
    if limited and first.next_cursor is not None:
        headers["X-Next-Cursor"] = first.next_cursor
    cells = ([of(row) for of in columns.values()] for row in _rows(read, first, go_on=not limited))
    parts = _parts(csv_lines(list(columns), cells))
    return StreamingResponse(parts, media_type=MEDIA_TYPE, headers=headers)


def _rows(read: Read[Row], page: Page[Row], *, go_on: bool) -> Iterator[Row]:
    yield from page.items
    while go_on and page.next_cursor is not None:
        page = read(ROWS_PER_READ, page.next_cursor)
        yield from page.items


def _parts(lines: Iterator[str]) -> Iterator[str]:
    """Many lines at a time: each part that is sent takes a turn of the event loop."""
    while part := "".join(islice(lines, ROWS_PER_READ)):
        yield part


def _file(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}.csv"'}
