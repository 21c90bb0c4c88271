"""How we reach PostgreSQL: every setting explicit, waits bounded, a dead connection noticed."""

from __future__ import annotations

import hashlib
import os
from typing import Any

import psycopg
from eventsourcing.postgres import PostgresDatastore
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import RowFactory, dict_row, tuple_row

from adapters.store.postgres_pool import Connections
from domain.refusal import Refused

CONNECT_SECONDS = 3
MOST = 32
"""Connections of one process to one schema at most, beside the writer's and the listeners'."""
# A lock or a statement that waits longer than this ends as Unavailable; nothing has been done then.
OPTIONS = "-c lock_timeout=10s -c statement_timeout=60s -c jit=off"
# What may take long and is in nobody's way; explicit, since a server or role may have bounds of its own.
PATIENT_OPTIONS = "-c lock_timeout=0 -c statement_timeout=0 -c jit=off"
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


def connect(
    dsn: str, *, options: str = OPTIONS, row_factory: RowFactory[Any] = tuple_row
) -> psycopg.Connection[Any]:
    """A connection of its own, in autocommit, whose commits are flushed. Raises psycopg.Error."""
    connection = psycopg.connect(autocommit=True, row_factory=row_factory, **_parameters(dsn, options))
    try:
        connection.execute(FLUSH)
    except psycopg.Error:
        connection.close()
        raise
    return connection


def pool(dsn: str, schema: str, options: str = "") -> PostgresDatastore:
    """The library's datastore, its settings passed explicitly, over connections of ours; `options` are the server's."""
    parameters = _parameters(dsn, OPTIONS)
    made = PostgresDatastore(
        *(str(parameters.get(name, "")) for name in ("dbname", "host", "port", "user", "password")),
        pre_ping=True,
        schema=schema,
        originator_id_type="text",
        enable_db_functions=False,
    )
    made.pool = Connections(
        lambda: connect(dsn, options=f"{OPTIONS} {options}".strip(), row_factory=dict_row), MOST
    )  # type: ignore[assignment]
    return made


def advisory_key(*names: str) -> int:
    """The key of an advisory lock, the same in every process: 63 bits of a SHA-256."""
    return int.from_bytes(hashlib.sha256("\x00".join(("huiyin", *names)).encode()).digest()[:8], "big") >> 1


def _parameters(dsn: str, options: str) -> dict[str, Any]:
    parameters = {name: value for name, value in conninfo_to_dict(dsn).items() if value is not None}
    parameters.setdefault("connect_timeout", CONNECT_SECONDS)
    parameters.setdefault("tcp_user_timeout", 15_000)
    parameters.setdefault("application_name", "huiyin")
    parameters["client_encoding"] = "utf8"
    parameters["options"] = f"{parameters.get('options', '')} {options}".strip()
    return parameters
