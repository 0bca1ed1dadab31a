"""Dot-and-whisker pictures: where values stand, which ticks there are, and what does not fit the axis."""

from __future__ import annotations

import pytest

from service.comparison.views import IntervalView
from service.web.marks import UNIFORM
from service.web.whiskers import FIRST, LAST, Axis, Entry, difference_plot, share_plot, ticks_of


def entry(value: float | None, low: float | None = None, high: float | None = None) -> Entry:
    interval = None if value is None else IntervalView(value=value, low=low, high=high, seeds=3)
    return Entry(name="random", mark=UNIFORM, interval=interval, words="", detail="")


def test_places_keep_order_and_stay_inside():
    (row,) = share_plot([entry(0.8, 0.7, 0.9)]).rows
    assert row.at is not None
    assert row.ends is not None
    assert FIRST < row.ends[0] < row.at < row.ends[1] < LAST
    assert row.at - row.ends[0] == pytest.approx(row.ends[1] - row.at, abs=0.02)
    assert row.caps == row.ends


def test_zero_is_on_the_axis_of_differences_even_where_all_are_ahead():
    plot = difference_plot([entry(0.03, 0.02, 0.04), entry(0.05)])
    assert plot.zero is not None
    assert FIRST < plot.zero < min(row.at for row in plot.rows if row.at is not None)
    assert (plot.zero, "0") in plot.ticks
    assert share_plot([entry(0.5)]).zero is None


def test_an_interval_beyond_every_share_has_no_cap_there():
    (row,) = share_plot([entry(0.98, 0.9, 1.06)]).rows
    assert row.ends is not None
    assert row.ends[1] == LAST
    assert row.caps == (row.ends[0],)


def test_one_seed_is_a_dot_and_nothing_is_an_empty_row():
    one, nothing = share_plot([entry(0.8), entry(None)]).rows
    assert one.at is not None
    assert (one.ends, one.caps) == (None, ())
    assert (nothing.at, nothing.ends, nothing.caps) == (None, None, ())
    assert nothing.line_y > one.line_y


@pytest.mark.parametrize(
    ("least", "greatest", "step", "count"),
    [(0.0, 1.0, 0.2, 6), (0.775, 0.847, 0.02, 4), (-0.004, 0.05, 0.02, 3), (0.8, 0.802, 0.0005, 5)],
)
def test_ticks_are_round_and_few(least, greatest, step, count):
    found, ticks = ticks_of(Axis(least=least, greatest=greatest))
    assert found == pytest.approx(step)
    assert len(ticks) == count
    assert all(least - 1e-9 <= tick <= greatest + 1e-9 for tick in ticks)


def test_ticks_read_in_per_cent_and_points_with_the_digits_that_they_need():
    assert [text for _, text in share_plot([entry(0.8, 0.775, 0.845)]).ticks] == ["78", "80", "82", "84"]
    differences = difference_plot([entry(0.002, -0.001, 0.005)]).ticks
    assert [text for _, text in differences] == ["-0.2", "0", "+0.2", "+0.4", "+0.6"]


@pytest.mark.parametrize("entries", [[], [entry(None)]])
def test_without_a_value_there_is_still_a_picture(entries):
    assert difference_plot(entries).zero == 50
    assert share_plot(entries).ticks[-1] == (LAST, "100")
