"""`huiyin demo`: a seeded morning in a sub-district, on one machine."""

from __future__ import annotations

import base64
import json
import shutil
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from adapters.demo.boards import BOARDS, NEEDED, adopt, boards, cosigned_by
from adapters.demo.district import District, found, plan
from adapters.demo.ground import release_ground
from adapters.demo.morning import Held, Played, Witness, held_against, play
from adapters.demo.report import Report, report
from adapters.engine import Engine, now, open_engine
from adapters.log import open_log
from adapters.log.store import Head
from adapters.rulebooks import template
from adapters.settings import Settings
from adapters.up import up as tree_up

MARKER = "demo.json"
COMMUNITIES, GRIDS = 33, 213
QUIET_SECONDS, REST_SECONDS = 3.0, 20.0
"""At rest is what has stored nothing for so long; and how long to wait for that at the most."""

verbs = typer.Typer()


@verbs.command()
def demo(
    seed: Annotated[int, typer.Option(help="Fixes who comes late, and all else that chance decides.")] = 7,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report for programs.")] = False,
) -> None:
    """Play a seeded morning in a sub-district under the demo rulebook, and say what became of it."""
    settings, console = Settings(), Console(stderr=True)
    _fresh(settings.data, seed)
    engine = open_engine(settings)
    district = plan(seed, COMMUNITIES, GRIDS)
    with boards(settings) as known:
        with console.status(
            f"Founding a district: {COMMUNITIES} communities, {GRIDS} grids, six departments"
        ):
            refused = found(district, engine.handle, now(), template("demo"))
        more = (adopt(engine, district.security, known), release_ground(engine, district))
        refused += [answer for answer in more if not answer.accepted]
        if refused:
            console.print(f"The district could not be founded: {refused[0].code}: {refused[0].advice}")
            raise typer.Exit(1)
        answers = settings.data / "demo-answers.jsonl"
        witness = Witness(engine.handle, answers)
        with tree_up(settings) as tree:
            console.print(f"Temporal: {tree.address}. Its UI while this runs: {tree.ui}")
            played = _played(district, witness, seed, console)
            with console.status("Waiting for the processes to come to rest"):
                _rest(engine)
            with console.status("Waiting for everything to be sealed and cosigned"):
                sealed, cosigned = _sealed(engine)
    held, made = held_against(engine.store, answers), report(engine.store)
    engine.close()
    if as_json:
        _print_json(made, held, played, sealed, cosigned)
    else:
        _print(made, held, played, district)
        typer.echo(_said(sealed, cosigned))
    if held.lost or held.doubled or played.broken or not _evident(sealed, cosigned):
        raise typer.Exit(1)


def _fresh(folder: Path, seed: int) -> None:
    """An empty data folder; what an earlier demonstration left is removed, anything else is not touched."""
    marker = folder / MARKER
    if folder.exists() and any(folder.iterdir()):
        if not marker.exists():
            typer.echo(
                f"{folder} holds data that no demonstration made; set HUIYIN_DATA to another folder.",
                err=True,
            )
            raise typer.Exit(2)
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    marker.write_text(json.dumps({"seed": seed}) + "\n", encoding="utf-8")


def _played(district: District, witness: Witness, seed: int, console: Console) -> Played:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("matters ended", total=None)
        played = play(
            district, witness, seed, lambda done, all_: progress.update(task, completed=done, total=all_)
        )
    witness.close()
    return played


def _rest(engine: Engine) -> None:
    """Until nothing new has been stored for a while: reminders and missed moments may still be due."""
    until, head = time.monotonic() + REST_SECONDS, -1
    while time.monotonic() < until and head != engine.store.head():
        head = engine.store.head()
        time.sleep(QUIET_SECONDS)


def _sealed(engine: Engine) -> tuple[Head | None, Mapping[str, int]]:
    """The head over every stored event, as soon as the log has signed it, and how far each board has cosigned; None
    where that takes too long."""
    until, log = time.monotonic() + REST_SECONDS, open_log(engine.settings.log_url)
    try:
        while time.monotonic() < until:
            state, head = log.state(), log.head()
            if head is not None and head.size == state.size and state.position == engine.store.head():
                return head, cosigned_by(engine, log, head.size)
            time.sleep(0.1)
        return None, {}
    finally:
        log.close()


def _evident(sealed: Head | None, cosigned: Mapping[str, int]) -> bool:
    """Whether the last head is there, and enough boards have cosigned it."""
    return sealed is not None and sum(size >= sealed.size for size in cosigned.values()) >= NEEDED


def _said(sealed: Head | None, cosigned: Mapping[str, int]) -> str:
    if sealed is None:
        return "存证日志 the evidence log: not everything was sealed in time; see huiyin log status"
    root = base64.b64encode(sealed.root).decode()
    lines = [
        f"存证日志 the evidence log: every event is sealed, {sealed.size:,} leaves under the root {root}"
    ]
    lines += [f"  {BOARDS[name]} {name}: cosigned {size:,} leaves 已联署" for name, size in cosigned.items()]
    return "\n".join(lines)


def _print(made: Report, held: Held, played: Played, district: District) -> None:
    console, names = Console(), {body.id: body.name_zh for body in district.bodies}
    took = (played.ended - played.began).total_seconds()
    console.rule(f"桂花街道的一个上午 · a morning in a sub-district · {took:.0f} s")
    table = Table(show_header=False, box=None)
    for word, count in sorted(made.matters.items()):
        table.add_row("matters", word, str(count))
    for word, count in sorted(made.orders.items()):
        table.add_row("orders", word, str(count))
    table.add_row("escalated 上交", "", str(len(made.escalated)))
    table.add_row("breaches shown above 上报", "", str(len(made.shown_above)))
    table.add_row("reopened 重办", "", str(len(made.reopened)))
    table.add_row("due moments missed", "", str(made.events["due_missed.v1"]))
    table.add_row("refused commands", "", str(made.refusals))
    table.add_row("events written", "", str(made.total))
    console.print(table)
    late = Table("number", "body", "what", "late by", title="迟到的部门 · who came late")
    for one in made.late:
        late.add_row(one.number, names.get(one.body, one.body), one.stage, _span(one.by))
    console.print(late)
    for broke in played.broken:
        console.print(f"[red]a life broke off: {broke}")
    console.print(f"{held.answers} answers held against the store: lost {held.lost}, doubled {held.doubled}")


def _span(by: timedelta | None) -> str:
    return "never came 未到" if by is None else f"{by.total_seconds():.1f} s"


def _print_json(
    made: Report, held: Held, played: Played, sealed: Head | None, cosigned: Mapping[str, int]
) -> None:
    typer.echo(
        json.dumps(
            {
                "matters": made.matters, "orders": made.orders, "events": made.total, "types": made.events,
                "late": [{"number": x.number, "body": x.body, "stage": x.stage, "by": _span(x.by)} for x in made.late],
                "escalated": made.escalated, "shown_above": made.shown_above, "reopened": made.reopened,
                "answers": held.answers, "lost": held.lost, "doubled": held.doubled, "broken": played.broken,
                "sealed": None if sealed is None else {"size": sealed.size, "root": sealed.root.hex()},
                "cosigned": dict(cosigned),
            },
            ensure_ascii=False,
        )
    )  # fmt: skip
