"""The spiking neuron as a module: its start, its output, its spike rates and renewal per step."""

import pytest
import torch

from models.functional import closed_form, fire, least_error, quantize_spikes
from models.layers import SpikingNeuron
from models.layers.neuron import SAMPLES_KEPT

CURRENT = torch.randn(6, 5, generator=torch.Generator().manual_seed(0))


def neuron_of(*, bits=3, steps=2, signed=False, most=4):
    neuron = SpikingNeuron(
        initial_bits=bits, initial_steps=steps, bit_bounds=(1, 8), step_bounds=(1, most), signed=signed
    )
    neuron(CURRENT)
    return neuron


@pytest.mark.parametrize("signed", [True, False])
def test_the_output_is_that_of_fire(signed):
    neuron = neuron_of(signed=signed)
    expected = fire(CURRENT, neuron.step_sizes, torch.full((4,), 3.0), torch.tensor(2.0), signed=signed)
    assert torch.equal(neuron(CURRENT), expected)


def test_the_first_training_batch_sets_every_step_size_and_later_ones_none():
    neuron = neuron_of()
    first = neuron.step_sizes.tolist()
    assert first[0] != 1.0
    assert len(set(first)) == 1
    neuron(CURRENT * 10)
    assert neuron.step_sizes.tolist() == first


def test_evaluation_sets_no_step_size():
    neuron = SpikingNeuron(initial_bits=3, initial_steps=2, bit_bounds=(1, 8), step_bounds=(1, 4)).eval()
    neuron(CURRENT)
    assert neuron.step_sizes.tolist() == [1.0] * 4


def test_that_step_sizes_are_set_survives_a_checkpoint():
    neuron, copy = (
        neuron_of(),
        SpikingNeuron(initial_bits=3, initial_steps=2, bit_bounds=(1, 8), step_bounds=(1, 4)),
    )
    copy.load_state_dict(neuron.state_dict())
    assert torch.equal(copy(CURRENT * 10), neuron(CURRENT * 10))


@pytest.mark.parametrize("signed", [True, False])
def test_rates_count_nonzero_spikes_at_each_step(signed):
    neuron = neuron_of(bits=2, steps=2, signed=signed)
    V = neuron.step_sizes[0].detach()
    first = quantize_spikes(CURRENT, V, torch.tensor(2.0), signed=signed)
    second = quantize_spikes(CURRENT - first + CURRENT, V, torch.tensor(2.0), signed=signed)
    expected = [float((spikes != 0).float().mean()) for spikes in (first, second)]
    assert neuron.rates(CURRENT) == pytest.approx(expected)
    assert 0 < expected[0] < 1


def test_binary_signed_spikes_are_never_zero():
    assert neuron_of(bits=1, steps=1, signed=True).rates(CURRENT) == [1.0]


def test_only_the_steps_that_cross_to_another_integer_are_renewed():
    neuron = neuron_of(bits=3)
    before = neuron.step_sizes.detach().clone()
    with torch.no_grad():
        neuron.bits.real.copy_(torch.tensor([3.3, 2.4, 3.6, 1.0]))
    assert neuron.renew("closed_form") == 3
    assert neuron.renew("closed_form") == 0  # nothing is left to do
    assert (neuron.step_sizes / before).tolist() == pytest.approx([1, 7 / 3, 7 / 15, 7])


def test_renewal_by_search_fits_what_rates_were_measured_on_until_that_is_forgotten():
    """In fine-tuning no batch is kept; what a resumed training measures rates on is the same again."""
    neuron, seen = neuron_of(bits=3), torch.rand(8, 5, generator=torch.Generator().manual_seed(1))
    first = neuron.step_sizes.tolist()[0]
    neuron.rates(seen)
    with torch.no_grad():
        neuron.bits.real.fill_(2.0)
    neuron.renew("search")
    assert neuron.step_sizes.tolist()[0] == float(least_error(seen[:SAMPLES_KEPT], 2, signed=False)) != first
    fitted = neuron.step_sizes.detach().clone()
    neuron.forget()
    with torch.no_grad():
        neuron.bits.real.fill_(3.0)
    neuron.renew("search")
    assert torch.equal(neuron.step_sizes, closed_form(fitted, 2, 3, signed=False))


def test_gradients_reach_current_step_sizes_bits_and_steps():
    neuron, current = neuron_of(bits=1), CURRENT.clone().requires_grad_()
    neuron(current).sum().backward()
    grads = (current.grad, neuron.step_sizes.grad, neuron.bits.real.grad, neuron.steps.real.grad)
    assert all(grad is not None and grad.abs().sum() > 0 for grad in grads)
