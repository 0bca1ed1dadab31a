"""The residual networks that a job may name.

resnet18   stages of 2, 2, 2, 2 blocks at widths w, 2w, 4w, 8w (He et al. 2016)
resnet34   stages of 3, 4, 6, 3 blocks at the same widths
resnet19   stages of 3, 3, 2 blocks at w, 2w, 4w and a hidden linear layer of 2w, the network of the
           spiking field (Zheng et al. 2021), w = 128
resnet20   stages of n, n, n blocks at w, 2w, 4w, with shortcuts that have no parameters, n = 3, w = 16;
           `depth` is n, which makes it ResNet-(6n + 2), and `shortcut` may be projected
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast, get_args

from torch import nn

from models.nets.residual import ResidualNet, ResidualPlan, ShortcutKind, Stem
from models.nets.setting import (
    ChoiceSetting,
    NetworkInput,
    Setting,
    SettingValue,
    WholeSetting,
    width_setting,
)

STEM = ChoiceSetting(default="cifar", choices=("cifar", "imagenet"))


def resnet_settings(width: int) -> Mapping[str, Setting]:
    """The settings of a residual network of a default width."""
    return {"width": width_setting(width), "stem": STEM}


def thin_settings() -> Mapping[str, Setting]:
    """The settings of resnet20, which is made deeper by more blocks in each stage."""
    return {
        **resnet_settings(16),
        "depth": WholeSetting(default=3, minimum=1, maximum=18),
        "shortcut": ChoiceSetting(default="padded", choices=get_args(ShortcutKind)),
    }


def build_18(given: NetworkInput, settings: Mapping[str, SettingValue]) -> nn.Module:
    """ResNet-18 of checked settings."""
    return ResidualNet(given, _plan(settings, (2, 2, 2, 2), "projected"))


def build_34(given: NetworkInput, settings: Mapping[str, SettingValue]) -> nn.Module:
    """ResNet-34 of checked settings."""
    return ResidualNet(given, _plan(settings, (3, 4, 6, 3), "projected"))


def build_19(given: NetworkInput, settings: Mapping[str, SettingValue]) -> nn.Module:
    """ResNet-19 of checked settings."""
    return ResidualNet(given, _plan(settings, (3, 3, 2), "projected", hidden=2 * int(settings["width"])))


def build_20(given: NetworkInput, settings: Mapping[str, SettingValue]) -> nn.Module:
    """ResNet-20 of checked settings."""
    depth, shortcut = int(settings["depth"]), cast(ShortcutKind, settings["shortcut"])
    return ResidualNet(given, _plan(settings, (depth,) * 3, shortcut))


def stem_of(settings: Mapping[str, SettingValue]) -> Stem:
    """The stem that checked settings name."""
    return cast(Stem, settings["stem"])


def _plan(
    settings: Mapping[str, SettingValue],
    blocks: tuple[int, ...],
    shortcut: ShortcutKind,
    hidden: int = 0,
) -> ResidualPlan:
    width = int(settings["width"])
    widths = tuple(width * 2**stage for stage in range(len(blocks)))
    return ResidualPlan(
        blocks=blocks, widths=widths, stem=stem_of(settings), shortcut=shortcut, hidden=hidden
    )
