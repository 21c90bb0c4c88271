"""How we reach PostgreSQL: every setting explicit, waits bounded, a dead connection noticed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from eventsourcing.persistence import PersistenceError
from eventsourcing.postgres import PostgresDatastore
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import tuple_row

from domain.refusal import Refused, Unavailable

CONNECT_SECONDS = 3
POOL_SECONDS = 3.0
READERS = 2
READERS_MORE = 30
# A lock or a statement that waits longer than this ends as Unavailable; nothing has been done then.
OPTIONS = "-c lock_timeout=10s -c statement_timeout=60s -c jit=off"
# A server or role that is set to answer before the flush would break "accepted means kept" (law 2).
FLUSH = (
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
)
# Batches are small and the tables large: the index is right even while the statistics say "empty".
WRITER_OPTIONS = (
    f"{OPTIONS} -c plan_cache_mode=force_generic_plan"
    " -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off"
)


def refuse_database_functions() -> None:
    """Raises Refused where POSTGRES_ENABLE_DB_FUNCTIONS is set: the library's functions lose events for readers."""
    for name, value in os.environ.items():
        if name.endswith("POSTGRES_ENABLE_DB_FUNCTIONS") and value.strip().lower() not in (
            "",
            "n",
            "no",
            "0",
            "f",
            "false",
            "off",
        ):
            raise Refused("db_functions_enabled", f"Unset {name}: with it a reader can miss events for ever.")


def is_postgres(url: str) -> bool:
    """Whether a setting names PostgreSQL (`postgresql://…`) and not a file."""
    return url.startswith(("postgresql://", "postgres://"))


def connect(dsn: str, *, options: str = OPTIONS) -> psycopg.Connection[tuple[Any, ...]]:
    """A connection of its own, in autocommit, whose commits are flushed. Raises psycopg.Error."""
    connection = psycopg.connect(autocommit=True, row_factory=tuple_row, **_parameters(dsn, options))
    try:
        connection.execute(FLUSH)
    except psycopg.Error:
        connection.close()
        raise
    return connection


class Datastore(PostgresDatastore):
    """The library's datastore; commits through its pool are flushed too."""

    def after_connect_func(self) -> Callable[[psycopg.Connection[Any]], None]:
        """The library's settings and ours, for each new connection."""
        configure = super().after_connect_func()

        def configured(connection: psycopg.Connection[Any]) -> None:
            configure(connection)
            connection.execute(FLUSH)

        return configured


def pool(dsn: str, schema: str) -> PostgresDatastore:
    """The library's datastore, its settings passed explicitly, each connection tried before use."""
    parameters = _parameters(dsn, OPTIONS)
    own = ("dbname", "host", "port", "user", "password")
    datastore = Datastore(
        *(str(parameters.get(name, "")) for name in own),
        connect_timeout=POOL_SECONDS,
        idle_in_transaction_session_timeout=10,
        pool_size=READERS,
        max_overflow=READERS_MORE,
        pre_ping=True,
        schema=schema,
        originator_id_type="text",
        enable_db_functions=False,
    )
    kwargs = datastore.pool.kwargs
    assert isinstance(kwargs, dict)
    kwargs.update({name: value for name, value in parameters.items() if name not in own})
    # An attempt that failed is given up soon, so that the next reader tries at once when the server is back.
    datastore.pool.reconnect_timeout = 1.0
    return datastore


def advisory_key(*names: str) -> int:
    """The key of an advisory lock, the same in every process: 63 bits of a SHA-256."""
    return int.from_bytes(hashlib.sha256("\x00".join(("huiyin", *names)).encode()).digest()[:8], "big") >> 1


@contextmanager
def reported() -> Iterator[None]:
    """The database's and the library's errors as Unavailable."""
    try:
        yield
    except (psycopg.Error, PersistenceError, OSError) as error:
        raise Unavailable(f"the database cannot be used: {error}") from error


def _parameters(dsn: str, options: str) -> dict[str, Any]:
    parameters = {name: value for name, value in conninfo_to_dict(dsn).items() if value is not None}
    parameters.setdefault("connect_timeout", CONNECT_SECONDS)
    parameters.setdefault("tcp_user_timeout", 15_000)
    parameters.setdefault("application_name", "huiyin")
    parameters["client_encoding"] = "utf8"
    parameters["options"] = f"{parameters.get('options', '')} {options}".strip()
    return parameters
