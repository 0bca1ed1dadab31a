"""Every option of a layer reaches its neuron and its quantizer, and what is not learned stays."""

import pytest
import torch
from torch import nn

from models.allocation import Bounds
from models.functional import fire, least_error
from models.layers import AdaptiveLayer, InitialBits, LayerOptions, constrain
from models.layers.neuron import LEAST_LEAK


def layer(**options):
    torch.manual_seed(0)
    return AdaptiveLayer(nn.Linear(6, 4), options=LayerOptions(**options))


def trained(adaptive, steps=3, rate=0.5):
    optimiser = torch.optim.SGD([p for p in adaptive.parameters() if p.requires_grad], lr=rate)
    for step in range(steps):
        torch.manual_seed(step)
        optimiser.zero_grad()
        (adaptive(torch.randn(32, 6) * 3) ** 2).sum().backward()
        optimiser.step()
        constrain(adaptive.bounded())
    return adaptive


@pytest.mark.parametrize("learned", [{"weight"}, {"spike"}, {"steps"}, {"weight", "steps"}])
def test_what_is_not_learned_stays_where_it_starts(learned):
    found = trained(layer(learned=frozenset(learned), initial=InitialBits(weight=3, spike=2, steps=2)))
    real = {
        "weight": found.quantizer.bits.real,
        "spike": found.neuron.bits.real,
        "steps": found.neuron.steps.real,
    }
    start = {"weight": 3.0, "spike": 2.0, "steps": 2.0}
    moved = {name for name, values in real.items() if not bool((values == start[name]).all())}
    assert moved == learned


def test_learning_bounds_hold_what_is_not_learned_at_its_clipped_start():
    options = LayerOptions(
        bounds=Bounds(weight=(1, 8), spike=(1, 3), steps=(1, 4)), learned=frozenset({"weight"})
    )
    assert options.learning_bounds() == Bounds(weight=(1, 8), spike=(3, 3), steps=(2, 2))


def test_a_learned_leak_starts_as_given_learns_and_stays_inside_its_range():
    found = layer(leak=0.5, learn_leak=True)
    (leak,) = found.neuron_parameters()
    assert leak.item() == 0.5
    trained(found)
    assert leak.item() != 0.5
    with torch.no_grad():
        leak.fill_(7.0)
        constrain(found.bounded())
        assert leak.item() == 1.0
        leak.fill_(-7.0)
        constrain(found.bounded())
    assert leak.item() == pytest.approx(LEAST_LEAK)


def test_a_fixed_leak_reaches_the_neuron_and_has_no_parameter():
    neuron = layer(leak=0.5).eval().neuron
    current = torch.rand(8, 6) * 3
    args = (current, neuron.step_sizes, neuron.bits.real, neuron.steps.real)
    assert torch.equal(neuron(current), fire(*args, 0.5))
    assert not torch.equal(neuron(current), fire(*args, 1.0))
    assert not list(layer(leak=0.5).neuron_parameters())


def test_threshold_shifts_start_at_zero_change_nothing_then_and_learn():
    current = torch.rand(8, 6) * 3
    plain, shifted = layer().eval(), layer(threshold_shift=True).eval()
    assert torch.equal(plain(current), shifted(current))
    (shifts,) = trained(shifted.train()).neuron_parameters()
    assert shifts.shape == (4,)
    assert bool((shifts[:2] != 0).all())


def test_signed_spikes_keep_the_sign():
    negative = torch.tensor([[-2.0]])
    assert layer(signed_spikes=True).eval().neuron(negative).item() == -2.0
    assert layer().eval().neuron(negative).item() == 0.0


def test_renewal_by_search_fits_weights_and_the_currents_seen_last():
    found = layer()
    current = torch.rand(64, 6) * 5
    found(current)
    with torch.no_grad():
        found.quantizer.bits.real.fill_(2.0)
        found.neuron.bits.real.fill_(2.0)
    found.renew("search")
    seen = least_error(current[:4], 2, signed=False)
    torch.testing.assert_close(found.neuron.step_sizes.data, seen.expand(4))
    torch.testing.assert_close(
        found.quantizer.step_size.data, least_error(found.operator.weight, 2, signed=True).expand(1)
    )
