"""Checkpoints: safetensors for tensors, JSON for the rest, written atomically and verified by hash.

A resume checkpoint is one pair of files, `epoch-N.safetensors` and `epoch-N.json`; the JSON is renamed
into place last and holds the SHA-256 of the tensors, so a kill at any moment leaves the whole pair or none.
Nothing is ever unpickled.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from models.errors import CheckpointDamagedError

Tensors = Mapping[str, torch.Tensor]


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """The state of a trial after an epoch."""

    epoch: int
    tensors: Tensors
    state: Mapping[str, Any]


def save_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Write a resume checkpoint, then remove the older ones."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"epoch-{checkpoint.epoch}"
    sha256 = write_tensors(folder / f"{stem}.safetensors", checkpoint.tensors)
    record = {"epoch": checkpoint.epoch, "sha256": sha256, "state": checkpoint.state}
    write_atomically(folder / f"{stem}.json", json.dumps(record).encode())
    for old in folder.glob("epoch-*"):
        if old.stem != stem:
            old.unlink(missing_ok=True)


def latest_checkpoint(folder: Path) -> Checkpoint | None:
    """The newest whole checkpoint of a trial; damaged ones are passed over."""
    for record in sorted(folder.glob("epoch-*.json"), key=_epoch_of, reverse=True):
        try:
            return _read(record)
        except CheckpointDamagedError:
            continue
    return None


def discard_resume(folder: Path) -> None:
    """Remove the resume checkpoints of a trial whose result is stored; its points stay."""
    for old in folder.glob("epoch-*"):
        old.unlink(missing_ok=True)


def write_tensors(path: Path, tensors: Tensors) -> str:
    """Write a safetensors file atomically and return its SHA-256."""
    content = save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()})
    write_atomically(path, content)
    return hashlib.sha256(content).hexdigest()


def read_tensors(path: Path, sha256: str) -> dict[str, torch.Tensor]:
    """Read a safetensors file; raises CheckpointDamagedError when it is missing, altered or truncated."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CheckpointDamagedError(f"{path.name} cannot be read: {error.strerror}.") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise CheckpointDamagedError(f"{path.name} does not match its recorded SHA-256.")
    try:
        return load(content)
    except SafetensorError as error:
        raise CheckpointDamagedError(f"{path.name} is no safetensors file.") from error


def write_atomically(path: Path, content: bytes) -> None:
    """Write to a neighbour, flush it to disk, rename it into place and flush the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Two attempts of one trial may overlap for a moment; each writes its own neighbour.
    neighbour = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with neighbour.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    neighbour.replace(path)
    _flush_folder(path.parent)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(record_path: Path) -> Checkpoint:
    try:
        record = json.loads(record_path.read_bytes())
        tensors = read_tensors(record_path.with_suffix(".safetensors"), record["sha256"])
        return Checkpoint(epoch=record["epoch"], tensors=tensors, state=record["state"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointDamagedError(f"{record_path.name} is damaged: {error}.") from error


def _epoch_of(record: Path) -> int:
    number = record.stem.removeprefix("epoch-")
    return int(number) if number.isdigit() else -1
