"""Asking for an import: what was sent is looked at before anything is promised, as far as its first rows tell."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import NamedTuple, cast, get_args

from adapters.engine import Engine
from adapters.imports.mapping import Mapping, Mode, mapping_of, packaged, packaged_mapping
from adapters.imports.rows import Rows
from adapters.imports.run import released_for_backfill
from adapters.imports.store import Import, Imports
from adapters.imports.table import reading
from adapters.imports.turns import worked_by
from adapters.pieces import Incoming
from domain.acting import Actor
from domain.refusal import Refused
from workflows.submission import check_authority

GROUND = "mandate:import"
LOOKED_AT = 20
"""Rows that are tried at once: whoever may not import at all is told so before anything is promised."""


class Asked(NamedTuple):
    """Who asks, under which id, and a digest of all that was asked."""

    import_id: str
    said: str
    actor: Actor
    key_source: str | None


def asked_for(
    engine: Engine, imports: Imports, asked: Asked, fields: dict[str, str], incoming: Incoming, may: Callable[[str], None]
) -> Import:  # fmt: skip
    """The import that is asked for. `may` refuses a source that the caller does not hand in.

    Raises Refused where it cannot be one: for its mapping, its table, or its asker.
    """
    mode, mapping = _mode(fields), _mapping(fields.get("mapping", ""))
    mapping.serves(mode)
    may(mapping.reference.source)
    authority = fields.get("authority") or GROUND
    check_authority(authority)
    book = (fields.get("rulebook") or released_for_backfill(engine.handle)) if mode == "backfill" else None
    one = Import(
        asked.import_id, incoming.upload, asked.said, asked.actor.person, asked.actor.body, asked.actor.post or "",
        asked.key_source, mode, mapping.model_dump_json(), authority, book, _trial(fields), incoming.size,
        engine.store.epoch(), "waiting", engine.handle.clock(),
    )  # fmt: skip
    _looked_at(engine, imports, one, mapping)
    return one


def _looked_at(engine: Engine, imports: Imports, one: Import, mapping: Mapping) -> None:
    """Try the first rows, and keep nothing. Raises Refused for a table or an asker that all rows would be refused for."""
    with (
        imports.arriving.looked_at(),
        imports.spool.opened(one.upload, one.size) as file,
        reading(file, one.size, mapping.delimiter, mapping.encoding) as table,
    ):
        rows = Rows(mapping, table.head, engine.district(), engine.handle.clock())
        worked_by(engine, one, rows, trial=True)([*islice(table, LOOKED_AT)])


def _mode(fields: dict[str, str]) -> Mode:
    mode = fields.get("mode", "")
    if mode not in get_args(Mode):
        raise Refused("malformed", "Say mode: backfill for history, or register for live requests.")
    return cast("Mode", mode)


def _trial(fields: dict[str, str]) -> bool:
    said = fields.get("dry_run", "false")
    if said not in ("true", "false"):
        raise Refused("malformed", "Say dry_run as true or false.")
    return said == "true"


def _mapping(said: str) -> Mapping:
    if not said.strip():
        raise Refused("bad_mapping", f"Send a mapping as TOML, or the name of one: {', '.join(packaged())}.")
    return mapping_of(said) if "=" in said else packaged_mapping(said.strip())
