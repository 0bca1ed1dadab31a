"""Architectures, their registry and their layer tables."""

from models.nets.adapt import adapt
from models.nets.fold import folded
from models.nets.layer_table import layer_table
from models.nets.network import Network
from models.nets.registry import Architecture, architectures, build_network
from models.nets.setting import ChoiceSetting, NetworkInput, RealSetting, Setting, WholeSetting
from models.nets.twin import float_twin

__all__ = [
    "Architecture",
    "ChoiceSetting",
    "Network",
    "NetworkInput",
    "RealSetting",
    "Setting",
    "WholeSetting",
    "adapt",
    "architectures",
    "build_network",
    "float_twin",
    "folded",
    "layer_table",
]
