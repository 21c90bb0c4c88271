"""The doctor: what is reachable, how far each consumer is behind, and which open cases have no process."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.envconfig import ClientConfig

from adapters.deliveries.channels import NOT_ON_RECORD
from adapters.deliveries.desk import deliveries
from adapters.deliveries.outbox import Count
from adapters.engine import Engine
from adapters.locks import due_before, locked_cases
from adapters.log import open_log
from adapters.log.checks import check_log
from adapters.log.counting import owed
from adapters.log.growing import tip_of
from adapters.log.sealer import TROUBLE
from adapters.log.store import LogStore
from adapters.notices.role import channels_of
from adapters.notices.wording import load_texts
from adapters.store.out_of_reach import reported as reported_store
from adapters.store.postgres_link import connect as connect_store
from adapters.store.postgres_link import is_postgres
from adapters.temporal.client import DEFAULT_ADDRESS, connect, namespace_id, reported
from adapters.temporal.open_cases import open_cases
from adapters.temporal.starter import ASIDE
from adapters.views.reader import Reader
from adapters.witness.keeping import key_unnamed, policy_in_force, remembered
from domain.instant import written
from domain.refusal import Refused, Unavailable
from domain.visibility import DIVERTED
from workflows.advance import snapshot
from workflows.messages import MATTER_PROCESS, process_id
from workflows.ports import EventStore

ERASURE_PATIENCE = timedelta(hours=1)
"""So long after its moment an erasure is still on its way."""
CENSUS_PATIENCE = timedelta(hours=1)
"""So long after it became due a census is still on its way."""
OF_AN_API, OF_THE_REST = 48, 45
"""Connections to PostgreSQL: of a process of the API at most, and of one process of each other role together, as counted
with 64 clients at work."""
SECONDS = 2.0
"""How long an address may take to answer."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `ok` None: it could not be asked, because something else is out of reach."""

    name: str
    ok: bool | None
    said: str
    facts: dict[str, Any] = field(default_factory=dict)


def examine(engine: Engine) -> list[Check]:
    """Look at the stores and the read models; Temporal is asked by `examine_temporal`."""
    head = _try("store", lambda: _store(engine))
    more = _try_all("connections", lambda: _connections(engine)) if head.ok else []
    keys = _try("keys", lambda: _keys(engine))
    reader = Reader(engine.settings.views_url)
    try:
        views = _try("views", lambda: _views(reader))
        behind = _try_all("consumers", lambda: _consumers(reader, engine)) if views.ok and head.ok else []
        behind += [_try("locks", lambda: _locks(reader, engine))] if views.ok and head.ok else []
    finally:
        reader.close()
    log = (
        _try_all("log", lambda: _log(engine))
        if head.ok
        else [Check("log", None, "not asked: the store is out of reach")]
    )
    sent = _try_all("deliveries", lambda: _deliveries(engine)) if head.ok else []
    return [head, *more, keys, views, *behind, *log, *sent, _try("notices", lambda: _notices(engine))]


def _deliveries(engine: Engine) -> list[Check]:
    """How far the outbox is behind, what is parked, and which receivers are away."""
    with deliveries(engine) as desk:
        at, _ = desk.outbox.stands()
        lag = engine.store.head() - at
        parked, now = desk.outbox.parked(), engine.handle.clock()
        counts, known = desk.outbox.counts(), desk.subscriptions.known()
    found = [
        Check(
            "consumer outbox", lag >= 0, f"{lag} positions behind" if lag else "up to date", {"behind": lag}
        )
    ]
    for one in known:
        if one.why == NOT_ON_RECORD and one.state != "ended":
            said = f"not on record, so nothing is sent: huiyin subscription resume {one.id}, or end"
            found.append(Check(f"receiver {one.id}", False, said, {"url": one.url}))
        waiting = counts.get(one.id, Count())
        if one.state == "active" and one.failing_since is not None:
            said = f"away for {now - one.failing_since}, {one.failures} failures in a row, {waiting.waiting} wait"
            found.append(
                Check(f"receiver {one.id}", False, said, {"url": one.url, "waiting": waiting.waiting})
            )
    said = (
        f"{len(parked)} parked; see huiyin delivery list, then huiyin delivery resend"
        if parked
        else "nothing is parked"
    )
    total = sum(count.waiting for count in counts.values())
    return [
        *found,
        Check("deliveries", not parked, f"{total} wait, {said}", {"waiting": total, "parked": len(parked)}),
    ]


def _notices(engine: Engine) -> Check:
    """Whether the settings for notices go together, their texts can be used, and the ways out answer."""
    channels = channels_of(engine.settings)
    load_texts(engine.settings.notice_texts)
    if not channels:
        said = "nobody is told by message: set HUIYIN_SMTP_HOST or HUIYIN_NOTICE_URL where they shall be"
        return Check("notices", None, said)
    names, away = (
        ", ".join(one.name for one in channels),
        [one.name for one in channels if not listens(one.address)],
    )
    if away:
        said = f"by {names}; nobody answers at {', '.join(away)}: notices wait for it"
        return Check("notices", False, said, {"away": away})
    return Check("notices", True, f"by {names}", {"channels": [one.name for one in channels]})


