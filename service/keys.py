"""API keys: their form, their scopes and how long they live.

A key is `bf_<id>_<secret>`: the id, 12 hexadecimal digits, may be shown and logged; the secret is 256 random
bits in 43 characters. So much chance cannot be guessed, and a plain SHA-256 of it is enough to know it again.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator

from models.errors import InvalidInputError
from service.views import View

Scope = Literal["read", "submit", "admin"]
"""What a key may do; each may do what those before it may."""
SCOPES: tuple[Scope, ...] = get_args(Scope)
KeyState = Literal["usable", "expired", "revoked"]

SECRET_BYTES = 32
_FORM = re.compile(r"bf_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_SIGNING = re.compile(r"whsec_[A-Za-z0-9+/]{8,}=*")  # service.hooks.secrets
_LIFETIME = re.compile(r"([1-9][0-9]{0,4})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiKey:
    """A key as its holder has it."""

    id: str
    secret: str = field(repr=False)

    @property
    def text(self) -> str:
        """The whole key, to be shown once."""
        return f"bf_{self.id}_{self.secret}"


class KeySpec(BaseModel):
    """What a key is made of; `expires` as `lifetime` reads it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(max_length=200)] = ""
    scope: Scope = "submit"
    expires: Annotated[str, Field(max_length=20)] = "90d"

    @field_validator("name")
    @classmethod
    def _printable(cls, name: str) -> str:
        if not name.isprintable():
            raise ValueError("a name has no control characters; write it on one line")
        return name

    @field_validator("expires")
    @classmethod
    def _lifetime(cls, text: str) -> str:
        try:
            lifetime(text)
        except InvalidInputError as error:
            raise ValueError(f"{error.message.removesuffix('.')}; {error.fix.removesuffix('.')}") from None
        return text


class KeyView(View):
    """A key as the administrator sees it: without its secret, which nobody has."""

    id: str
    workspace: str
    name: str
    scope: Scope
    state: KeyState
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None  # to the hour


class NewKeyView(KeyView):
    """A key as it is answered once, when it is made: `key` is all of it."""

    key: str


def new_key() -> ApiKey:
    """A fresh random key."""
    return ApiKey(id=secrets.token_hex(6), secret=secrets.token_urlsafe(SECRET_BYTES))


def parse_key(text: str) -> ApiKey | None:
    """A key from what somebody sent; None where it cannot be one."""
    found = _FORM.fullmatch(text)
    return None if found is None else ApiKey(id=found[1], secret=found[2])


def digest(secret: str) -> str:
    """What is stored of a secret: its SHA-256 in hexadecimal digits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def masked(text: str) -> str:
    """A text with the secret of every key and every webhook in it left out."""
    return _SIGNING.sub("whsec_***", _FORM.sub(r"bf_\1_***", text))


def allows(scope: Scope, needed: Scope) -> bool:
    """Whether a key of a scope may do what needs another."""
    return SCOPES.index(scope) >= SCOPES.index(needed)


def scope_named(text: str) -> Scope:
    """A scope by its name. Raises InvalidInputError."""
    for scope in SCOPES:
        if scope == text:
            return scope
    raise InvalidInputError(f"there is no scope {text[:20]!r}.", fix=f"Use one of {', '.join(SCOPES)}.")


def lifetime(text: str) -> timedelta | None:
    """How long a key lives: `30m`, `12h`, `90d`, `8w`, or None for `never`. Raises InvalidInputError."""
    if text == "never":
        return None
    found = _LIFETIME.fullmatch(text)
    if found is None:
        raise InvalidInputError(
            f"{text[:20]!r} is not a time to live.", fix="Use a number with m, h, d or w, as 90d, or never."
        )
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
