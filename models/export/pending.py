"""Currents between layers, of which some are not computed until they are read.

What reads a current most often is one neuron. Its spikes are then found while the current is in the
cache, and the current itself, eight bytes for each value, is never written (`compiled_passes`).
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from models.export.nodes import INPUT, AddNode
from models.export.operations import add

if TYPE_CHECKING:
    from models.export.arithmetic import Operation
    from models.export.passes import Passes


@dataclass(frozen=True, kw_only=True, slots=True)
class Pending:
    """A current without frames that is not computed yet: the levels [T B, ...] of the layer that makes it,
    and what is added. `spent`: nothing reads the shortcut any more, and the current may lie in its place.
    """

    passes: Passes
    operation: Operation
    n: torch.Tensor
    shortcut: torch.Tensor | None = None
    spent: bool = False

    def current(self) -> torch.Tensor:
        """[B, O, ...], float64."""
        return self.passes.current(self)


class Currents:
    """The output of every node so far, by its name; `readers` names all that read each, in their order."""

    def __init__(self, x: torch.Tensor, readers: Mapping[str, Sequence[str]]) -> None:
        self._found: dict[str, torch.Tensor | Pending] = {INPUT: x}
        self._readers = readers

    def __setitem__(self, name: str, value: torch.Tensor | Pending) -> None:
        self._found[name] = value

    def __getitem__(self, name: str) -> torch.Tensor:
        """A node's output, computed if it is not yet."""
        found = self._found[name]
        if isinstance(found, Pending):
            found = self._found[name] = found.current()
        return found

    def unread(self, name: str) -> torch.Tensor | Pending:
        """A node's output as it is."""
        return self._found[name]

    def read_once(self, name: str) -> bool:
        """Whether nothing else reads it, so that its memory may hold what is made of it."""
        return len(self._readers[name]) == 1

    def sum_of(self, node: AddNode, *, framed: bool, own: Container[str]) -> torch.Tensor | Pending:
        """The residual sum; `own`: nodes whose outputs lie in memory that no other output shares."""
        branch, once = self._found[node.branch], self.read_once(node.branch)
        if isinstance(branch, Pending) and branch.shortcut is None and once:
            spent = node.shortcut in own and self._readers[node.shortcut][-1] == node.name
            return replace(branch, shortcut=self[node.shortcut], spent=spent)
        branch, free = self[node.branch], node.branch in own and once
        return add(branch, self[node.shortcut], framed=framed, into=branch if free else None)
