"""Places where checkpoints are kept: a folder of this machine, or any that fsspec has a file system for."""

from workers.places.finding import place_of, redacted
from workers.places.full import is_full
from workers.places.local import LocalPlace, write_atomically
from workers.places.place import Place, Stored, Where
from workers.places.remote import RemotePlace

__all__ = [
    "LocalPlace",
    "Place",
    "RemotePlace",
    "Stored",
    "Where",
    "is_full",
    "place_of",
    "redacted",
    "write_atomically",
]
