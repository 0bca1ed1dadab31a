"""Bits under a measured cost: fitted at the rates of the network, again where they move, and at the end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models.allocation import Allocation, LayerBits
from models.cost import Limit, limit_cost
from models.repair import least_allocation
from models.slack import NEAR
from search.strategy import FixedBits
from tests.unit.workers.test_trial import job, request, uniform
from workers.freezing import Freezing, follows_rates
from workers.progress import Progress
from workers.tally import Tally
from workers.trial import TrialRun

BITS = LayerBits.uniform(steps=2, spike_bits=3, weight_bits=3)


@pytest.fixture
def freezing(tmp_path: Path) -> Freezing:
    """Of a network whose step sizes have started, at the same bits everywhere."""
    proposal = FixedBits(allocation=uniform(job(), tmp_path, steps=2, spike_bits=3, weight_bits=3), note={})
    run = TrialRun(request(proposal), checkpoints=tmp_path, data_folder=tmp_path, threads=1)
    run.step()
    found = run.trainer.freezing
    return replace(found, bounds=job().bits.bounds())


def progress_of(freezing: Freezing, *, frozen: bool = True) -> Progress:
    allocation = freezing.network.allocation() if frozen else None
    return Progress(epoch=2, step=9, samples=1, allocation=allocation, steering=None)


def limit_of(freezing: Freezing, share: float) -> Limit:
    """A share of what the network costs now."""
    limit = Limit(metric="ns_ace", maximum=1.0)
    return replace(limit, maximum=share * cost_of(freezing, limit, freezing.network.allocation()))


def cost_of(freezing: Freezing, limit: Limit, allocation: Allocation) -> float:
    return limit_cost(limit.at_rates(freezing.rates()), freezing.layers, allocation)


def tally() -> Tally:
    return Tally(torch.device("cpu"), 0)


def test_bits_that_moved_above_the_limit_are_fitted_anew(freezing: Freezing) -> None:
    limit = limit_of(freezing, 0.7)
    found = freezing.before_epoch(progress_of(freezing), [limit], tally())
    assert found.allocation == freezing.network.allocation()
    assert found.rates is not None
    assert limit_cost(limit.at_rates(found.rates), freezing.layers, found.allocation) <= limit.maximum
    assert any(found.allocation[name] != BITS for name, _ in found.allocation)


def test_what_a_limit_leaves_is_spent(freezing: Freezing) -> None:
    limit = limit_of(freezing, 1.4)
    found = freezing.before_epoch(progress_of(freezing), [limit], tally())
    assert found.allocation is not None
    for name, bits in found.allocation:
        assert bits.steps == 2, name
        assert (bits.weight_bits, *bits.spike_bits) >= (3, 3, 3)
    assert limit_cost(limit.at_rates(found.rates), freezing.layers, found.allocation) > 0.9 * limit.maximum


@pytest.mark.parametrize("share", [1.0, 1.0 / (NEAR + 0.005)])
def test_bits_that_are_near_the_limit_stay(freezing: Freezing, share: float) -> None:
    before = progress_of(freezing)
    found = freezing.before_epoch(before, [limit_of(freezing, share * (1 + 1e-9))], tally())
    assert found.allocation == before.allocation
    assert found.rates == freezing.rates()


def test_learning_goes_by_the_rates_and_freezes_nothing(freezing: Freezing) -> None:
    found = freezing.before_epoch(progress_of(freezing, frozen=False), [limit_of(freezing, 0.5)], tally())
    assert (found.allocation, found.rates) == (None, freezing.rates())
    assert freezing.network.allocation() == Allocation(layers=dict.fromkeys(freezing.network.searched, BITS))


@pytest.mark.parametrize("share", [0.97, 0.6])
def test_the_end_lowers_bits_until_the_measured_cost_is_kept(freezing: Freezing, share: float) -> None:
    limit, renewals = limit_of(freezing, share), tally()
    found = freezing.at_end(progress_of(freezing), [limit], renewals)
    assert found.allocation == freezing.network.allocation()
    assert cost_of(freezing, limit, found.allocation) <= limit.maximum
    assert sum(renewals.part(seconds=1.0, waited=0.0).renewals.values()) > 0


def test_a_limit_that_nothing_keeps_leaves_the_least_bits(freezing: Freezing) -> None:
    found = freezing.at_end(progress_of(freezing), [limit_of(freezing, 1e-6)], tally())
    assert found.allocation == least_allocation(freezing.layers, freezing.bounds)


def test_limits_that_are_known_before_training_measure_nothing(freezing: Freezing) -> None:
    limits = [Limit(metric="bit_budget", maximum=1.0)]
    assert not follows_rates(limits)
    before = progress_of(freezing)
    assert freezing.before_epoch(before, limits, tally()) is before
    assert freezing.at_end(before, limits, tally()) is before


def test_measuring_leaves_the_network_in_its_mode(freezing: Freezing) -> None:
    for training in (True, False):
        freezing.network.train(training)
        freezing.rates()
        assert freezing.network.training is training
