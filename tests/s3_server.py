"""A throw-away S3-compatible server (moto) on a loopback port, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import time
import uuid

import httpx

from tests.integration.composed import free_port

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "kept-out-of-logs"}


class S3Server:
    """What it holds is gone with it."""

    def __init__(self) -> None:
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._process = self._start()

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to reach it."""
        return {"AWS_ENDPOINT_URL": self.url, "AWS_DEFAULT_REGION": "us-east-1", **CREDENTIALS}

    def new_bucket(self) -> str:
        """The name of an empty bucket of its own."""
        name = f"bitfront-{uuid.uuid4().hex}"
        httpx.put(f"{self.url}/{name}").raise_for_status()
        return name

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(20)

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self._port)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            try:
                httpx.get(self.url, timeout=2)
            except httpx.TransportError:
                time.sleep(0.1)
            else:
                return process
        process.kill()
        raise AssertionError("the S3 server did not start")
