"""From a path or a URL to a place."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from models.errors import InvalidInputError
from workers.places.local import LocalPlace
from workers.places.place import Place, Where
from workers.places.remote import RemotePlace

EXTRAS = {"s3": 'pip install "bitfront[s3]"', "s3a": 'pip install "bitfront[s3]"'}
FRESH = {"use_listings_cache": False}
"""A listing that fsspec kept would not show what other processes have written since."""


def place_of(where: Where) -> Place:
    """The place that a path or a URL names; a place is its own. Raises InvalidInputError."""
    if isinstance(where, Path):
        return LocalPlace(where)
    return _named(where) if isinstance(where, str) else where


def redacted(url: str) -> str:
    """A URL that may be shown: without user, password, query and fragment."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


@lru_cache(maxsize=64)
def _named(url: str) -> Place:
    protocol, separator, rest = url.partition("://")
    if not separator:
        return LocalPlace(Path(url).expanduser())
    if protocol in {"file", "local"}:
        return LocalPlace(Path(f"/{rest.lstrip('/')}"))
    _require_no_secret(url)
    return _remote(protocol, url)


def _remote(protocol: str, url: str) -> RemotePlace:
    from fsspec.core import url_to_fs  # what keeps its checkpoints in a folder needs none of it

    try:
        files, path = url_to_fs(url, **FRESH)
    except ImportError as error:
        fix = EXTRAS.get(protocol, "Install the package that fsspec names for it.")
        raise InvalidInputError(f"{protocol}:// needs a package that is not installed.", fix=fix) from error
    except ValueError as error:
        raise InvalidInputError(
            f"{redacted(url)} is no place for checkpoints.",
            fix="Give a folder, or a URL such as s3://bucket/folder.",
        ) from error
    if not path.strip("/"):
        raise InvalidInputError(f"{redacted(url)} names no bucket.", fix="Give s3://bucket/folder.")
    return RemotePlace(files, path, protocol)


def _require_no_secret(url: str) -> None:
    """Places are written into logs and told to workers; credentials must not be part of them."""
    parts = urlsplit(url)
    if parts.password is not None or parts.query or parts.fragment or "::" in url:
        raise InvalidInputError(
            f"{redacted(url)} was given with a password, a query or a chain of URLs.",
            fix="Give the bare URL; credentials come from the environment, as docs/operations.md says.",
        )
