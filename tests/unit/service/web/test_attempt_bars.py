"""The timeline of a trial: bars follow the clock, stay inside and never vanish."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from service.views import AttemptView
from service.web.attempt_bars import FIRST, LAST, LEAST_WIDTH, timeline

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def attempt(number: int, start: float, end: float | None, first_epoch: int | None = 1) -> AttemptView:
    return AttemptView(
        number=number,
        state="lost" if end is not None else "running",
        started_at=BEGIN + timedelta(seconds=start),
        ended_at=None if end is None else BEGIN + timedelta(seconds=end),
        first_epoch=first_epoch,
        message=None,
    )


def test_bars_stand_where_the_clock_says():
    drawn = timeline([attempt(1, 0, 50), attempt(2, 75, None, 4)], BEGIN + timedelta(seconds=100))
    assert drawn is not None
    first, second = drawn.bars
    assert (first.x, second.x) == (FIRST, FIRST + 0.75 * (LAST - FIRST))
    assert first.width == (LAST - FIRST) / 2
    assert second.x + second.width == LAST
    assert "resumed at epoch 4" in second.words
    assert [place for place, _ in drawn.ticks] == [1, 25.5, 50, 74.5, 99]


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1e6)), min_size=1, max_size=9))
def test_no_bar_leaves_the_axis_or_vanishes(spans: list[tuple[float, float]]):
    attempts = [attempt(place, start, start + length) for place, (start, length) in enumerate(spans)]
    drawn = timeline(attempts, BEGIN)
    assert drawn is not None
    for bar in drawn.bars:
        assert bar.width >= LEAST_WIDTH
        assert FIRST <= bar.x <= bar.x + bar.width <= LAST + LEAST_WIDTH


def test_without_attempts_there_is_no_drawing():
    assert timeline([], BEGIN) is None
