"""`huiyin log`: the evidence log, for who runs it.

Exit codes: 0 done, or all is well · 1 refused, or something is wrong · 2 usage · 3 no such head · 4 out of reach.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from adapters.cli import exits
from adapters.cli.bars import bar
from adapters.cli.door import opened, stop
from adapters.cli.options import Json
from adapters.cli.tables import print_json
from adapters.engine import Engine, code_release, now
from adapters.log import open_log
from adapters.log.genesis import key_in_force
from adapters.log.genesis import opened as genesis
from adapters.log.keys import LOG_KEY, RECEIPT_KEY, public_key
from adapters.log.reconcile import Reconciled, reconcile
from adapters.log.role import opening_of, sealer_of
from adapters.log.sealer import TROUBLE
from adapters.log.store import Head, LogStore
from adapters.witness.keeping import key_unnamed
from domain.instant import written
from domain.refusal import Refused

app = typer.Typer()


@contextmanager
def opened_log(as_json: bool = False) -> Iterator[tuple[Engine, LogStore]]:
    """The engine and the log that the settings name; ends the command where they cannot be opened."""
    with opened(as_json) as engine:
        log = open_log(engine.settings.log_url)
        try:
            yield engine, log
        finally:
            log.close()


@app.command()
def status(as_json: Json = False) -> None:
    """How far the log has come, what is signed and cosigned, and why it stands still if it does. 存证进度"""
    with opened_log(as_json) as (engine, log):
        state, trouble = log.state(), log.meta(TROUBLE)
        told: dict[str, Any] = {
            "origin": state.origin, "size": state.size, "position": state.position,
            "behind": engine.store.head() - state.position, "epoch": state.epoch,
            "signed": _told(log.head()), "cosigned": _told(log.cosigned()), "trouble": trouble,
            "to_do": _to_do(engine, log),
        }  # fmt: skip
    if as_json:
        print_json(told)
    elif not state.size:
        typer.echo("尚未开启 not opened yet; start the role: huiyin seal")
    else:
        _print_status(told)
    raise typer.Exit(exits.REFUSED if trouble else exits.ACCEPTED)


@app.command()
def key(as_json: Json = False) -> None:
    """The verifier keys of heads and receipts, to hand to boards. 验签公钥"""
    with opened_log(as_json) as (engine, log):
        folder = engine.settings.log_keys_folder
        if log.state().size:
            keys = {"log": key_in_force(log, engine.store), "receipts": genesis(log).receipt_key}
        else:
            files = {"log": folder / LOG_KEY, "receipts": folder / RECEIPT_KEY}
            keys = {name: str(public_key(path)) for name, path in files.items()}
    print_json(keys) if as_json else typer.echo("\n".join(keys.values()))


@app.command()
def head(
    cosigned: Annotated[
        bool, typer.Option("--cosigned", help="The newest that a quorum has cosigned.")
    ] = False,
    size: Annotated[int | None, typer.Option(min=1, help="The one of exactly this size.")] = None,
    as_json: Json = False,
) -> None:
    """Print a signed head as a note (C2SP tlog-checkpoint), the newest unless told otherwise. 日志头"""
    if cosigned and size is not None:
        raise typer.BadParameter("say --cosigned or --size, not both")
    with opened_log(as_json) as (_, log):
        found = log.head_at(size) if size is not None else log.cosigned() if cosigned else log.head()
    if found is None:
        stop(
            exits.NOT_FOUND, "no_such_head", "Ask for a head that was signed; see huiyin log status.", as_json
        )
    print_json({**(_told(found) or {}), "note": found.note}) if as_json else typer.echo(found.note, nl=False)


@app.command()
def check(as_json: Json = False) -> None:
    """Hold the whole event store against the log, leaf by leaf, and the log against its heads. 全量核对

    Exit code 1: something differs; the first leaf that does is named.
    """
    with opened_log(as_json) as (engine, log), bar("check") as told:
        found = reconcile(engine.store, log, told)
    if as_json:
        bad = asdict(found.bad) if found.bad else None
        print_json({"leaves": found.leaves, "unsealed": found.unsealed, "bad": bad})
    else:
        _print_check(found)
    raise typer.Exit(exits.REFUSED if found.bad else exits.ACCEPTED)


@app.command("open")
def open_(
    after: Annotated[
        Path,
        typer.Option(
            exists=True, dir_okay=False, help="The last head of the log that is given up, as a note."
        ),
    ],
    as_json: Json = False,
) -> None:
    """Open a new log that names an old one, which was lost; the old one is kept for the boards. 另立新日志

    First set the old log aside, give the new one a name of its own (HUIYIN_LOG_ORIGIN) and keys (HUIYIN_LOG_KEYS, huiyin
    init). Every event is sealed anew. Without an old one there is nothing to do: huiyin seal opens the first log.
    """
    with opened_log(as_json) as (engine, log):
        if log.state().size:
            raise Refused("log_present", "Set the log that stands here aside first: it is evidence, keep it.")
        note = after.read_text(encoding="utf-8")
        opening = opening_of(engine.settings, code_release(), note)
        sealer_of(engine.settings, engine.store, log, opening, now).position()
        state = log.state()
    print_json({"origin": state.origin, "size": state.size}) if as_json else typer.echo(
        f"opened: {state.origin}"
    )


def _to_do(engine: Engine, log: LogStore) -> str | None:
    """What is left to do after a change of key; a record that cannot be read is no reason to say nothing of the log."""
    try:
        return key_unnamed(engine.handle.standing.caught_up().cosigning, log)
    except ValueError:
        return "restore the record: what it says of policies cannot be read (huiyin log check)"


def _told(head: Head | None) -> dict[str, Any] | None:
    if head is None:
        return None
    at = head.cosigned_at
    return {
        "size": head.size, "root": head.root.hex(), "signed_at": written(head.signed_at),
        "cosigned_at": None if at is None else written(at),
    }  # fmt: skip


def _print_status(told: dict[str, Any]) -> None:
    signed, cosigned = told["signed"], told["cosigned"]
    rows = [
        ("日志 origin", told["origin"]),
        ("叶数 leaves", f"{told['size']:,}"),
        (
            "未封 behind",
            f"{told['behind']} positions" if told["behind"] else "已全部封存 everything is sealed",
        ),
        ("已签 signed", f"{signed['size']:,} at {signed['signed_at']}" if signed else "-"),
        ("联署 cosigned", f"{cosigned['size']:,} at {cosigned['cosigned_at']}" if cosigned else "-"),
    ]
    for name, value in rows:
        typer.echo(f"{name:<14} {value}")
    if told["trouble"]:
        typer.echo(f"停 stands still: {told['trouble']}", err=True)
    if told["to_do"]:
        typer.echo(f"待办 to do: {told['to_do']}", err=True)


def _print_check(found: Reconciled) -> None:
    if found.bad is None:
        more = "; newer events are not sealed yet" if found.unsealed else ""
        typer.echo(f"一致 all {found.leaves:,} leaves are as the store holds them{more}")
        return
    at = "" if found.bad.position is None else f", the event at {found.bad.position}"
    typer.echo(f"不一致 {found.bad.code}: leaf {found.bad.index}{at}", err=True)
