"""Start from a float checkpoint: the weights and norms of a network, by name, in a safetensors file.

A job names a file of the folder `warm-starts` inside the data folder, without its ending. Names are those of
`Network.state_dict`, without bits and step sizes; the float twin of a network has the same.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load

from models.errors import DataDamagedError, DataMissingError, InvalidInputError
from models.nets import Network
from workers.checkpoints import Tensors, write_tensors

FOLDER = "warm-starts"
POINTER = "/training/warm_start"
MOST_NAMED = 5
"""Names that a message lists; more would hide what is wrong."""


def warm_start_path(name: str, data_folder: Path) -> Path:
    """Where a warm start is kept."""
    return data_folder / FOLDER / f"{name}.safetensors"


def warm_start_stamp(name: str, data_folder: Path) -> str:
    """The SHA-256 of a warm start. Raises DataMissingError."""
    return hashlib.sha256(_content(name, data_folder)).hexdigest()


def save_warm_start(network: Network, name: str, data_folder: Path) -> str:
    """Keep the weights and norms of a network or a float twin; gives the SHA-256 of the file."""
    return write_tensors(warm_start_path(name, data_folder), _weights(network))


def load_warm_start(network: Network, name: str, data_folder: Path) -> None:
    """Take up the weights and norms of a warm start.

    Raises DataMissingError, DataDamagedError, or InvalidInputError, which lists what does not fit.
    """
    try:
        found = load(_content(name, data_folder))
    except SafetensorError as error:
        raise DataDamagedError(f"{name}.safetensors is no safetensors file.", pointer=POINTER) from error
    wanted = _weights(network)
    _check(name, wanted, found)
    with torch.no_grad():
        for key, value in wanted.items():
            value.copy_(found[key])


def _weights(network: Network) -> Tensors:
    """The very tensors of weights and norms, by name."""
    quantizers = tuple(f"body.{name}.{part}." for name in network.layers for part in ("neuron", "quantizer"))
    return {key: value for key, value in network.state_dict().items() if not key.startswith(quantizers)}


def _check(name: str, wanted: Tensors, found: Tensors) -> None:
    missing = [key for key in wanted if key not in found]
    other = [
        f"{key} {list(found[key].shape)} for {list(value.shape)}"
        for key, value in wanted.items()
        if key in found and found[key].shape != value.shape
    ]
    if missing or other:
        told = [_listed("missing", missing), _listed("of another shape", other)]
        raise InvalidInputError(
            f"{name}.safetensors does not fit the network: {'; '.join(part for part in told if part)}.",
            fix="Use one of the same architecture, with the same settings and as many classes.",
            pointer=POINTER,
        )


def _listed(what: str, keys: list[str]) -> str:
    if not keys:
        return ""
    more = f" and {len(keys) - MOST_NAMED} more" if len(keys) > MOST_NAMED else ""
    return f"{what}: {', '.join(keys[:MOST_NAMED])}{more}"


def _content(name: str, data_folder: Path) -> bytes:
    path = warm_start_path(name, data_folder)
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataMissingError(
            f"there is no warm start {name!r}.", fix=f"Put it there: {path}.", pointer=POINTER
        ) from error
