"""Where the service keeps its files, which database it uses and where it listens.

Every setting can come from the environment with the prefix `BITFRONT_`, such as `BITFRONT_HOME`.
"""

from __future__ import annotations

import ipaddress
import re
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

import platformdirs
from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from models.errors import InvalidInputError
from workers.cluster import host_and_port
from workers.places import Place, place_of

SECRETS_FOLDER = Path("/run/secrets")
"""Where containers find secrets; a file `bitfront_database_url` there sets the database."""
LOOPBACK_NAMES = frozenset({"localhost"})
Network = IPv4Network | IPv6Network


def default_home() -> Path:
    """The user's data folder for Bitfront."""
    return platformdirs.user_data_path("bitfront", appauthor=False)


class Settings(BaseSettings):
    """The settings of one service; frozen, so that every process of it sees the same."""

    model_config = SettingsConfigDict(
        env_prefix="BITFRONT_",
        frozen=True,
        extra="ignore",
        secrets_dir=SECRETS_FOLDER if SECRETS_FOLDER.is_dir() else None,
    )

    home: Path = Field(default_factory=default_home)
    database_url: str | None = Field(
        default=None, repr=False
    )  # a SQLAlchemy URL; a SQLite file in the home when not given
    checkpoint_url: str | None = (
        None  # where checkpoints are kept, a folder or s3://bucket/folder; else in the home
    )
    checkpoint_days: float | None = Field(default=30.0, ge=0)  # that those stay which no front needs
    checkpoint_bytes: int | None = Field(default=None, ge=0)  # beyond which such go earlier
    least_free_bytes: int = Field(default=200 * 2**20, ge=0)  # with less on a disk nothing new is begun
    checkpoint_seconds: float = Field(
        default=10.0, gt=0
    )  # of an epoch after which a trial stores where it is
    grace_seconds: float = Field(default=20.0, gt=0)  # for trials to store where they are, once told to stop
    data_folder: Path | None = None  # home/"data" when not given
    host: str = "127.0.0.1"
    port: int = Field(default=8765, ge=0, le=65_535)
    lease_seconds: float = Field(default=15.0, gt=0)
    jobs: int = Field(default=1, ge=1, le=64)  # that run at a time, each in a process of its own
    cpus: int | None = Field(default=None, ge=1)  # that trials may hold on this machine; all when not given
    most_restart_seconds: float = Field(
        default=30.0, gt=0
    )  # of waiting before a dead dispatcher starts again
    most_fruitless_claims: int = Field(default=5, ge=1)  # of a job, without an epoch between them
    ray_address: str | None = None  # the head of a cluster, host:port; a local Ray is started when not given
    ray_token_file: Path | None = None  # the cluster's token; home/"ray-token" when not given
    ray_node_here: bool = False  # True: a node of that cluster runs on this machine, and none is started
    max_body_bytes: int = Field(default=1_048_576, ge=1)
    max_upload_bytes: int = Field(default=512 * 2**20, ge=1)  # of a data set or weights that a user brings
    public_url: str | None = None  # where browsers reach it through a proxy, as https://bits.example.org
    keys_on_loopback: bool = True  # False: once there are keys, loopback still needs none
    rate_limit: str = "6000/minute"  # of the calls of a key
    failed_key_limit: str = "20/minute"  # of the wrong keys from an address
    webhook_networks: str = ""  # that webhooks may reach beside public addresses, as 10.20.0.0/16,127.0.0.1
    webhook_plain_http: bool = False  # True: webhooks beyond loopback need no TLS
    webhook_key: str | None = Field(
        default=None, repr=False
    )  # encrypts their secrets; else a file in the home

    @field_validator("home", "data_folder", "ray_token_file")
    @classmethod
    def _absolute(cls, folder: Path | None) -> Path | None:
        return None if folder is None else folder.expanduser().absolute()

    @field_validator("ray_address")
    @classmethod
    def _head(cls, address: str | None) -> str | None:
        if address is not None:
            try:
                host_and_port(address)
            except InvalidInputError as error:
                raise ValueError(str(error)) from None
        return address

    @field_validator("checkpoint_url")
    @classmethod
    def _place(cls, url: str | None) -> str | None:
        if url is None:
            return None
        if url.startswith("memory:"):
            raise ValueError("memory keeps nothing that another process could read")
        try:
            return place_of(url).url
        except InvalidInputError as error:  # it shows the URL without what may be secret in it
            raise ValueError(str(error)) from None

    @field_validator("public_url")
    @classmethod
    def _origin(cls, url: str | None) -> str | None:
        if url is not None and re.fullmatch(r"https?://[^/?#@\s]+/?", url) is None:
            raise ValueError("it is an address without a path, as https://bits.example.org")
        return None if url is None else url.rstrip("/").lower()

    @field_validator("rate_limit", "failed_key_limit")
    @classmethod
    def _limit(cls, text: str) -> str:
        from limits import parse  # only what sets a limit needs it

        parse(text)
        return text

    @field_validator("webhook_networks")
    @classmethod
    def _networks(cls, text: str) -> str:
        _networks_of(text)
        return text

    @field_validator("webhook_key")
    @classmethod
    def _fernet_key(cls, text: str | None) -> str | None:
        if text is not None:
            from cryptography.fernet import Fernet  # only what seals a secret needs it

            try:
                Fernet(text)
            except ValueError:  # it would show the key
                raise ValueError("it is 32 random bytes in URL-safe base64") from None
        return text

    @property
    def allowed_networks(self) -> tuple[Network, ...]:
        """The networks that webhooks may reach beside public addresses."""
        return _networks_of(self.webhook_networks)

    @property
    def webhook_key_file(self) -> Path:
        """Where the key is kept that encrypts the secrets of webhooks, unless a setting gives it."""
        return self.home / "webhook-key"

    @property
    def database(self) -> str:
        """The URL of the database that is used."""
        return self.database_url or f"sqlite:///{self.home / 'bitfront.db'}"

    @property
    def data(self) -> Path:
        """The folder under which data sets are looked for."""
        return self.data_folder or self.home / "data"

    @property
    def checkpoints(self) -> Path:
        """The folder of checkpoints, unless `checkpoint_url` names another place."""
        return self.home / "checkpoints"

    @property
    def checkpoint_place(self) -> Place:
        """Where checkpoints are kept: one folder per trial."""
        return place_of(self.checkpoints if self.checkpoint_url is None else self.checkpoint_url)

    @property
    def scratch(self) -> Path:
        """What may be deleted while nothing runs."""
        return self.home / "scratch"

    @property
    def logs(self) -> Path:
        """Where workers write down what they do."""
        return self.home / "logs"

    @property
    def ray_token(self) -> Path:
        """The file with the token that every part of Ray has to show."""
        return self.ray_token_file or self.home / "ray-token"

    @property
    def url(self) -> str:
        """The address of the service, as a browser on this machine uses it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def to_environment(self) -> dict[str, str]:
        """The environment variables that give a child process the same settings."""
        given = self.model_dump(exclude_none=True)
        return {f"BITFRONT_{name.upper()}": str(value) for name, value in given.items()}


def _networks_of(text: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())


def is_loopback(host: str) -> bool:
    """Whether a host name or address reaches this machine only."""
    if host.lower() in LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def require_loopback(settings: Settings) -> None:
    """Refuse to run a service for one person, such as the demo's, where other machines could reach it."""
    if not is_loopback(settings.host):
        raise InvalidInputError(
            f"{settings.host} can be reached from other machines, and this is for one person.",
            fix="Listen on 127.0.0.1, or run `bitfront serve` with keys: docs/security.md.",
        )
