"""The quantizers and the neuron agree with vectors from an independent implementation."""

import json
from pathlib import Path

import pytest
import torch

from models.functional import fire, quantize_spikes, quantize_weights

CASES = json.loads((Path(__file__).parents[3] / "golden" / "quantizers.json").read_text())


def leaf(values, shape=None):
    tensor = torch.tensor(values, dtype=torch.float32)
    return (tensor.reshape(shape) if shape else tensor).requires_grad_()


def compute(case):
    """(output, input, {gradient field: argument}) of a case."""
    x = leaf(case["x"], case.get("shape"))
    if case["kind"] == "neuron":
        arguments = {
            "step_sizes": leaf(case["step_sizes"]),
            "bits": leaf(case["bits"]),
            "steps": leaf(float(case["steps"])),
        }
        return fire(x, **arguments, leak=case["decay"]), x, arguments
    arguments = {"step_size": leaf(case["step_size"]), "bits": leaf(case["bits"])}
    if case["kind"] == "weight":
        return quantize_weights(x, **arguments), x, arguments
    return quantize_spikes(x, **arguments, signed=case["signed"]), x, arguments


def close(actual, expected):
    torch.testing.assert_close(
        actual.detach().flatten(), torch.tensor(expected).flatten(), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c['kind']}-{c['bits']}-{c.get('signed', '')}")
def test_outputs_and_gradients_are_those_of_the_vectors(case):
    output, x, arguments = compute(case)
    close(output, case["y"])
    output.backward(torch.tensor(case["grad_out"]).reshape(output.shape))
    close(x.grad, case["grad_x"])
    for name, argument in arguments.items():
        close(argument.grad, case[f"grad_{name}"])
