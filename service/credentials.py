"""Where a client finds its key: in the environment, or in a file that the environment names.

Never on a command line, where every user of the machine could read it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from models.errors import InvalidInputError

KEY_VARIABLE = "BITFRONT_API_KEY"
FILE_VARIABLE = "BITFRONT_API_KEY_FILE"


def key_from_environment(environment: Mapping[str, str] = os.environ) -> str | None:
    """The key, or None where none is set. Raises InvalidInputError for a file that cannot be read."""
    key = environment.get(KEY_VARIABLE, "").strip()
    file = environment.get(FILE_VARIABLE, "").strip()
    if key or not file:
        return key or None
    try:
        return Path(file).expanduser().read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise InvalidInputError(f"{FILE_VARIABLE} names {file}, which cannot be read: {reason}.") from None


def without_key(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment for a child process that calls nobody: without the key."""
    return {name: value for name, value in environment.items() if name != KEY_VARIABLE}
