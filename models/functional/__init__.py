"""Pure tensor functions of the method, differentiable in every tensor argument."""

from models.functional.channels import quantize_channels
from models.functional.fire import fire, spike_rates
from models.functional.frames import fire_frames, regroup
from models.functional.kernels import StepsGradient
from models.functional.quantize import quantize_spikes, quantize_weights
from models.functional.renew import Renewal, closed_form, least_error, renewed

__all__ = [
    "Renewal",
    "StepsGradient",
    "closed_form",
    "fire",
    "fire_frames",
    "least_error",
    "quantize_channels",
    "quantize_spikes",
    "quantize_weights",
    "regroup",
    "renewed",
    "spike_rates",
]
