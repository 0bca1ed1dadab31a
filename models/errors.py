"""The one exception tree of Bitfront.

Every error a user can meet carries a stable `code`, the field it is about as a JSON pointer (empty
when it is about no field), what is wrong, and how to mend it.
"""

from __future__ import annotations


class BitfrontError(Exception):
    """Base of every error that Bitfront raises on purpose."""

    code = "bitfront_error"

    def __init__(self, message: str, *, fix: str = "", pointer: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        self.pointer = pointer

    def __str__(self) -> str:
        return f"{self.message} {self.fix}".strip()


class InvalidInputError(BitfrontError):
    """A value that a user gave is not acceptable."""

    code = "invalid_input"


class UnknownNameError(InvalidInputError):
    """A name (architecture, data set, method, metric) that is not registered."""

    code = "unknown_name"


class InfeasibleError(InvalidInputError):
    """A budget or constraint below the least cost that any allocation of the space has."""

    code = "infeasible"


class DataMissingError(BitfrontError):
    """The files of a data set are not where they should be."""

    code = "data_missing"


class DataDamagedError(BitfrontError):
    """The files of a data set are there but truncated, altered or of another format."""

    code = "data_damaged"


class CheckpointDamagedError(BitfrontError):
    """A checkpoint does not match the hash that was recorded with it."""

    code = "checkpoint_damaged"


class StorageError(BitfrontError):
    """The place where checkpoints or rows are kept cannot be reached, is full or may not be written."""

    code = "storage_unavailable"


class ExportUnsupportedError(InvalidInputError):
    """A network with a part that the integer export cannot express."""

    code = "export_unsupported"


class ExportDamagedError(InvalidInputError):
    """An integer export that is truncated, altered, inconsistent or of another version."""

    code = "export_damaged"


class NanLossError(BitfrontError):
    """The training loss is no longer a number."""

    code = "nan_loss"


class ReplicaLostError(BitfrontError):
    """A process that trains a replica of the same network does not answer."""

    code = "replica_lost"


class ReplicasApartError(BitfrontError):
    """Replicas of one training that no longer hold the same network."""

    code = "replicas_apart"


class ClusterUnavailableError(BitfrontError):
    """The Ray cluster that searches are to run on cannot be reached or joined."""

    code = "cluster_unavailable"
