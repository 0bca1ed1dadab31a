"""The neuron written with straight-through operations alone, so that autograd derives every gradient.

It shares no code with the package. The scale k of the step sizes is not a derivative but a convention, so it
is applied as a scaled identity.
"""

import math

import torch

LN2 = math.log(2.0)


def exactly(value, gradient):
    """`value` with the gradient of `gradient`."""
    return value.detach() + gradient - gradient.detach()


def scaled(tensor, scale):
    """The tensor itself, whose gradient is multiplied by `scale`."""
    return exactly(tensor, tensor * scale)


def top_of(bits, signed):
    """Q as a tensor whose gradient is ln2 * (Q + 1), or ln2 * Q for binary ones, and whether it is binary."""
    B = max(1, math.floor(bits.item() + 0.5))
    Q = max(1, 2 ** (B - 1) - 1) if signed else 2**B - 1
    slope = LN2 * (Q if B == 1 else Q + 1)
    return exactly(torch.tensor(float(Q), dtype=bits.dtype), bits * slope), B == 1


def rounded(w, signed, binary):
    """The level of each w before clipping; a binary one decides by a threshold."""
    if binary:
        return torch.where(w > 0, 1.0, -1.0) if signed else torch.where(w > 0.5, 1.0, 0.0)
    return torch.sign(w) * torch.floor(w.abs() + 0.5)


def spike(u, V, bits, z, signed):
    """s = V * (clip(r(u/V - z)) + z) with the rounding passed straight through."""
    Q, binary = top_of(bits, signed)
    w = u / V - z
    low = -Q if signed else torch.zeros_like(Q)
    inside = exactly(rounded(w.detach(), signed, binary), w)
    clipped = torch.where(w > Q, Q, torch.where(w < low, low, inside))
    return V * (clipped + z)


def neuron(x, V, bits, steps, leak, *, signed, shifts, framed):
    """`fire`, or `fire_frames` on regrouped frames: one spike tensor per step, then the average."""
    T = min(max(1, math.floor(steps.item() + 0.5)), len(V))
    spikes, rest = [], None
    count = x[0].numel() if framed else x.numel()
    for t in range(T):
        given = x[t] if framed else x
        u = given if rest is None else given + leak * rest
        Q = top_of(bits[t], signed)[0].item()
        s = spike(u, scaled(V[t], 1 / math.sqrt(max(count, 1) * Q)), bits[t], shifts[t], signed)
        rest = (u - s).detach()
        spikes.append(s)
    divisor = exactly(torch.tensor(float(T), dtype=x.dtype), steps).squeeze()
    if framed:  # the classifier's average would divide by T: value kept, gradient of the divisor alone
        return torch.stack([exactly(s, s) + s.detach() * T * (1 / divisor - 1 / T) for s in spikes])
    return sum(spikes[1:], spikes[0]) / divisor
