"""Start a local Ray that nobody else can reach into.

Ray's own servers listen on every interface, so token authentication is on: the token lies in a file that
only this user can read. The dashboard is never started and nothing is reported home.
"""

from __future__ import annotations

import logging
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

OBJECT_STORE_BYTES = 128 * 1024 * 1024
"""Trials share nothing through the object store; results are a few kilobytes."""


def ray_environment(token_file: Path) -> dict[str, str]:
    """The variables that must be set before Ray is imported for the first time in a process.

    Makes the token file at first use, readable by its owner alone.
    """
    _ensure_token(token_file)
    return {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(token_file),
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_CHDIR_TO_TRIAL_DIR": "0",
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
        "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
        "TUNE_DISABLE_SIGINT_HANDLER": "1",  # the dispatcher, not Tune, answers to Ctrl-C
        "RAY_AIR_NEW_OUTPUT": "0",  # the new output prints its tables even at verbosity 0
        "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
    }


@contextmanager
def local_ray(token_file: Path, *, cpus: int | None = None) -> Iterator[None]:
    """A Ray on this machine for as long as the context lasts; `cpus` defaults to all.

    Raises RuntimeError where Ray was imported before its environment was set: it would run without a token.
    """
    if "ray" in sys.modules and os.environ.get("RAY_AUTH_MODE") != "token":
        raise RuntimeError("set ray_environment() before Ray is imported")
    os.environ.update(ray_environment(token_file))
    import ray

    ray.init(
        num_cpus=cpus,
        include_dashboard=False,
        object_store_memory=OBJECT_STORE_BYTES,
        log_to_driver=False,
        logging_level=logging.WARNING,
    )
    try:
        yield
    finally:
        ray.shutdown()


def _ensure_token(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
