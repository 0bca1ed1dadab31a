"""`bitfront keys` and `bitfront workspaces`, on the database itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from service.cli import app as command_line
from service.keys import parse_key
from service.settings import Settings
from service.store import Store
from service.workspaces import Quotas

Run = Callable[..., Any]


@pytest.fixture
def run(settings: Settings) -> Run:
    """Runs a command on the home of the test, which has no database yet."""

    def invoke(*arguments: str) -> Any:
        environment = {"COLUMNS": "200", "BITFRONT_HOME": str(settings.home)}
        return CliRunner().invoke(command_line, arguments, env=environment)

    return invoke


def made(run: Run, *options: str) -> str:
    """A new key: all that standard output holds."""
    result = run("keys", "create", *options)
    assert result.exit_code == 0, result.output
    return str(result.stdout.strip())


def test_a_new_key_is_printed_once_and_opens_its_workspace(run: Run, settings: Settings) -> None:
    run("workspaces", "create", "team")
    text = made(run, "--workspace", "team", "--scope", "read", "--expires", "30m", "--name", "[red]ci[/red]")
    key = parse_key(text)
    assert key is not None
    listed = run("keys", "list").output
    assert f"bf_{key.id}" in listed
    assert "[red]ci[/red]" in listed
    assert key.secret not in listed
    store = Store.open(settings.database)
    with store.unit() as unit:
        found = unit.keys.check(text)
    store.close()
    assert (found.workspace, found.scope, found.state) == ("team", "read", "usable")
    assert found.expires_at is not None
    assert (found.expires_at - found.created_at).total_seconds() == 1800


def test_a_key_that_is_revoked_is_listed_so(run: Run) -> None:
    key = parse_key(made(run, "--expires", "never"))
    assert key is not None
    assert run("keys", "revoke", f"bf_{key.id}").output == f"bf_{key.id} is revoked.\n"
    assert run("keys", "revoke", key.id).exit_code == 0
    assert "revoked" in run("keys", "list").output
    assert "No keys yet" in run("keys", "list", "--workspace", "other").output


def test_a_whole_key_as_an_argument_is_refused_and_not_repeated(run: Run) -> None:
    text = made(run)
    result = run("keys", "revoke", text)
    assert result.exit_code == 2
    assert text not in result.output


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--scope", "root"), "Use one of read, submit, admin."),
        (("--expires", "90"), "Use a number with m, h, d or w"),
        (("--expires", "0d"), "Use a number with m, h, d or w"),
        (("--workspace", "nowhere"), "bitfront workspaces create nowhere"),
    ],
)
def test_what_no_key_can_have_is_refused(run: Run, options: tuple[str, ...], said: str) -> None:
    result = run("keys", "create", *options)
    assert result.exit_code != 0
    assert said in result.output
    assert "No keys yet" in run("keys", "list").output


def test_workspaces_have_quotas_that_can_be_replaced(run: Run, settings: Settings) -> None:
    assert run("workspaces", "create", "team", "--queued-jobs", "5", "--device-hours", "1.5").exit_code == 0
    assert run("workspaces", "create", "team").exit_code == 2
    assert run("workspaces", "set", "team", "--stored-bytes", "1000000000000").exit_code == 0
    assert run("workspaces", "set", "other", "--queued-jobs", "1").exit_code != 0
    assert "1,000,000,000,000" in run("workspaces", "list").output
    store = Store.open(settings.database)
    with store.unit() as unit:
        assert unit.workspaces.get("team").quotas == Quotas(stored_bytes=10**12)
    store.close()
