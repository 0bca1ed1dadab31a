"""Checkpoints: safetensors for tensors, JSON for the rest, written atomically and verified by hash.

A resume checkpoint is one pair of files, `epoch-N.safetensors` and `epoch-N.json`, after N epochs, or
`epoch-N-step-S` in the middle of the next, after S steps of the training; the JSON is written last and
holds the SHA-256 of the tensors, so a kill at any moment leaves the whole pair or none.
The one before the newest is kept too, for when the newest was altered since. Nothing is ever unpickled.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from models.errors import CheckpointDamagedError
from workers.places import Place, Stored, Where, place_of, write_atomically

Tensors = Mapping[str, torch.Tensor]
STEM = re.compile(r"epoch-(?P<epochs>\d+)(?:-step-(?P<steps>\d+))?")


class Readable(Protocol):
    """A file of this machine (a `Path`) or of a place (`Stored`)."""

    @property
    def name(self) -> str:
        """Its name without its folder."""

    def read_bytes(self) -> bytes:
        """Its content."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """The state of a trial after so many epochs, and within the next after so many steps of the training."""

    epoch: int
    tensors: Tensors
    state: Mapping[str, Any]
    step: int | None = None  # None between two epochs

    @property
    def stem(self) -> str:
        """The name of its files without their endings."""
        return f"epoch-{self.epoch}" + ("" if self.step is None else f"-step-{self.step}")


def save_checkpoint(folder: Where, checkpoint: Checkpoint) -> None:
    """Write a resume checkpoint, then remove all but it and the one before. Raises StorageError."""
    place = place_of(folder)
    stem = checkpoint.stem
    content = to_bytes(checkpoint.tensors)
    sha256 = hashlib.sha256(content).hexdigest()
    place.write(f"{stem}.safetensors", content)
    record = {
        "epoch": checkpoint.epoch,
        "step": checkpoint.step,
        "sha256": sha256,
        "state": checkpoint.state,
    }
    place.write(f"{stem}.json", json.dumps(record).encode())
    _keep_newest(place, stem)


def latest_checkpoint(folder: Where) -> Checkpoint | None:
    """The newest whole checkpoint of a trial; damaged ones are passed over.

    Raises StorageError: where a place does not answer, nothing says that there is no checkpoint.
    """
    place = place_of(folder)
    for record in sorted(_records(place), key=_age_of, reverse=True):
        try:
            return _read(place, record)
        except CheckpointDamagedError:
            continue
    return None


def discard_resume(folder: Where) -> None:
    """Remove the resume checkpoints of a trial whose result is stored; its points stay."""
    place = place_of(folder)
    for name in place.names():
        if is_resume(name):
            place.remove(name)


def is_resume(name: str) -> bool:
    """Whether a file of a trial's folder serves its resuming, and no point."""
    return name.startswith("epoch-")


def to_bytes(tensors: Tensors) -> bytes:
    """The content of a safetensors file."""
    return save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()})


def write_tensors(path: Path, tensors: Tensors) -> str:
    """Write a safetensors file atomically and return its SHA-256."""
    content = to_bytes(tensors)
    write_atomically(path, content)
    return hashlib.sha256(content).hexdigest()


def read_tensors(file: Readable, sha256: str) -> dict[str, torch.Tensor]:
    """Read a safetensors file; raises CheckpointDamagedError when it is missing, altered or truncated.

    Raises StorageError where the place of a stored file does not answer.
    """
    content = read_checked(file, sha256)
    try:
        return load(content)
    except SafetensorError as error:
        raise CheckpointDamagedError(f"{file.name} is no safetensors file.") from error


def read_checked(file: Readable, sha256: str) -> bytes:
    """The content of a file that has this hash. Raises as `read_tensors` does."""
    try:
        content = file.read_bytes()
    except OSError as error:
        reason = error.strerror or "it is not there"
        raise CheckpointDamagedError(f"{file.name} cannot be read: {reason}.") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise CheckpointDamagedError(f"{file.name} does not match its recorded SHA-256.")
    return content


def _records(place: Place) -> list[str]:
    return [name for name in place.names() if is_resume(name) and name.endswith(".json")]


def _keep_newest(place: Place, newest: str) -> None:
    """Should the newest turn out damaged, the one before is still there to go on from."""
    before = max(
        (name for name in _records(place) if name != f"{newest}.json" and _age_of(name) < _age_of(newest)),
        key=_age_of,
        default=newest,
    )
    kept = {newest, before.partition(".")[0]}
    for name in place.names():
        if is_resume(name) and name.partition(".")[0] not in kept:
            place.remove(name)


def _read(place: Place, name: str) -> Checkpoint:
    try:
        record = json.loads(place.read(name))
        file = Stored(place=place, name=name.replace(".json", ".safetensors"))
        tensors = read_tensors(file, record["sha256"])
        return Checkpoint(
            epoch=record["epoch"], step=record.get("step"), tensors=tensors, state=record["state"]
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointDamagedError(f"{name} is damaged: {error}.") from error


def _age_of(name: str) -> tuple[int, int]:
    """(epochs, steps) of a checkpoint's file, as they follow one another; of other files less than any."""
    found = STEM.fullmatch(name.partition(".")[0])
    return (-1, 0) if found is None else (int(found["epochs"]), int(found["steps"] or 0))