def _log(engine: Engine) -> list[Check]:
    """The evidence log by its own rows: what the sealer says of it, what it would refuse, and what its boards do."""
    log = open_log(engine.settings.log_url)
    try:
        checks = [
            _try("log", lambda: _log_said(engine.store, log)),
            _try("census", lambda: _census(engine, log)),
        ]
        return [*checks, _try("boards", lambda: _boards(engine, log))]
    finally:
        log.close()


def _boards(engine: Engine, log: LogStore) -> Check:
    """How far each board has cosigned, and whose silence is on record."""
    cosigning = engine.handle.standing.caught_up().cosigning
    policy = policy_in_force(cosigning, engine.store)
    if policy is None or cosigning.policy is None:
        return Check("boards", None, "no board cosigns; adopt a policy: huiyin log policy adopt")
    notes = {board.name: remembered(log, board) for board in policy.witnesses}
    said = f"{cosigning.policy.k} of {cosigning.policy.n} must cosign"
    if cosigning.silent:
        said += f"; silent: {', '.join(sorted(cosigning.silent))}"
    facts = {name: {"size": note.size, "failed": note.why} for name, note in notes.items()}
    unnamed = key_unnamed(cosigning, log)
    if unnamed:
        said += f"; {unnamed}"
    return Check("boards", not cosigning.silent and not unnamed, said, {"boards": facts})


def _census(engine: Engine, log: LogStore) -> Check:
    """Whether every month that is over has its census."""
    if not log.state().size:
        return Check("census", None, "not asked: the log has not been opened")
    missing = owed(engine.handle)
    if missing is None:
        return Check("census", True, "no month waits for one")
    facts = {"month": missing.month, "since": written(missing.since), "refused": missing.refused}
    late = engine.handle.clock() - missing.since > CENSUS_PATIENCE
    said = f"that of {missing.month} is due since {missing.since:%Y-%m-%d %H:%M} UTC, "
    if missing.refused:
        said += f"and was refused ({missing.refused}); the role seal asks again, once an hour at the latest"
    else:
        said += "and not taken; the role seal takes it within a minute, see what it logs"
    return Check("census", False if late or missing.refused else None, said, facts)


def _log_said(store: EventStore, log: LogStore) -> Check:
    tip = tip_of(log)
    if not tip.state.size:
        return Check("log", None, "not opened yet; start the role: huiyin seal")
    trouble = log.meta(TROUBLE)
    if trouble is not None:
        return Check("log", False, trouble)
    check_log(log, store, tip)
    behind, signed, cosigned = store.head() - tip.state.position, log.head(), log.cosigned()
    sizes = {"signed": signed.size if signed else 0, "cosigned": cosigned.size if cosigned else 0}
    said = f"{tip.state.size} leaves, " + (
        "everything is sealed" if behind <= 0 else f"{behind} positions behind"
    )
    said += f", cosigned up to {sizes['cosigned']}" if cosigned else ", nothing cosigned yet"
    return Check("log", True, said, {"size": tip.state.size, "behind": behind, **sizes})


def _store(engine: Engine) -> Check:
    head, epoch = engine.store.head(), engine.store.epoch()
    kind = "PostgreSQL" if engine.settings.store else "SQLite"
    return Check("store", True, f"{kind}, newest event at {head}", {"head": head, "epoch": epoch})


def _connections(engine: Engine) -> list[Check]:
    url, needed = engine.settings.store_url, OF_THE_REST + OF_AN_API * engine.settings.api_processes
    if not is_postgres(url):
        return []
    with reported_store(), connect_store(url) as connection:
        found = [
            connection.execute(b"SHOW " + name).fetchone()
            for name in (b"max_connections", b"superuser_reserved_connections")
        ]
    most, reserved = (int(row[0]) if row else 0 for row in found)
    said = f"PostgreSQL gives {most - reserved}, all roles together need up to {needed}"
    if most - reserved < needed:
        said += f": set max_connections to {needed + reserved} or more"
    return [
        Check("connections", most - reserved >= needed, said, {"most": most - reserved, "needed": needed})
    ]


def _keys(engine: Engine) -> Check:
    engine.keys.pepper()
    return Check("keys", True, "open under the master keys")


def _views(reader: Reader) -> Check:
    rows = reader.rows("SELECT generation, version, epoch FROM generations WHERE name = 'current'")
    if not rows:
        return Check("views", False, "not built yet; run: huiyin rebuild")
    return Check("views", True, f"generation {rows[0]['generation']}", rows[0])


