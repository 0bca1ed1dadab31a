"""API keys and the browsers that are signed in with them; all times are the database's.

Their rows are outside what binds a unit to a workspace: callers are found among the keys of all. Who asks for
the keys of one workspace alone says so.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select, update

from service.errors import KeyRefusedError, NotFoundError
from service.keys import SECRET_BYTES, ApiKey, KeyState, KeyView, Scope, digest, new_key, parse_key
from service.store.tables import Key, SignIn, Workspace
from service.store.transaction import Repository

USE_NOTED_EVERY = timedelta(hours=1)
"""A key's last use is written down no more often, so that reading does not become writing."""
SIGN_IN_LASTS = timedelta(hours=12)
_UNKNOWN = "this is not a key of this service."


class KeyRepository(Repository):
    """Makes, checks and revokes keys."""

    def create(
        self, *, workspace: str, name: str, scope: Scope, lives: timedelta | None
    ) -> tuple[KeyView, ApiKey]:
        """Make a key; its secret is nowhere else afterwards. Raises NotFoundError for no such workspace."""
        session = self._transaction.write()
        if session.get(Workspace, workspace) is None:
            fix = f"Make it: bitfront workspaces create {workspace}"
            raise NotFoundError(f"there is no workspace {workspace!r}.", fix=fix)
        key, now = new_key(), self._transaction.now()
        row = Key(
            id=key.id,
            workspace_id=workspace,
            name=name,
            scope=scope,
            secret_sha256=digest(key.secret),
            created_at=now,
            expires_at=None if lives is None else now + lives,
        )
        session.add(row)
        session.flush()
        return _view(row, now), key

    def all(self, workspace: str | None = None) -> list[KeyView]:
        """Every key, or those of a workspace, newest first, whatever their state."""
        query = select(Key).order_by(Key.created_at.desc(), Key.id)
        if workspace is not None:
            query = query.where(Key.workspace_id == workspace)
        now = self._transaction.now()
        return [_view(row, now) for row in self._session.scalars(query)]

    def revoke(self, key_id: str, workspace: str | None = None) -> KeyView:
        """End a key and every sign-in with it, for good; again changes nothing.

        Raises NotFoundError, for a key of another workspace than a given one too.
        """
        session = self._transaction.write()
        row = session.get(Key, key_id)
        if row is None or workspace not in {None, row.workspace_id}:
            raise NotFoundError(f"there is no key {key_id[:80]!r}.", fix="`bitfront keys list` shows them.")
        now = self._transaction.now()
        row.revoked_at = row.revoked_at or now
        session.execute(delete(SignIn).where(SignIn.key_id == key_id))
        session.flush()
        return _view(row, now)

    def check(self, text: str) -> KeyView:
        """The key that somebody sent. Raises KeyRefusedError, which tells its state to its holder only."""
        sent = parse_key(text)
        row = self._session.get(Key, sent.id) if sent else None
        if sent is None or row is None or not hmac.compare_digest(row.secret_sha256, digest(sent.secret)):
            raise KeyRefusedError("invalid_key", _UNKNOWN)
        return _usable(_view(row, self._transaction.now()))

    def usable(self, key_id: str, *, sign_in: str | None = None) -> bool:
        """Whether a key still opens anything; with the digest of a sign-in, whether that is not over."""
        row, now = self._session.get(Key, key_id), self._transaction.now()
        if row is None or _state(row, now) != "usable":
            return False
        browser = self._session.get(SignIn, sign_in) if sign_in else None
        return sign_in is None or (browser is not None and browser.expires_at > now)

    def any_ever(self) -> bool:
        """Whether a key was ever made: a service whose keys have all ended must not fall open."""
        return self._session.scalar(select(Key.id).limit(1)) is not None

    def any_usable(self) -> bool:
        """Whether there is a key that opens anything."""
        later = or_(Key.expires_at.is_(None), Key.expires_at > self._transaction.now())
        return (
            self._session.scalar(select(Key.id).where(Key.revoked_at.is_(None), later).limit(1)) is not None
        )

    def note_use(self, key: KeyView) -> None:
        """Write down that a key was used, if that was not done within the hour."""
        now = self._transaction.now()
        if key.last_used_at is None or now - key.last_used_at >= USE_NOTED_EVERY:
            self._transaction.write().execute(update(Key).where(Key.id == key.id).values(last_used_at=now))

    def sign_in(self, key: KeyView) -> tuple[str, timedelta]:
        """A token for a browser's cookie, and how long it is good for: never longer than the key."""
        session = self._transaction.write()
        token, now = secrets.token_urlsafe(SECRET_BYTES), self._transaction.now()
        lasts = SIGN_IN_LASTS if key.expires_at is None else min(SIGN_IN_LASTS, key.expires_at - now)
        session.execute(delete(SignIn).where(SignIn.expires_at <= now))
        session.add(SignIn(token_sha256=digest(token), key_id=key.id, created_at=now, expires_at=now + lasts))
        session.flush()
        return token, lasts

    def signed_in(self, token: str) -> KeyView:
        """The key that a browser signed in with. Raises KeyRefusedError."""
        found = self._session.execute(
            select(Key, SignIn.expires_at)
            .join(SignIn, SignIn.key_id == Key.id)
            .where(SignIn.token_sha256 == digest(token))
        ).one_or_none()
        now = self._transaction.now()
        if found is None or found.expires_at <= now:
            raise KeyRefusedError("signed_out", "this browser is not signed in, or no longer.")
        return _usable(_view(found.Key, now))

    def sign_out(self, token: str) -> None:
        """End a sign-in; one that is over stays over."""
        self._transaction.write().execute(delete(SignIn).where(SignIn.token_sha256 == digest(token)))


def _usable(key: KeyView) -> KeyView:
    if key.state == "revoked":
        raise KeyRefusedError("key_revoked", f"the key bf_{key.id} was revoked.")
    if key.state == "expired":
        raise KeyRefusedError("key_expired", f"the key bf_{key.id} has expired.")
    return key


def _view(row: Key, now: datetime) -> KeyView:
    return KeyView.model_validate(
        {
            "id": row.id,
            "workspace": row.workspace_id,
            "name": row.name,
            "scope": row.scope,
            "state": _state(row, now),
            "created_at": row.created_at,
            "expires_at": row.expires_at,
            "revoked_at": row.revoked_at,
            "last_used_at": row.last_used_at,
        }
    )


def _state(row: Key, now: datetime) -> KeyState:
    if row.revoked_at is not None:
        return "revoked"
    return "usable" if row.expires_at is None or row.expires_at > now else "expired"
