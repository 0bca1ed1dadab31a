"""Posting to a receiver: what it may reach, and that it ends whatever the receiver does."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest

from service.hooks.addresses import AddressRules, ForbiddenAddressError, checked_url
from service.hooks.posting import post
from service.settings import Settings
from tests.unit.service.hooks.receiver import receiver


def rules(networks: str = "127.0.0.0/8", **fields: Any) -> AddressRules:
    return AddressRules.of(Settings(webhook_networks=networks, **fields))


def test_a_message_arrives_as_it_was_signed_and_the_answer_is_not_read() -> None:
    with receiver(status=200) as one:
        answer = post(one.url, "{é}", {"webhook-id": "a"}, rules())
        assert (answer.status, answer.reason, answer.accepted) == (200, "accepted", True)
        headers, body = one.got[0]
        assert (headers["webhook-id"], headers["content-type"]) == ("a", "application/json")
        assert body == "{é}".encode()
        until = time.monotonic() + 10
        while len(one.got) < 2 and time.monotonic() < until:
            time.sleep(0.02)
        assert one.got[1] == ({"flood": "cut off"}, b"")  # 200 MB were on offer


def test_a_redirect_leads_nowhere() -> None:
    with receiver() as inner, receiver(status=307, location=inner.url) as one:
        answer = post(one.url, "{}", {}, rules())
        assert (answer.status, answer.reason) == (307, "redirects are not followed")
        assert inner.got == []


def test_a_head_that_never_ends_is_given_up() -> None:
    with receiver(drips=True) as one:
        answer = post(one.url, "{}", {}, rules(), seconds=0.4)
    assert answer.status is None
    assert answer.reason.startswith("no answer within")


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]", "0"),
        *("10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1", "[fe80::1]"),
        *("[fd00:ec2::254]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[fec0::1]", "255.255.255.255"),
    ],
)
def test_no_address_inside_is_reached_by_any_name_of_it(host: str) -> None:
    answer = post(f"https://{host}:1/", "{}", {}, rules(""))
    assert answer.status is None
    assert "not public" in answer.reason
    assert "BITFRONT_WEBHOOK_NETWORKS" in answer.reason


def test_the_address_that_was_checked_is_the_one_that_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    real, asked, reached = socket.getaddrinfo, 0, []

    def resolve(host: str, port: int, *given: Any, **named: Any) -> list[Any]:
        nonlocal asked
        if host != "hooks.example.org":
            reached.append(host)
            return real(host, port, *given, **named)
        asked += 1  # and rebinds the name after the first answer
        address = "127.0.0.1" if asked == 1 else "10.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with receiver() as one:
        url = f"http://hooks.example.org:{one.port}/in"
        assert post(url, "{}", {}, rules()).status == 204
        assert (asked, set(reached)) == (1, {"127.0.0.1"})
        assert one.got[0][0]["host"] == f"hooks.example.org:{one.port}"
    with pytest.raises(ForbiddenAddressError):
        rules().resolved(url)


def test_a_name_with_one_address_inside_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(0, 0, 0, "", (address, 443)) for address in ("93.184.216.34", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(ForbiddenAddressError):
        rules("").resolved("https://hooks.example.org/")


def test_http_takes_loopback_or_a_setting() -> None:
    inside = "10.0.0.0/8"
    for url in ("http://10.0.0.1/", "http://hooks.example.org/"):
        with pytest.raises(ForbiddenAddressError, match="unencrypted"):
            rules(inside).check_url(url)
        rules(inside, webhook_plain_http=True).check_url(url)
    rules().check_url("http://localhost:80/")
    rules("").check_url("https://hooks.example.org/")
    with pytest.raises(ForbiddenAddressError, match="not public"):
        rules("").check_url("https://10.0.0.1/")


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://a.org/", "file:///etc/passwd", "https://", "https:///a", "a.org", "https://a.org:0/"),
        *("https://a.org:99999/", "https://me:pw@a.org/", "https://a.org/#b", "https://a.org/\r\nX: 1"),
        *("https://a.org\\@b.org/", "https://a b.org/", "https://[::1/", "gopher://a.org/"),
    ],
)
def test_what_is_no_address_of_a_receiver_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="; "):
        checked_url(url)


def test_what_cannot_be_reached_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert post(f"http://127.0.0.1:{port}/", "{}", {}, rules()).reason.startswith("no connection")
    assert "no address" in post("https://nothing.invalid/", "{}", {}, rules()).reason
