"""Who calls: a key in `Authorization`, a browser that signed in, or anybody where the service is open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request

from service.api.errors import HttpError
from service.api.guard import READING
from service.api.rates import Rates
from service.errors import KeyRefusedError
from service.keys import KeyView, Scope, allows, digest
from service.settings import Settings, is_loopback
from service.store import Store, Unit
from service.store.workspace_scope import DEFAULT_WORKSPACE

COOKIE = "bitfront_session"
FOR_ADMINISTRATORS = ("/admin", "/v1/keys", "/v1/webhooks")
CHALLENGE = 'Bearer realm="bitfront"'
HOW = "Send a key: Authorization: Bearer bf_... (BITFRONT_API_KEY for the client and the command line)."


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """Whose call it is; `key_id` is None in an open service, `sign_in` tells of a browser's sign-in."""

    workspace: str
    scope: Scope
    key_id: str | None = None
    sign_in: str | None = None

    def admitted(self, unit: Unit) -> bool:
        """Whether the caller may still come in: a long answer asks now and then."""
        return self.key_id is None or unit.keys.usable(self.key_id, sign_in=self.sign_in)


ANYBODY = Caller(workspace=DEFAULT_WORKSPACE, scope="admin")
"""Who calls a service without keys on loopback: its one user."""


class Gate:
    """Lets calls in; every refusal is an HttpError."""

    def __init__(self, settings: Settings, store: Store) -> None:
        loopback = is_loopback(settings.host)
        self._asks = not loopback  # once it has asked for keys, it never stops
        self._open_with_keys = loopback and not settings.keys_on_loopback
        self._store = store
        self._rates = Rates(settings)

    def admit(self, request: Request) -> Caller:
        """The caller, whose key may do this and has not done too much."""
        caller = self._caller(request)
        needed = needed_scope(request.method, request.url.path)
        if not allows(caller.scope, needed):
            raise HttpError(
                403,
                "missing_scope",
                f"a key with the scope {caller.scope} may not do this; it takes {needed}.",
                fix="Use a key with that scope.",
            )
        if caller.key_id is not None:
            self._rates.count_call(caller.key_id)
        return caller

    def checked(self, text: str, address: str) -> KeyView:
        """The key of a sign-in form or a header. Raises HttpError 401, or 429 after too many wrong ones."""
        try:
            with self._store.unit() as unit:
                key = unit.keys.check(text)
                unit.keys.note_use(key)
                return key
        except KeyRefusedError as error:
            self._rates.count_failure(address)
            raise _unauthorized(error.code, error.message, error.fix) from None

    def sign_in(self, key: KeyView) -> tuple[str, int]:
        """The content of a browser's cookie, and the seconds that it is good for."""
        with self._store.unit() as unit:
            token, lasts = unit.keys.sign_in(key)
        return token, max(int(lasts.total_seconds()), 1)

    def sign_out(self, token: str) -> None:
        """End a browser's sign-in."""
        with self._store.unit() as unit:
            unit.keys.sign_out(token)

    def _caller(self, request: Request) -> Caller:
        sent, token = bearer(request.headers), request.cookies.get(COOKIE)
        if not self._asks_for_keys():
            return ANYBODY
        if sent is not None:
            return _caller_of(self.checked(sent, address_of(request)))
        found = self._signed_in(request, token) if token else None
        if found is not None:
            return found
        if self._open_with_keys:
            return ANYBODY
        raise _unauthorized("unauthenticated", "this service asks for a key.", HOW)

    def _asks_for_keys(self) -> bool:
        """From the first key on; keys are never deleted, so this is asked of the store until then."""
        if not self._asks:
            with self._store.unit() as unit:
                self._asks = unit.keys.any_ever()
        return self._asks

    def _signed_in(self, request: Request, token: str) -> Caller | None:
        """The caller by the cookie; None where that is over. Its changes come from our own pages only."""
        try:
            with self._store.unit() as unit:
                key = unit.keys.signed_in(token)
                unit.keys.note_use(key)
        except KeyRefusedError:
            return None
        if request.method not in READING:
            require_own_form(request)
        return _caller_of(key, sign_in=digest(token))


def needed_scope(method: str, path: str) -> Scope:
    """What a call takes.

    The metrics count what all workspaces do; keys let others in, and webhooks send word out; the rest follows
    from the method.
    """
    if path == "/metrics" or path.startswith(FOR_ADMINISTRATORS):
        return "admin"
    return "read" if method in READING else "submit"


def bearer(headers: Mapping[str, str]) -> str | None:
    """The key in `Authorization`; None where there is none, or something that is not ours to read."""
    scheme, _, text = headers.get("authorization", "").partition(" ")
    return text.strip() if scheme.lower() == "bearer" else None


def address_of(request: Request) -> str:
    """The address that calls; behind a proxy on this machine, the one that it forwards."""
    return request.client.host if request.client else ""


def require_own_form(request: Request) -> None:
    """Raises HttpError where a browser does not say that our own page sent a form; it does for ours."""
    if "origin" not in request.headers:  # a foreign one was refused already
        raise HttpError(403, "foreign_origin", "the request does not say which page made it.")


def _caller_of(key: KeyView, *, sign_in: str | None = None) -> Caller:
    return Caller(workspace=key.workspace, scope=key.scope, key_id=key.id, sign_in=sign_in)


def _unauthorized(code: str, message: str, fix: str) -> HttpError:
    reason = "" if code == "unauthenticated" else ', error="invalid_token"'
    return HttpError(401, code, message, fix=fix, headers={"WWW-Authenticate": CHALLENGE + reason})
