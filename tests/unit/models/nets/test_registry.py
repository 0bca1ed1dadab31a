"""The registry: what it lists, what it refuses and how, and networks of installed packages."""

from types import SimpleNamespace

import pytest
from torch import nn

from models.errors import InvalidInputError, UnknownNameError
from models.layers import AdaptiveLayer, LayerOptions
from models.nets import Architecture, WholeSetting, architectures, build_network, registry


def build(name="conv-net", **settings):
    return build_network(
        name,
        settings,
        sample_shape=(1, 8, 8),
        classes=3,
        options=LayerOptions(),
        search_first_layer=False,
    )


OURS = [
    "conv-net",
    "resnet18",
    "resnet19",
    "resnet20",
    "resnet34",
    "sew-resnet18",
    "sew-resnet34",
    "vggsnn",
    "spikformer",
    "shd-net",
]


def test_ours_are_listed_with_their_settings():
    known = architectures()
    assert list(known) == OURS
    assert {name: known[name].settings["width"].default for name in OURS if name != "shd-net"} == {
        "conv-net": 16,
        "resnet18": 64,
        "resnet19": 128,
        "resnet20": 16,
        "resnet34": 64,
        "sew-resnet18": 64,
        "sew-resnet34": 64,
        "vggsnn": 64,
        "spikformer": 384,
    }
    assert all(known[name].summary for name in known)


def test_a_setting_left_out_has_its_default():
    assert build().state_dict().keys() == build(width=16).state_dict().keys()
    assert build().layers["convs.0"].operator.out_channels == 16


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(UnknownNameError, match=r"conv-net, resnet18, .*shd-net") as caught:
        build("vgg")
    assert caught.value.pointer == "/architecture/name"


def test_an_unknown_setting_is_answered_with_the_known_ones():
    with pytest.raises(InvalidInputError, match="width") as caught:
        build(height=3)
    assert caught.value.pointer == "/architecture/height"


def test_a_kernel_without_a_middle_is_refused():
    with pytest.raises(InvalidInputError, match="kernel is 4") as caught:
        build(kernel=4)
    assert caught.value.pointer == "/architecture/kernel"


@pytest.mark.parametrize("width", [0, 513, -4, True, 16.0, 1.5, "16"])
def test_a_setting_of_another_type_or_out_of_range_is_refused_with_its_bounds(width):
    with pytest.raises(InvalidInputError, match="1 to 512") as caught:
        build(width=width)
    assert caught.value.pointer == "/architecture/width"


def test_an_installed_package_adds_a_network(monkeypatch):
    def build_flat(given, settings):
        pixels = given.sample_shape[0] * given.sample_shape[1] * given.sample_shape[2]
        hidden = nn.Linear(pixels, settings["hidden"])
        return nn.Sequential(nn.Flatten(), AdaptiveLayer(hidden, options=given.options))

    flat = Architecture(
        name="flat",
        summary="One layer.",
        settings={"hidden": WholeSetting(default=4, minimum=1, maximum=9)},
        build=build_flat,
    )
    monkeypatch.setattr(
        registry,
        "entry_points",
        lambda group: [SimpleNamespace(load=lambda: flat)] if group == "bitfront.architectures" else [],
    )
    assert list(architectures()) == [*OURS, "flat"]
    assert list(build("flat", hidden=5).searched) == ["1"]
