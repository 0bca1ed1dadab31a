"""The secrets that messages are signed with (https://www.standardwebhooks.com, symmetric signatures).

    signature = base64(HMAC-SHA256(secret, id "." timestamp "." body)),  header "v1," signature

A secret has to be there whenever a message is sent, so it cannot be kept as a hash: it is kept encrypted by
Fernet (AES-128 in CBC mode with an HMAC-SHA256), under a key that is not in the database.
"""

from __future__ import annotations

import base64
import os
import secrets
import tempfile
from datetime import datetime
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from standardwebhooks import Webhook

from models.errors import BitfrontError
from service.settings import Settings

SECRET_BYTES = 32
PREFIX = "whsec_"


class SecretUnreadableError(BitfrontError):
    """A stored secret that the key of this service does not open."""

    code = "secret_unreadable"


def new_secret() -> str:
    """A fresh signing secret, as its receiver keeps it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signed_headers(secret: str, *, message: str, moment: datetime, body: str) -> dict[str, str]:
    """The headers that go with a body; `moment` is in UTC."""
    return {
        "webhook-id": message,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret).sign(message, moment, body),
    }


class SecretBox:
    """Encrypts secrets for the database, and opens them again."""

    def __init__(self, key: str | bytes) -> None:
        self._fernet = Fernet(key)

    @classmethod
    def of(cls, settings: Settings) -> SecretBox:
        """With the key of the settings, or else of the file in the home, which is made at first use."""
        return cls(settings.webhook_key or _key_in(settings.webhook_key_file))

    def seal(self, secret: str) -> str:
        """What is stored of a secret."""
        return self._fernet.encrypt(secret.encode()).decode()

    def open(self, sealed: str) -> str:
        """The secret. Raises SecretUnreadableError where another key sealed it."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise SecretUnreadableError(
                "the secret was encrypted under another key than this service has.",
                fix="Bring back <home>/webhook-key or BITFRONT_WEBHOOK_KEY, or make the webhook anew.",
            ) from None


def _key_in(path: Path) -> bytes:
    """The key in a file, readable by its owner alone; of two processes that make it, one wins."""
    if not path.exists():
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # its mode is 0600
        with os.fdopen(handle, "wb") as file:
            file.write(Fernet.generate_key())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(name, path)
        except FileExistsError:
            pass
        finally:
            Path(name).unlink()
    return path.read_bytes().strip()
