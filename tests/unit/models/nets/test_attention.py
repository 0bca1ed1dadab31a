"""Spiking self-attention against its formula."""

import pytest
import torch

from models.allocation import LayerBits
from models.functional import regroup
from models.layers import LayerOptions
from models.nets.attention import SCALE, SpikingAttention
from models.nets.setting import NetworkInput

MAPS = torch.randn(3, 2, 8, 2, 3, generator=torch.Generator().manual_seed(0))


def attention_of(frames):
    torch.manual_seed(0)
    given = NetworkInput(
        sample_shape=(8, 2, 3),
        classes=5,
        options=LayerOptions(temporal=bool(frames)),
        search_first_layer=False,
        frames=frames,
    )
    return SpikingAttention(8, 2, given)


def tokens(part, x):
    """Spikes of one projection as [..., h, N, d], by index rather than by reshaping."""
    maps = getattr(part[0], f"{part[1]}_norm")(getattr(part[0], f"{part[1]}_conv")(x))
    heads = maps.flatten(-2).transpose(-2, -1)
    split = torch.stack([heads[..., :4], heads[..., 4:]], dim=-3)
    return getattr(part[0], part[1])(split)


def test_images_attend_between_pixels_without_softmax():
    layer, x = attention_of(0), MAPS[0]
    layer(x)  # the step sizes are set
    layer.eval()
    query, key, value = (tokens((layer, part), x) for part in ("query", "key", "value"))
    context = torch.einsum("bhnd,bhmd,bhme->bhne", query, key, value) * SCALE
    maps = torch.cat([context[:, 0], context[:, 1]], dim=-1).transpose(1, 2).unflatten(2, (2, 3))
    torch.testing.assert_close(layer(x), layer.project_norm(layer.project(maps)))


def test_frames_meet_at_the_steps_of_query_and_value():
    layer = attention_of(3)
    layer(MAPS)
    for name, steps in (("query", 2), ("key", 4), ("value", 3)):
        getattr(layer, name).freeze(LayerBits.uniform(steps=steps, spike_bits=3, weight_bits=1))
    layer.eval()
    query, key, value = (tokens((layer, part), MAPS) for part in ("query", "key", "value"))
    assert (len(query), len(key), len(value)) == (2, 4, 3)
    scores = torch.einsum("tbhnd,tbhmd->tbhnm", query, regroup(key, 2))
    context = torch.einsum("tbhnm,tbhme->tbhne", regroup(scores, 3), value) * SCALE
    maps = torch.cat([context[:, :, 0], context[:, :, 1]], dim=-1).transpose(2, 3).unflatten(3, (2, 3))
    torch.testing.assert_close(layer(MAPS), layer.project_norm(layer.project(maps)))


@pytest.mark.parametrize("frames", [0, 3])
def test_every_operand_gets_its_gradients(frames):
    layer = attention_of(frames)
    layer(MAPS if frames else MAPS[0]).square().sum().backward()
    for operand in (layer.query, layer.key, layer.value):
        gradients = [parameter.grad for parameter in operand.parameters()]
        assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients)
        assert operand.neuron.step_sizes.grad.abs().sum() > 0
