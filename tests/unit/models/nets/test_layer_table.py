"""Layer tables against counts made by hand."""

import torch
from torch import nn

from models.allocation import FIRST_LAYER_BITS, LayerBits
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


def test_conv_net_with_other_depth_and_kernel():
    table = layer_table(network("conv-net", (1, 8, 8), width=4, depth=3, kernel=5), (1, 8, 8))
    assert [row.macs for row in table] == [64 * 4 * 25, 16 * 8 * 25 * 4, 4 * 16 * 25 * 8, 16 * 10]
    assert [row.inputs for row in table] == [64, 256, 128, 16]
    deeper = layer_table(network("conv-net", (1, 8, 8), width=4, depth=6), (1, 8, 8))
    assert [row.weights for row in deeper] == [36, 144, 144, 144, 288, 1152, 160]


def test_resnet20_of_other_depths_is_another_resnet():
    layers = {
        n: len(layer_table(network("resnet20", (3, 8, 8), width=2, depth=n), (3, 8, 8))) for n in (1, 5)
    }
    assert layers == {1: 8, 5: 32}


def test_resnet20_may_have_projected_shortcuts():
    table = layer_table(network("resnet20", (3, 8, 8), width=2, shortcut="projected"), (3, 8, 8))
    shortcuts = [row for row in table if "shortcut" in row.name]
    assert [row.weights for row in shortcuts] == [2 * 4, 4 * 8]


def test_residuals_of_spikes_make_a_resnet_a_sew_resnet():
    for depth in (18, 34):
        tables = [
            layer_table(network(name, (3, 8, 8), width=2, **settings), (3, 8, 8))
            for name, settings in (
                (f"resnet{depth}", {"residual": "spikes"}),
                (f"sew-resnet{depth}", {}),
                (f"resnet{depth}", {}),
            )
        ]
        assert tables[0] == tables[1] != tables[2]


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


