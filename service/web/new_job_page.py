"""The page that builds a job: a form that is checked as REST checks a body, and that submits it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response

from models.errors import BitfrontError
from service.api.access import require_own_form
from service.api.context import ApiContext, Context
from service.api.errors import HttpError
from service.api.jobs import checked_key, store_job
from service.api.problems import headers_of, status_of
from service.errors import NotFoundError
from service.job_form.check import Checked, checked, errors_of, submission_of
from service.job_form.form import Form, without_empty_rows
from service.job_form.page import FormPage, base_form
from service.web.rendering import Renderer

PATH = "/jobs/new"
MOST_INPUTS = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """What a browser sent: the form, the job that it began with, and a word for this one page."""

    form: Form
    source: str
    nonce: str
    submits: bool


def new_job_page(renderer: Renderer) -> APIRouter:
    """The router of the page; it stands before that of a job's own page."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @router.get(PATH)
    def form(context: Context, request: Request) -> Response:
        given: dict[str, list[str]] = {}
        for name, text in request.query_params.multi_items():
            given.setdefault(name, []).append(text)
        return _found(renderer, context, lambda: _begun(renderer, context, given))

    @router.post(PATH)
    async def check_or_submit(context: Context, request: Request) -> Response:
        require_own_form(request)
        sent = _sent(_fields(await request.body()))
        return await run_in_threadpool(_found, renderer, context, lambda: _answered(renderer, context, sent))

    return router


def _begun(renderer: Renderer, context: ApiContext, given: Mapping[str, Sequence[str]]) -> Response:
    """The page as its address says: the fields that it names take the place of those that are there."""
    sent = _sent(given)
    base = base_form(context, sent.source)
    form = without_empty_rows({**base, **sent.form})
    found = checked(context, form) if sent.source or sent.form else Checked()
    return _page(renderer, FormPage(context, form, found), sent, base)


def _answered(renderer: Renderer, context: ApiContext, sent: Sent) -> Response:
    """The page with what the check found, or the way to the job that was stored."""
    base, form = base_form(context, sent.source), without_empty_rows(sent.form)
    if not sent.submits:
        return _page(renderer, FormPage(context, form, checked(context, form)), sent, base)
    try:
        return _stored(context, form, sent)
    except BitfrontError as error:
        found = Checked(errors=errors_of(error))
        page = _page(renderer, FormPage(context, form, found), sent, base, status=status_of(error))
        page.headers.update(headers_of(error))
        return page


def _stored(context: ApiContext, form: Form, sent: Sent) -> Response:
    """Submit the job. The same form sent twice, by a double click or after a lost answer, is one job."""
    submission = submission_of(form)
    key = checked_key(f"{sent.nonce}-{submission.job().digest()}") if sent.nonce else None
    job = store_job(context, submission, key, Response())
    return RedirectResponse(f"/jobs/{job.id}", status_code=303)


def _page(renderer: Renderer, page: FormPage, sent: Sent, base: Form, *, status: int = 200) -> Response:
    values = {**page.shown(base, sent.source, sent.nonce), "caller": page.caller}
    return renderer.page("new_job.html", values, status=status)


def _found(renderer: Renderer, context: ApiContext, answer: Callable[[], Response]) -> Response:
    """The answer, or a page that says that the job to begin with is not there."""
    try:
        return answer()
    except NotFoundError as error:
        shown = {"title": "Not found", "caller": context.caller, "error": error}
        return renderer.page("missing.html", shown, status=404)


def _sent(fields: Mapping[str, Sequence[str]]) -> Sent:
    """Names of fields begin with a slash, as JSON pointers do; the others are the page's own."""
    source, nonce, action = (next(iter(fields.get(name, ())), "") for name in ("from", "nonce", "action"))
    form = {name: list(texts) for name, texts in fields.items() if name.startswith("/")}
    return Sent(form=form, source=source, nonce=nonce, submits=action == "submit")


def _fields(body: bytes) -> dict[str, list[str]]:
    """The fields of a sent form. Raises HttpError 400 for too many."""
    text = body.decode("utf-8", errors="replace")
    try:
        return parse_qs(text, keep_blank_values=True, max_num_fields=MOST_INPUTS)
    except ValueError as error:
        raise HttpError(400, "malformed_form", f"the form cannot be read: {error}.") from None
