"""The databases that are here: SQLite everywhere, and what else there is beside it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import quote

from .secantus import HAS_MONGO, secantus

# Has the address of a PostgreSQL in which schemas may be made.
POSTGRES = "STORMY_POSTGRES"


@contextmanager
def databases() -> Iterator[list[str]]:
    """Give an empty database of each kind that is here, for as long as the block lasts.

    Yields:
        Their addresses: SQLite's in memory, that of a SecantusDB which is started, and one in
        the PostgreSQL that the environment names in STORMY_POSTGRES.

    Raises:
        NoMongo: SecantusDB did not start.
        psycopg.Error: the PostgreSQL cannot be asked.
    """
    with ExitStack() as stack:
        urls = ["sqlite:"]
        if HAS_MONGO:
            urls.append(stack.enter_context(secantus()))
        if url := os.environ.get(POSTGRES):
            urls.append(stack.enter_context(schema(url)))
        yield urls


@contextmanager
def schema(url: str) -> Iterator[str]:
    """Make a schema, which is a room of one's own in a database, for as long as a block lasts.

    Args:
        url: the address of a PostgreSQL.

    Yields:
        The address at which tables are made, and looked for, in the schema.

    Raises:
        psycopg.Error: it cannot be asked.
    """
    import psycopg
    from psycopg import sql

    name = f"stormy_{secrets.token_hex(8)}"
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))
    try:
        more = "&" if "?" in url else "?"
        yield f"{url}{more}options={quote(f'-csearch_path={name}')}"
    finally:
        # By a new connection: the block may have lasted long.
        with psycopg.connect(url, autocommit=True) as db:
            db.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name)))
