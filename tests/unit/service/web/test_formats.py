"""How numbers, times and records read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from service.web import formats


@pytest.mark.parametrize(
    ("value", "text"),
    [(3.9712, "3.97"), (0, "0"), (1234.5, "1234"), (12_345, "12.3 k"), (2.5e9, "2.5 G"), (None, "–")],
)
def test_costs(value: float | None, text: str) -> None:
    assert plain(formats.cost(value)) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 s"), (89, "89 s"), (200, "3 min"), (7300, "2 h 2 min"), (200_000, "2 days")],
)
def test_durations(seconds: float, text: str) -> None:
    assert plain(formats.duration(seconds)) == text


def test_times_are_utc() -> None:
    time = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
    assert formats.moment(time) == "2026-11-23 12:30 UTC"
    assert formats.iso(time.replace(tzinfo=None)) == "2026-11-23T12:30:00+00:00"


def test_records_are_flattened() -> None:
    found = dict(formats.flattened({"versions": {"torch": "2"}, "seeds": [1, 2]}))
    assert found == {"versions.torch": "2", "seeds": "1, 2"}


def plain(text: str) -> str:
    """The text with ordinary spaces."""
    return text.replace(formats.NARROW, " ")
