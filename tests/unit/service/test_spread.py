"""The spread of values over seeds."""

from __future__ import annotations

import pytest

from service.spread import spread_of


def test_the_middle_is_the_mean_or_the_median():
    found = spread_of([0.7, 0.9, 0.74])
    assert found is not None
    assert (found.middle("mean"), found.middle("median")) == (pytest.approx(0.78), 0.74)


def test_mean_range_and_sample_deviation():
    found = spread_of([0.7, 0.9, 0.8])
    assert found is not None
    assert (found.mean, found.least, found.greatest, found.count) == (pytest.approx(0.8), 0.7, 0.9, 3)
    assert found.deviation == pytest.approx(0.1)


def test_one_value_has_no_deviation_and_none_has_no_spread():
    one = spread_of([0.5])
    assert one is not None
    assert one.deviation is None
    assert spread_of([]) is None
