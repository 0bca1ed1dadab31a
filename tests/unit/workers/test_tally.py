"""Sums over an epoch that stay on the device, and losses that are no numbers."""

import pytest
import torch

from models.errors import NanLossError
from workers.tally import CHECKED_EVERY, Tally


def test_a_tally_weighs_losses_by_samples():
    tally = Tally(torch.device("cpu"), 0)
    tally.add(torch.tensor(2.0), torch.tensor(3), 4)
    tally.add(torch.tensor(5.0), torch.tensor(0), 1)
    assert tally.means() == (pytest.approx(13 / 5), pytest.approx(3 / 5))


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
        tally.means()
