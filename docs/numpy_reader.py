"""Reads and runs an integer export with NumPy alone: export.md in code. It imports nothing of Bitfront.

    python numpy_reader.py DIR SAMPLES.npy    prints a class per sample

It trusts the export; `bitfront verify` is what checks one. Samples are [B, C, H, W], or [B, F, C, H, W] of
event data, as the data set stores them: bytes, or float32.
"""

import json
import sys
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from safetensors.numpy import load_file


def load(folder):
    """(manifest, tensors with the weights unpacked to integers)."""
    manifest = json.loads((Path(folder) / "manifest.json").read_text())
    assert manifest["format"] == "bitfront-integers"  # noqa: S101 - a script's check
    assert manifest["version"] in (1, 2)  # noqa: S101 - a script's check
    tensors = load_file(Path(folder) / "tensors.safetensors")
    for node in manifest["nodes"]:
        if "weight_bits" in node:
            name = f"{node['name']}.weight"
            tensors[name] = unpack(tensors[name], node["weight_shape"], node["weight_bits"])
    return manifest, tensors


def unpack(content, shape, widths):
    """The packed weights as whole numbers of a shape [O, ...]."""
    stream = np.unpackbits(content, bitorder="little").astype(np.int64)
    rows, at, size = [], 0, int(np.prod(shape[1:]))
    for B in widths * shape[0] if len(widths) == 1 else widths:
        codes = stream[at : at + size * B].reshape(size, B) @ (1 << np.arange(B))
        rows.append(2 * codes - 1 if B == 1 else codes - ((codes >> (B - 1)) << B))
        at += size * B
    return np.stack(rows).reshape(shape)


def run(manifest, tensors, samples, seen=None):
    """Whole logits [B, K]; `seen` is filled with the spikes of every layer, [T, B, ...]."""
    frames, edges = manifest["input"]["frames"], {"input": currents(manifest, tensors, samples)}
    for node in manifest["nodes"]:
        values = [edges[name] for name in node["inputs"]]
        if "steps" in node:
            edges[node["name"]] = layer(node, tensors, values[0], frames, seen)
        elif node["op"] == "attention":
            edges[node["name"]] = attention(node, tensors, *values)
        else:
            edges[node["name"]] = OPERATIONS[node["op"]](node, *values)
    logits = edges[manifest["nodes"][-1]["name"]]
    return logits.sum(0)  # frames, or the one of an image


def currents(manifest, tensors, samples):
    """Samples [B, ...] as input currents [frames, B, C, H, W]; images have one frame."""
    x = samples if manifest["input"]["frames"] else samples[:, None]
    if manifest["input"]["stored"] == "uint8":
        x = x.astype(np.float32) / np.float32(255)
    x = (x - tensors["input.mean"][:, None, None]) / tensors["input.scale"][:, None, None]
    scaled = x.astype(np.float64) * 2.0 ** manifest["fraction_bits"]
    whole = np.sign(scaled) * np.floor(np.abs(scaled) + (0.5 - 2.0**-54))
    assert (np.abs(whole) <= manifest["input"]["limit"]).all()  # noqa: S101 - a script's check
    return np.swapaxes(whole.astype(np.int64), 0, 1)


def layer(node, tensors, x, frames, seen):
    """A neuron of T steps, its operator, and the current that comes out: [T, B, ...], or [1, B, ...]."""
    name, T = node["name"], node["steps"]
    spikes = neuron(node, tensors, regroup(x, T) if frames else x, frames)
    if seen is not None:
        seen[name] = np.stack(spikes)
    if node["op"] == "operand":
        return np.stack(spikes)
    after, weight = [1] * (x.ndim - 3), tensors.get(f"{name}.weight")
    outputs = [
        operate(node, n, weight) * M.reshape(-1, *after)
        for n, M in zip(spikes, tensors[f"{name}.multiplier"], strict=True)
    ]
    if node.get("shifted"):
        ones = operate(node, np.ones_like(spikes[0]), weight)
        offsets = tensors[f"{name}.offset"]
        outputs = [out + ones * N.reshape(-1, *after) for out, N in zip(outputs, offsets, strict=True)]
    bias = tensors[f"{name}.bias"].reshape(-1, *after)
    return np.stack(outputs) + bias if frames else (sum(outputs) + bias)[None]


def neuron(node, tensors, x, frames):
    """The integer spikes of every step."""
    name, spikes, rest = node["name"], [], np.zeros_like(x[0])
    shifts = tensors.get(f"{name}.shift", [0] * node["steps"])
    thresholds = tensors[f"{name}.threshold"]
    for t, (V, B, Z) in enumerate(zip(thresholds, node["spike_bits"], shifts, strict=True)):
        u = x[t if frames else 0] + leaked(rest, node.get("leak")) - Z
        n = levels(u, V, B, node["signed"])
        rest = u - n * V
        spikes.append(n)
    return spikes


def leaked(rest, D):
    """floor((D rest + 2^29) / 2^30), in two halves so that no product leaves 64 bits."""
    if D is None:
        return rest
    return ((rest >> 20) * D + (((rest & (2**20 - 1)) * D + 2**29) >> 20)) >> 10


