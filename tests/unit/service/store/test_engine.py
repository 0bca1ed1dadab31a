"""Which database URLs are understood."""

from __future__ import annotations

import pytest

from models.errors import InvalidInputError
from service.store.engine import open_engine


@pytest.mark.parametrize("url", ["postgresql://user@host/name", "postgresql+psycopg://user@host/name"])
def test_postgres_is_reached_through_psycopg_3(url):
    engine = open_engine(url)
    assert engine.dialect.driver == "psycopg"
    engine.dispose()


def test_the_folder_of_a_sqlite_file_is_made(tmp_path):
    engine = open_engine(f"sqlite:///{tmp_path}/new/folder/x.db")
    with engine.connect():
        assert (tmp_path / "new" / "folder" / "x.db").exists()
    engine.dispose()


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://host/name", "sqlite://", "sqlite:///:memory:"])
def test_any_other_url_is_refused_without_being_repeated(url):
    with pytest.raises(InvalidInputError, match="neither a SQLite file nor a PostgreSQL") as caught:
        open_engine(url)
    assert "mysql" not in str(caught.value)
