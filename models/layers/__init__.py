"""Modules of the method, from one learned bit width to a whole adaptive layer."""

from models.layers.adaptive import AdaptiveLayer, Operator
from models.layers.bit_width import BitWidth
from models.layers.bounded import Bounded, constrain
from models.layers.neuron import SpikingNeuron
from models.layers.options import QUANTITIES, InitialBits, LayerOptions, Quantity
from models.layers.spiking import SpikingLayer, WeightlessLayer
from models.layers.weight_quantizer import WeightQuantizer

__all__ = [
    "QUANTITIES",
    "AdaptiveLayer",
    "BitWidth",
    "Bounded",
    "InitialBits",
    "LayerOptions",
    "Operator",
    "Quantity",
    "SpikingLayer",
    "SpikingNeuron",
    "WeightQuantizer",
    "WeightlessLayer",
    "constrain",
]
