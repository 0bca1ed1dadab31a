"""The weight quantizer: its first step size, and renewal when the width crosses to another integer."""

import pytest
import torch

from models.allocation import LayerBits
from models.errors import InvalidInputError
from models.functional import least_error, quantize_weights
from models.layers import WeightQuantizer, constrain
from models.layers.weight_quantizer import LEAST_STEP_SIZE

WEIGHT = torch.randn(8, 4, generator=torch.Generator().manual_seed(0))


def started(bits=4, bounds=(1, 8)):
    quantizer = WeightQuantizer(bits, bounds)
    quantizer(WEIGHT)
    return quantizer


def set_bits(quantizer, value):
    with torch.no_grad():
        quantizer.bits.real.copy_(torch.as_tensor(value))


def test_the_first_training_pass_fits_the_step_size_and_later_ones_keep_it():
    quantizer = started()
    first = quantizer.step_size.item()
    assert first == pytest.approx(least_error(WEIGHT, 4, signed=True).item())
    quantizer(WEIGHT * 10)
    assert quantizer.step_size.item() == first


def test_evaluation_fits_nothing():
    quantizer = WeightQuantizer(4, (1, 8)).eval()
    quantizer(WEIGHT)
    assert quantizer.step_size.item() == 1.0


def test_the_output_is_the_quantized_weight():
    quantizer = started()
    expected = quantize_weights(WEIGHT, quantizer.step_size, torch.tensor(4.0))
    assert torch.equal(quantizer(WEIGHT), expected)


@pytest.mark.parametrize(("mode", "factor", "times"), [("closed_form", 7 / 3, 1), ("none", 1.0, 0)])
def test_crossing_to_another_integer_renews_once(mode, factor, times):
    quantizer = started(bits=4)
    before = quantizer.step_size.item()
    counts = []
    for value in (3.6, 3.4, 3.1):
        set_bits(quantizer, value)
        counts.append(quantizer.renew(mode))
    assert counts == [0, times, 0]
    assert quantizer.step_size.item() == pytest.approx(before * factor)


def test_renewal_without_a_fitted_step_size_waits_for_the_weights():
    quantizer = WeightQuantizer(4, (1, 8))
    set_bits(quantizer, 2.0)
    quantizer.renew("closed_form")
    quantizer(WEIGHT)
    assert quantizer.step_size.item() == pytest.approx(least_error(WEIGHT, 2, signed=True).item())


def test_step_sizes_stay_positive():
    quantizer = started()
    with torch.no_grad():
        quantizer.step_size.fill_(-1.0)
    constrain(quantizer.bounded())
    assert quantizer.step_size.item() == pytest.approx(LEAST_STEP_SIZE)


def per_channel(bits=4):
    quantizer = WeightQuantizer(bits, (1, 8), channels=len(WEIGHT))
    quantizer(WEIGHT)
    return quantizer


def test_every_channel_has_a_step_size_and_a_width_of_its_own():
    quantizer = per_channel()
    set_bits(quantizer, torch.arange(1.0, 9.0))
    quantizer.renew("search", WEIGHT)
    for channel, width, step_size, found in zip(
        WEIGHT, range(1, 9), quantizer.step_size, quantizer(WEIGHT), strict=True
    ):
        assert step_size.item() == pytest.approx(least_error(channel, width, signed=True).item())
        assert torch.equal(found, quantize_weights(channel, step_size, torch.tensor(float(width))))


def test_only_channels_that_cross_are_renewed():
    quantizer = per_channel(bits=4)
    before = quantizer.step_size.detach().clone()
    set_bits(quantizer, torch.tensor([4.0, 3.0] * 4))
    assert quantizer.renew("closed_form") == 4
    torch.testing.assert_close(quantizer.step_size.data, before * torch.tensor([1, 7 / 3] * 4))
    assert quantizer.fitted_bits.tolist() == [4, 3] * 4


def test_channels_are_frozen_one_by_one_or_all_alike():
    bits = LayerBits.uniform(steps=1, spike_bits=1, weight_bits=5)
    alike, apart = per_channel(), per_channel()
    alike.freeze(bits)
    apart.freeze(bits.with_channels(range(1, 9)))
    assert alike.bits.whole() == [5] * 8
    assert apart.bits.whole() == list(range(1, 9))
    assert not apart.bits.real.requires_grad


@pytest.mark.parametrize("channels", [7, 9])
def test_widths_of_other_channels_are_refused(channels):
    bits = LayerBits.uniform(steps=1, spike_bits=1, weight_bits=5).with_channels([5] * channels)
    for quantizer in (per_channel(), started()):
        with pytest.raises(InvalidInputError, match=f"{channels} weight bit widths"):
            quantizer.freeze(bits)