def test_resnet18_has_its_known_size_on_imagenet():
    table = layer_table(network("resnet18", (3, 224, 224), stem="imagenet"), (3, 224, 224))
    stem, stage = 112 * 112 * 64 * 3 * 49, 56 * 56 * 64 * 64 * 9
    halved = stage // 2 + 3 * stage + 28 * 28 * 128 * 64  # a convolution of half the channels, and a shortcut
    assert sum(row.macs for row in table) == stem + 4 * stage + 3 * halved + 512 * 10
    weights = [64 * 3 * 49, 4 * 64 * 64 * 9]
    weights += [w * w * 9 // 2 + 3 * w * w * 9 + w * w // 2 for w in (128, 256, 512)]
    assert sum(row.weights for row in table) == sum(weights) + 512 * 10
    assert len(table) == 1 + 16 + 3 + 1


def test_resnet19_has_its_known_layers():
    table = layer_table(network("resnet19", (3, 8, 8), width=2), (3, 8, 8))
    first, second, third = [64 * 2 * 2 * 9] * 6, [16 * 4 * 4 * 9] * 5, [4 * 8 * 8 * 9] * 3
    assert [row.macs for row in table] == [
        64 * 2 * 3 * 9,
        *first,
        *(16 * 4 * 2 * 9, 16 * 4 * 4 * 9, 16 * 4 * 2),
        *second[1:],
        *(4 * 8 * 4 * 9, 4 * 8 * 8 * 9, 4 * 8 * 4),
        *third[1:],
        8 * 4,
        4 * 10,
    ]
    assert [row.name for row in table][7:10] == [
        "blocks.3.conv1",
        "blocks.3.conv2",
        "blocks.3.shortcut.0",
    ]


def test_resnet34_has_a_shortcut_for_each_stage_but_the_first():
    table = layer_table(network("resnet34", (3, 8, 8), width=2), (3, 8, 8))
    assert len(table) == 1 + 2 * (3 + 4 + 6 + 3) + 3 + 1
    assert [row.weights for row in table if "shortcut" in row.name] == [2 * 4, 4 * 8, 8 * 16]


def test_a_sew_block_has_a_row_for_each_neuron():
    table = layer_table(network("sew-resnet18", (3, 8, 8), width=2), (3, 8, 8))
    rows = {row.name: row for row in table}
    assert [name for name in rows if name.startswith("blocks.2")] == [
        "blocks.2.conv1",
        "blocks.2.conv2",
        "blocks.2.spikes",
        "blocks.2.shortcut.0",
        "blocks.2.shortcut.2",
    ]
    assert rows["blocks.2.spikes"] == LayerShape(
        name="blocks.2.spikes", kind="spikes", macs=0, weights=0, inputs=16 * 4, biases=0
    )
    assert rows["spikes"].inputs == 64 * 2
    assert sum(row.kind == "spikes" for row in table) == 1 + 8 + 3
    assert sum(row.kind == "conv" for row in table) == 1 + 16 + 3


def test_vggsnn_rounds_maps_of_odd_sizes_up():
    table = layer_table(network("vggsnn", (2, 9, 5), width=2), (2, 9, 5))
    assert [row.macs for row in table] == [
        45 * 2 * 2 * 9,
        45 * 4 * 2 * 9,
        15 * 8 * 4 * 9,
        15 * 8 * 8 * 9,
        6 * 16 * 8 * 9,
        6 * 16 * 16 * 9,
        2 * 16 * 16 * 9,
        2 * 16 * 16 * 9,
        16 * 1 * 10,
    ]


def test_vggsnn_has_its_known_channels():
    table = layer_table(network("vggsnn", (2, 8, 8)), (2, 8, 8))
    assert [row.biases for row in table] == [64, 128, 256, 256, 512, 512, 512, 512, 10]
    assert network("vggsnn", (2, 48, 48)).layers["classifier"].operator.in_features == 512 * 3 * 3


def test_spikformer_attends_between_sixteen_tokens_of_eight_channels():
    settings = {"width": 8, "heads": 2, "depth": 1, "mlp_ratio": 2, "patch_stages": 1}
    table = layer_table(network("spikformer", (3, 8, 8), **settings), (3, 8, 8))
    N, D = 16, 8
    inside = "blocks.0.attention"
    embedding = [64 * 1 * 3 * 9, 64 * 2 * 1 * 9, 64 * 4 * 2 * 9, 64 * 8 * 4 * 9, N * D * D * 9]
    attention = [N * D * D, N * N * D, N * D * D, 0, N * D * D, N * N * D, N * D * D]
    assert [row.macs for row in table] == [*embedding, *attention, N * D * 16, N * 16 * D, D * 10]
    weightless = [row for row in table if row.kind == "attention"]
    assert [(row.name, row.partner) for row in weightless] == [
        (f"{inside}.query", f"{inside}.key"),
        (f"{inside}.key", None),
        (f"{inside}.value", f"{inside}.query"),
    ]
    assert all((row.weights, row.inputs, row.biases) == (0, N * D, 0) for row in weightless)


def test_shd_net_on_seven_hundred_channels_of_events():
    net = build_network(
        "shd-net",
        {"hidden": 4},
        sample_shape=(700, 1, 1),
        classes=20,
        options=LayerOptions(),
        search_first_layer=False,
        frames=3,
    )
    table = layer_table(net, (700, 1, 1), 3)
    assert [row.macs for row in table] == [700 * 4, 4 * 4, 4 * 20]
    assert [row.inputs for row in table] == [700, 4, 4]
    assert table[0].fixed == LayerBits.uniform(steps=3, spike_bits=8, weight_bits=8)


def test_linear_layers_on_tokens_count_every_token():
    body = nn.Sequential(nn.Flatten(2), AdaptiveLayer(nn.Linear(6, 5), options=LayerOptions()), nn.Flatten())
    (row,) = layer_table(Network(body), (4, 2, 3))
    assert (row.macs, row.weights, row.inputs) == (4 * 6 * 5, 30, 24)


def test_dilation_and_groups_on_frames():
    conv = nn.Conv2d(4, 6, 3, stride=2, padding=2, dilation=2, groups=2, bias=False)
    body = nn.Sequential(AdaptiveLayer(conv, options=LayerOptions(temporal=True)), nn.Flatten(2))
    (row,) = layer_table(Network(body), (4, 7, 10), 3)
    assert row.macs == (4 * 5 * 6) * (2 * 3 * 3)  # the window spans 5 pixels
    assert (row.weights, row.inputs) == (6 * 2 * 9, 4 * 7 * 10)


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
