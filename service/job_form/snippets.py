"""The job of a form as YAML, and as the calls that submit it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pprint import pformat
from typing import Any

from service.yaml_text import yaml_text


@dataclass(frozen=True, kw_only=True, slots=True)
class Snippet:
    """A text to copy."""

    key: str
    title: str
    text: str
    note: str


def snippets(job: Mapping[str, Any], url: str, *, asks_for_key: bool) -> list[Snippet]:
    """The job in three forms; none for a job that JSON cannot say."""
    try:
        body = json.dumps(job, ensure_ascii=False, allow_nan=False)
    except ValueError:
        return []
    return [
        Snippet(key="yaml", title="YAML", text=yaml_text(job), note="For bitfront submit job.yaml."),
        Snippet(
            key="curl", title="curl", text=_curl(body, url, asks_for_key), note="Prints the job as JSON."
        ),
        Snippet(key="python", title="Python", text=_python(job, url), note=_key_note(asks_for_key)),
    ]


def _curl(body: str, url: str, asks_for_key: bool) -> str:
    lines = [f"curl {shlex.quote(url + '/v1/jobs')}", "-H 'Content-Type: application/json'"]
    lines += ['-H "Authorization: Bearer $BITFRONT_API_KEY"'] if asks_for_key else []
    return " \\\n  ".join([*lines, f"--data {shlex.quote(body)}"]) + "\n"


def _python(job: Mapping[str, Any], url: str) -> str:
    written = pformat(dict(job), sort_dicts=False, width=88)
    return (
        "from service.client import BitfrontClient\n\n"
        f"job = {written}\n\n"
        f"with BitfrontClient({url!r}) as client:\n"
        "    print(client.submit(job).id)\n"
    )


def _key_note(asks_for_key: bool) -> str:
    return "The key is read from BITFRONT_API_KEY." if asks_for_key else "Prints the id of the job."
