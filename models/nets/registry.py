"""The architectures that a job may name: ours, and those of installed packages.

A package adds one with an entry point in the group `bitfront.architectures` that names an `Architecture`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points

from torch import nn

from models.errors import UnknownNameError
from models.layers import LayerOptions
from models.nets import conv_net, resnet
from models.nets.network import Network
from models.nets.setting import NetworkInput, Setting, SettingValue, checked

ENTRY_POINTS = "bitfront.architectures"


@dataclass(frozen=True, kw_only=True, slots=True)
class Architecture:
    """A network that a job may name; `build` gets the input and settings that are already checked."""

    name: str
    summary: str
    settings: Mapping[str, Setting]
    build: Callable[[NetworkInput, Mapping[str, SettingValue]], nn.Module]


OURS = (
    Architecture(
        name="conv-net",
        summary="Four 3x3 convolutions and a classifier, for images from 8x8 up.",
        settings=conv_net.SETTINGS,
        build=conv_net.build,
    ),
    Architecture(
        name="resnet20",
        summary="ResNet-20 for small images, with shortcuts of the residual current.",
        settings=resnet.SETTINGS,
        build=resnet.build,
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
    """A network with fresh weights from torch's random state.

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
        options=options,
        search_first_layer=search_first_layer,
        frames=frames,
    )
    return Network(known[name].build(given, checked(known[name].settings, settings)))
