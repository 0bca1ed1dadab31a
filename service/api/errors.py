"""The errors that the API itself raises, beside those of the packages below it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from models.errors import BitfrontError, InvalidInputError
from service.problem import FieldError


class HttpError(BitfrontError):
    """An error of the HTTP exchange itself: it knows its status and its stable code."""

    def __init__(
        self, status: int, code: str, message: str, *, fix: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message, fix=fix)
        self.status = status
        self.code = code
        self.headers = dict(headers or {})


class InvalidFieldsError(InvalidInputError):
    """One or more fields or parameters are not acceptable; nothing was stored."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        first = errors[0]
        place = first.pointer or first.parameter or ""
        message = f"{place}: {first.detail}" if place else first.detail
        more = f" And {len(errors) - 1} more, see `errors`." if len(errors) > 1 else ""
        super().__init__(message, fix=(first.fix + more).strip(), pointer=first.pointer)
        self.errors = list(errors)
