"""Layer tables against counts made by hand."""

import torch
from torch import nn

from models.allocation import FIRST_LAYER_BITS
from models.cost import LayerShape
from models.layers import AdaptiveLayer, LayerOptions
from models.nets import Network, build_network, layer_table


def network(name, shape, **settings):
    return build_network(
        name,
        settings,
        sample_shape=shape,
        classes=10,
        options=LayerOptions(),
        search_first_layer=False,
    )


def test_conv_net_on_eight_by_eight_images():
    table = layer_table(network("conv-net", (1, 8, 8), width=16), (1, 8, 8))
    assert [row.kind for row in table] == ["conv"] * 4 + ["linear"]
    assert [row.macs for row in table] == [
        64 * 16 * 9 * 1,
        64 * 16 * 9 * 16,
        16 * 32 * 9 * 16,
        4 * 64 * 9 * 32,
        64 * 10,
    ]
    assert [row.weights for row in table] == [144, 2304, 4608, 18432, 640]
    assert [row.inputs for row in table] == [64, 1024, 1024, 512, 64]
    assert [row.biases for row in table] == [16, 16, 32, 64, 10]
    assert [row.fixed for row in table] == [FIRST_LAYER_BITS, None, None, None, None]


def test_resnet20_has_its_known_size():
    table = layer_table(network("resnet20", (3, 32, 32)), (3, 32, 32))
    stages = (442_368, 6 * 2_359_296, 1_179_648 + 5 * 2_359_296, 1_179_648 + 5 * 2_359_296, 640)
    assert len(table) == 20
    assert sum(row.macs for row in table) == sum(stages)
    assert (
        sum(row.weights for row in table) == 432 + 6 * 2_304 + 4_608 + 5 * 9_216 + 18_432 + 5 * 36_864 + 640
    )
    assert table[7] == LayerShape(
        name=table[7].name, kind="conv", macs=1_179_648, weights=4_608, inputs=16_384, biases=32
    )


def test_groups_stride_padding_and_maps_that_are_not_square():
    conv = nn.Conv2d(4, 8, (3, 5), stride=(2, 1), padding=(1, 0), groups=2, bias=False)
    body = nn.Sequential(AdaptiveLayer(conv, options=LayerOptions()), nn.Flatten())
    (row,) = layer_table(Network(body), (4, 9, 11))
    assert row.macs == (5 * 7 * 8) * (2 * 3 * 5)
    assert (row.weights, row.inputs, row.biases) == (8 * 2 * 3 * 5, 4 * 9 * 11, 8)


def test_names_and_order_are_those_of_the_layers():
    net = network("resnet20", (3, 8, 8), width=2)
    assert [row.name for row in layer_table(net, (3, 8, 8))] == list(net.layers)


def test_measuring_changes_nothing():
    net = network("conv-net", (1, 8, 8), width=2)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    layer_table(net, (1, 8, 8))
    assert net.training
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert not any(layer._forward_hooks for layer in net.layers.values())
