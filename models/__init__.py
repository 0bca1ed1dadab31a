"""Tensors of the method: quantizers, neurons, layers, networks, allocations and their costs."""
