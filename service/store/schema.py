"""Bring a database to the form that the tables declare, by Alembic, one process at a time."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from service.store.engine import WRITES

MIGRATIONS = Path(__file__).parent / "migrations"
ADVISORY_LOCK = 0x62697466  # "bitf": any number that other programs on the server do not use


def migrate(engine: Engine, *, to: str = "head") -> None:
    """Upgrade to the newest form, or an earlier one, in one transaction, which a second process waits for."""
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        _take_turns(connection)
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, to)


def downgrade(engine: Engine, *, to: str) -> None:
    """Return to an earlier form, in one transaction, with the loss that its migrations name."""
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        _take_turns(connection)
        config = _config()
        config.attributes["connection"] = connection
        command.downgrade(config, to)


def at_head(engine: Engine) -> bool:
    """Whether the database has the newest form."""
    return revision(engine) == ScriptDirectory.from_config(_config()).get_current_head()


def revision(engine: Engine) -> str | None:
    """The form that the database has; None where it has none yet."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def knows(wanted: str) -> bool:
    """Whether there is a migration of that name."""
    return any(
        script.revision == wanted for script in ScriptDirectory.from_config(_config()).walk_revisions()
    )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _take_turns(connection: Connection) -> None:
    """SQLite's writing transaction is exclusive already."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": ADVISORY_LOCK})
