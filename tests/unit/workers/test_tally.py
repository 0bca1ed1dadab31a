"""Sums over an epoch that stay on the device, and losses that are no numbers."""

import json
from dataclasses import asdict

import pytest
import torch

from models.errors import NanLossError
from workers.tally import CHECKED_EVERY, EpochPart, Tally


def test_a_tally_weighs_losses_by_samples():
    tally = Tally(torch.device("cpu"), 0)
    tally.add(torch.tensor(2.0), torch.tensor(3), 4)
    tally.add(torch.tensor(5.0), torch.tensor(0), 1)
    part = tally.part(seconds=2.0, waited=0.5)
    assert (part.steps, part.loss, part.right, part.samples) == (2, pytest.approx(13), 3, 5)


def test_a_tally_goes_on_from_the_part_that_an_earlier_one_gave():
    whole, first = Tally(torch.device("cpu"), 0), Tally(torch.device("cpu"), 0)
    for tally in (whole, first):
        tally.add(torch.tensor(0.1), torch.tensor(1), 3)
        tally.add_renewals({"a": 2, "b": 0})
    stored = json.loads(json.dumps(asdict(first.part(seconds=1.0, waited=0.25))))
    second = Tally(torch.device("cpu"), 1, EpochPart(**stored))
    for tally in (whole, second):
        tally.add(torch.tensor(0.7), torch.tensor(2), 3)
        tally.add_renewals({"a": 1})
    assert second.part(seconds=3.0, waited=0.5) == whole.part(seconds=4.0, waited=0.75)
    assert second.part(seconds=0, waited=0).renewals == {"a": 3, "b": 0}


def test_a_loss_that_is_no_number_is_found_with_its_steps():
    tally = Tally(torch.device("cpu"), 100)
    tally.add(torch.tensor(float("nan")), torch.tensor(0), 4)
    for _ in range(CHECKED_EVERY - 2):
        tally.add(torch.tensor(1.0), torch.tensor(0), 4)
    with pytest.raises(NanLossError, match=f"steps 100 to {99 + CHECKED_EVERY}"):
        tally.add(torch.tensor(1.0), torch.tensor(0), 4)


def test_a_loss_that_is_no_number_in_the_last_steps_is_found_at_the_end():
    tally = Tally(torch.device("cpu"), 7)
    tally.add(torch.tensor(float("inf")), torch.tensor(0), 4)
    with pytest.raises(NanLossError, match="steps 7 to 7"):
        tally.part(seconds=1.0, waited=0.0)
