"""Thinning keeps what must stay, invents nothing, and shows no more than it may."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import InvalidInputError
from search.pareto import is_on_front
from search.thinning import thinned

few = st.tuples(st.integers(0, 40), st.integers(0, 20), st.integers(0, 2))


@given(points=st.lists(few, max_size=60), most=st.integers(0, 20))
def test_the_front_stays_and_at_most_so_many_others(points, most):
    cost, score, group = np.array(points, dtype=float).reshape(-1, 3).T
    front = is_on_front(cost, score / 20)
    kept = thinned(cost, score, group, front, most=most)
    assert kept.shape == front.shape
    assert kept[front].all()
    assert (kept & ~front).sum() == min((~front).sum(), most) or (kept & ~front).sum() <= most
    if (~front).sum() <= most:
        assert kept.all()


def test_a_cloud_keeps_its_reach_and_every_group():
    random = np.random.default_rng(0)
    cost, score = random.uniform(1, 16, 20_000), random.uniform(0, 1, 20_000)
    group = (np.arange(20_000) >= 19_990).astype(int)
    kept = thinned(cost, score, group, np.zeros(20_000, dtype=bool), most=1_000)
    assert 800 < kept.sum() <= 1_000
    assert kept[group == 1].sum() >= 5
    assert np.ptp(score[kept]) > 0.95
    assert (thinned(cost, score, group, np.zeros(20_000, dtype=bool), most=1_000) == kept).all()


def test_a_point_without_its_score_is_refused():
    with pytest.raises(InvalidInputError):
        thinned([1.0, 2.0], [0.5], [0, 0], [False, False], most=1)