def _locks(reader: Reader, engine: Engine) -> Check:
    """What is locked until its term of keeping ends, what is erased next, and what should have been erased."""
    found, now = locked_cases(reader, engine.handle), engine.handle.clock()
    coming = [(one.ends[0], one.case) for one in found if one.ends]
    overdue = due_before(found, now - ERASURE_PATIENCE)
    locks = sum(one.locks for one in found)
    said = "nothing is locked"
    if found:
        said = f"{locks} locks on {len(found)} cases, " + (
            f"the next is erased on {coming[0][0]:%Y-%m-%d}" if coming else "none with an end"
        )
    if overdue:
        said += f"; {overdue} erasures are overdue: the clock carries them out, start Temporal and a worker"
    shown = [{"case": case, "erased_at": written(at)} for at, case in coming[:20] if _ordinary(engine, case)]
    facts = {"locks": locks, "cases": len(found), "with_end": len(coming), "overdue": overdue, "next": shown}
    return Check("locks", not overdue, said, facts)


def _consumers(reader: Reader, engine: Engine) -> list[Check]:
    head, epoch = engine.store.head(), engine.store.epoch()
    found, aside = (
        [],
        [name.removeprefix(ASIDE) for name, at in reader.consumers() if name.startswith(ASIDE) and at],
    )
    if aside:
        shown = [case for case in aside if _ordinary(engine, case)][:20]
        said = f"{len(aside)} set aside: they cannot be read; they are tried again every few seconds"
        found.append(Check("cases", False, said, {"set_aside": len(aside), "cases": shown}))
    for name, position in reader.consumers():
        if name.startswith(ASIDE):
            continue
        if name.startswith("processes-") and not name.endswith(epoch):
            continue  # of another life of the store
        lag = head - position
        short = "processes" if name.startswith("processes-") else name
        said = "up to date" if lag == 0 else f"{lag} positions behind"
        found.append(Check(f"consumer {short}", lag >= 0, said, {"position": position, "behind": lag}))
    return found


def _try(name: str, ask: Callable[[], Check]) -> Check:
    return _try_all(name, lambda: [ask()])[0]


def _try_all(name: str, ask: Callable[[], list[Check]]) -> list[Check]:
    try:
        return ask()
    except (Unavailable, Refused) as error:
        return [Check(name, False, str(error))]
    except Exception as error:  # noqa: BLE001 - whatever is damaged: the other checks are wanted all the more
        return [_unreadable(name, error)]


def _unreadable(name: str, error: Exception) -> Check:
    """What could not be looked at; the error's own words may hold what is stored, so that only its kind is told."""
    said = f"what is stored cannot be read ({type(error).__name__}); huiyin log check names the first event that differs"
    return Check(name, False, said)


# -- Temporal ---------------------------------------------------------------------------------------------------------


def temporal_address() -> str:
    """Where Temporal's own environment configuration says that it is."""
    return str(ClientConfig.load_client_connect_config().get("target_host", DEFAULT_ADDRESS))


def listens(address: str) -> bool:
    """Whether somebody accepts connections there."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host or "localhost", int(port)), SECONDS):
            return True
    except (OSError, ValueError):
        return False


async def examine_temporal(engine: Engine) -> list[Check]:
    """Whether Temporal answers, and the open cases that it runs no process for."""
    address = temporal_address()
    if not listens(address):
        said = f"nobody answers at {address}; matters are accepted all the same, their processes come back with it"
        return [
            Check("temporal", False, said),
            Check("processes", None, "not asked: Temporal is out of reach"),
        ]
    try:
        client = await connect()
        life = await namespace_id(client)
        missing = await without_process(engine, client)
    except Unavailable as error:
        return [Check("temporal", False, str(error))]
    except Exception as error:  # noqa: BLE001 - as in `_try_all`
        return [_unreadable("processes", error)]
    shown = [case for case in missing if _ordinary(engine, case)]
    said = (
        "every open case has one"
        if not missing
        else f"{len(missing)} open cases without one; run: huiyin rebuild --processes"
    )
    return [
        Check("temporal", True, f"{address}, namespace {client.namespace}", {"namespace_id": life}),
        Check("processes", not missing, said, {"missing": len(missing), "cases": shown[:20]}),
    ]


async def without_process(engine: Engine, client: Client) -> list[str]:
    """The open cases that Temporal runs no process for; its list may lag a second or two. Raises Unavailable."""
    running = set()
    with reported():
        query = f"WorkflowType = '{MATTER_PROCESS}' AND ExecutionStatus = 'Running'"
        async for one in client.list_workflows(query):
            running.add(one.id)
    absent = [case for case in open_cases(engine.store) if process_id(case) not in running]
    return [case for case in absent if _open(engine, case)]


def _open(engine: Engine, case: str) -> bool:
    """Whether a case has something to do yet; one that cannot be read is told of as set aside."""
    try:
        return not snapshot(engine.handle, case).closed
    except Unavailable:
        raise
    except Exception:  # noqa: BLE001 - whatever keeps a case from being read
        return False


def _ordinary(engine: Engine, case: str) -> bool:
    """Whether the case may be named to the operator; of one that cannot be read, its bare events are asked.

    One with a row that is no event at all is not named: nobody knows what it has kept from view.
    """
    rows = engine.store.load(case)
    try:
        hidden = any(row.type == DIVERTED or json.loads(row.body)["pub"].get("confidential") for row in rows)
    except (ValueError, TypeError, KeyError, AttributeError):
        return False
    return bool(rows) and not hidden