def attention(node, tensors, *operands):
    """Sums of products of one step of each operand [T, B, D, H, W]; the step T is all ones."""
    terms, multiplier = tensors[f"{node['name']}.terms"], tensors[f"{node['name']}.multiplier"]
    _, B, D, H, W = operands[0].shape
    q, k, v = ([tokens(n, node["heads"]) for n in (*one, np.ones_like(one[0]))] for one in operands)
    found = np.zeros((terms[:, 0].max() + 1, *v[0].shape), np.int64)
    for (t, i, j, m), M in zip(terms, multiplier, strict=True):
        found[t] += M * ((q[i] @ np.swapaxes(k[j], 2, 3)) @ v[m]).astype(np.int64)
    return np.swapaxes(found, 3, 4).reshape(-1, B, D, H, W)


def tokens(n, heads):
    """Maps [B, D, H, W] as heads of pixels [B, heads, H W, D / heads], in float64 as above."""
    return np.swapaxes(n.astype(np.float64).reshape(len(n), heads, n.shape[1] // heads, -1), 2, 3)


def levels(u, V, B, signed):
    """The integer spikes of potentials."""
    if B == 1:
        return np.where(u > 0, 1, -1) if signed else (2 * u > V).astype(np.int64)
    Q = 2 ** (B - 1) - 1 if signed else 2**B - 1
    n = np.minimum((2 * np.abs(u) + V) // (2 * V), Q)
    return np.sign(u) * n if signed else np.where(u > 0, n, 0)


def operate(node, n, w):
    """A convolution, a matrix product, or nothing. Sums stay below 2^53, so float64 holds them exactly."""
    if node["op"] == "spikes":
        return n
    if node["op"] == "linear":
        return (n.astype(np.float64) @ w.T.astype(np.float64)).astype(np.int64)
    (sy, sx), (py, px), (dy, dx) = node["stride"], node["padding"], node["dilation"]
    padded = np.pad(n, ((0, 0), (0, 0), (py, py), (px, px))).astype(np.float64)
    window = (dy * (w.shape[2] - 1) + 1, dx * (w.shape[3] - 1) + 1)
    parts = []
    for part, kernel in zip(
        np.split(padded, node["groups"], 1), np.split(w.astype(np.float64), node["groups"]), strict=True
    ):
        seen = sliding_window_view(part, window, (2, 3))[:, :, ::sy, ::sx, ::dy, ::dx]
        parts.append(np.moveaxis(np.tensordot(seen, kernel, ([1, 4, 5], [1, 2, 3])), -1, 1))
    return np.concatenate(parts, 1).astype(np.int64)


def mean(total, count):
    """A rounded mean."""
    return (2 * total + count) // (2 * count)


def regroup(x, T):
    """[F, ...] to [T, ...]: neighbours averaged, or frames held."""
    F = len(x)
    starts = [t * F // T for t in range(T + 1)]
    if T >= F:
        return x[starts[:-1]]
    return np.stack([mean(x[starts[t] : starts[t + 1]].sum(0), starts[t + 1] - starts[t]) for t in range(T)])


def add(node, branch, shortcut):
    """The frames of the shortcut follow those of the branch."""
    return branch + regroup(shortcut, len(branch))


def subsample(node, x):
    """Every stride-th pixel, and channels of zeros."""
    kept = x[..., :: node["stride"], :: node["stride"]]
    return np.pad(kept, ((0, 0), (0, 0), (0, node["added"]), (0, 0), (0, 0)))


def pool(node, x):
    """Windows that begin every `stride` pixels from `-padding`; only what lies inside the map counts."""
    places = [
        window_places(side, *(node[name][axis] for name in ("kernel", "stride", "padding")), node["ceil"])
        for axis, side in enumerate(x.shape[-2:])
    ]
    found = [[x[..., a:b, c:d] for c, d in places[1]] for a, b in places[0]]
    if node["op"] == "max_pool":
        values = [[part.max((-2, -1)) for part in row] for row in found]
    else:
        values = [
            [mean(part.sum((-2, -1)), part.shape[-2] * part.shape[-1]) for part in row] for row in found
        ]
    return np.stack([np.stack(row, -1) for row in values], -2)


def window_places(side, kernel, stride, padding, ceil):
    """The (begin, end) of every window along a side."""
    span = side + 2 * padding - kernel
    count = (-(-span // stride) if ceil else span // stride) + 1
    if ceil and (count - 1) * stride >= side + padding:
        count -= 1
    begins = [number * stride - padding for number in range(count)]
    return [(max(begin, 0), min(begin + kernel, side)) for begin in begins]


OPERATIONS = {
    "add": add,
    "subsample": subsample,
    "mean_pool": pool,
    "max_pool": pool,
    "map_mean": lambda node, x: mean(x.sum((-2, -1)), x.shape[-2] * x.shape[-1]),
    "flatten": lambda node, x: x.reshape(*x.shape[:2], -1),
    "relu": lambda node, x: np.maximum(x, 0),
}

if __name__ == "__main__":
    found = run(*load(sys.argv[1]), np.load(sys.argv[2]))
    print(*found.argmax(1), sep="\n")
