"""The architectures that a job may name: ours, and those of installed packages.

A package adds one with an entry point in the group `bitfront.architectures` that names an `Architecture`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import entry_points

from models.errors import UnknownNameError
from models.layers import LayerOptions
from models.nets import conv_net, resnet, sew_resnet, shd_net, spikformer, vggsnn
from models.nets.network import Network
from models.nets.setting import Build, NetworkInput, Setting, SettingValue, checked

ENTRY_POINTS = "bitfront.architectures"


@dataclass(frozen=True, kw_only=True, slots=True)
class Architecture:
    """A network that a job may name; `build` gets the input and settings that are already checked.

    It gives a body for `Network`, or what `adapt` gave.
    """

    name: str
    summary: str
    settings: Mapping[str, Setting]
    build: Build


OURS = (
    Architecture(
        name="conv-net",
        summary="A few convolutions (four of 3x3) and a classifier, for maps from 8x8 up.",
        settings=conv_net.SETTINGS,
        build=conv_net.build,
    ),
    Architecture(
        name="resnet18",
        summary="ResNet-18: four stages of two basic blocks.",
        settings=sew_resnet.either_settings(64),
        build=sew_resnet.build_either(resnet.build_18, sew_resnet.build_18),
    ),
    Architecture(
        name="resnet19",
        summary="ResNet-19 of the spiking field: three wide stages and a hidden linear layer.",
        settings=resnet.resnet_settings(128),
        build=resnet.build_19,
    ),
    Architecture(
        name="resnet20",
        summary="ResNet-20 for small images: three narrow stages, shortcuts without parameters.",
        settings=resnet.thin_settings(),
        build=resnet.build_20,
    ),
    Architecture(
        name="resnet34",
        summary="ResNet-34: four stages of three to six basic blocks.",
        settings=sew_resnet.either_settings(64),
        build=sew_resnet.build_either(resnet.build_34, sew_resnet.build_34),
    ),
    Architecture(
        name="sew-resnet18",
        summary="ResNet-18 with spike-element-wise residuals: shortcuts carry spikes.",
        settings=resnet.resnet_settings(64),
        build=sew_resnet.build_18,
    ),
    Architecture(
        name="sew-resnet34",
        summary="ResNet-34 with spike-element-wise residuals: shortcuts carry spikes.",
        settings=resnet.resnet_settings(64),
        build=sew_resnet.build_34,
    ),
    Architecture(
        name="vggsnn",
        summary="Eight 3x3 convolutions with average pools, for event data.",
        settings=vggsnn.SETTINGS,
        build=vggsnn.build,
    ),
    Architecture(
        name="spikformer",
        summary="A transformer with spiking self-attention and a convolutional patch embedding.",
        settings=spikformer.SETTINGS,
        build=spikformer.build,
    ),
    Architecture(
        name="shd-net",
        summary="Two hidden linear layers and a readout, for channels without a map.",
        settings=shd_net.SETTINGS,
        build=shd_net.build,
    ),
)


def architectures() -> Mapping[str, Architecture]:
    """Every known architecture by name."""
    installed = [entry.load() for entry in entry_points(group=ENTRY_POINTS)]
    return {architecture.name: architecture for architecture in (*OURS, *installed)}


def build_network(
    name: str,
    settings: Mapping[str, SettingValue],
    *,
    sample_shape: tuple[int, int, int],
    classes: int,
    options: LayerOptions,
    search_first_layer: bool,
    frames: int = 0,
) -> Network:
    """A network with fresh weights from torch's random state; temporal where the data has frames.

    Raises UnknownNameError or InvalidInputError with the JSON pointer of the field in the job.
    """
    known = architectures()
    if name not in known:
        raise UnknownNameError(
            f"there is no architecture {name!r}.",
            fix=f"Use one of {', '.join(known)}.",
            pointer="/architecture/name",
        )
    given = NetworkInput(
        sample_shape=sample_shape,
        classes=classes,
        options=replace(options, temporal=bool(frames)),
        search_first_layer=search_first_layer,
        frames=frames,
    )
    body = known[name].build(given, checked(known[name].settings, settings))
    return body if isinstance(body, Network) else Network(body)
