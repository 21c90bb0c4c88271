"""`huiyin matter show|list|find`, `huiyin work`, `huiyin clocks`: what is going on, without changing anything.

Without `--as` the operator at this machine sees public fields; with it, what that person may see.
Exit codes: 0 shown · 2 usage · 3 no such case, or none that the viewer may see · 4 a database is out of reach.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from adapters.cli.door import identify, opened
from adapters.cli.options import Case, Json, Viewer
from adapters.cli.people import acting
from adapters.cli.tables import cell, console, print_json, print_table, zone_of
from adapters.engine import Engine
from adapters.finding import case_of
from adapters.history.trail import Trail, as_of
from adapters.labels import ACTS, ORDERS, STAGES, STATUSES, VALUES, label
from adapters.lists import plain, visible, work_of_body, work_of_person, worked
from adapters.reading import Seen, look, open_case
from adapters.views import Views
from domain.acting import Actor
from domain.instant import written
from domain.refusal import NotFound


def viewer_of(engine: Engine, text: str | None) -> Actor | None:
    """The viewer that `--as` names, or None. Raises typer.BadParameter."""
    return None if text is None else acting(text, identify(engine))


@contextmanager
def views_of(engine: Engine) -> Iterator[Views]:
    """The read models, caught up to the store's tail. Raises Unavailable."""
    views = Views(engine.settings.views_url, engine.store)
    try:
        views.catch_up()
        yield views
    finally:
        views.close()


def names(engine: Engine) -> Any:
    """How bodies are called, Chinese first."""
    register, now = engine.handle.standing.caught_up().register, engine.handle.clock()

    def name(body: str | None) -> str:
        found = register.body(body, now) if body else None
        return f"{found.name_zh} {found.id}" if found else body or "-"

    return name


app = typer.Typer()
verbs = typer.Typer()


# -- one matter -------------------------------------------------------------------------------------------------------


@app.command()
def show(
    case: Case,
    as_: Viewer = None,
    purpose: Annotated[
        str | None,
        typer.Option("--open", metavar="PURPOSE", help="Read the sealed values too; that is recorded."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show one matter: where it stands, its orders and clocks. Exit code 3 if there is none that you may see."""
    with opened(as_json) as engine:
        viewer = viewer_of(engine, as_)
        found = case_of(engine, case, viewer)
        values: tuple[Any, ...] = ()
        if purpose is not None:
            if viewer is None:
                raise typer.BadParameter("say who reads", param_hint="--as")
            shown = open_case(engine, found, viewer, purpose)
            seen, values = shown.seen, shown.values
        else:
            seen = look(engine, found, viewer)
        body = _facts(engine, seen) | {"sealed": [v._asdict() | {"disclosure": None} for v in values]}
        if as_json:
            print_json(body)
        else:
            _print(engine, body)


def _facts(engine: Engine, seen: Seen) -> dict[str, Any]:
    trail = as_of(engine, seen)
    m = seen.matter
    return {
        "case": m.id, "number": m.number, "status": label(STATUSES, m.status), "source": m.source, "kind": m.kind,
        "code": m.code, "demand": m.demand, "scale": m.scale, "urgent": m.urgent, "channel": m.channel, "tier": m.tier,
        "host": trail.body(m.host), "subdistrict": trail.body(m.subdistrict), "requesters": len(m.requesters),
        "disposition": m.disposition, "reopened": m.reopened, "parent": m.parent, "master": m.master,
        "handed_to": trail.body(m.diverted_to), "version": m.version, "sight": seen.sight.level,
        "legs": _legs(trail), "clocks": _clocks(trail),
    }  # fmt: skip


def _legs(trail: Trail) -> list[dict[str, Any]]:
    return [
        {
            "order": order.id, "kind": label(ORDERS, order.full_kind), "order_status": order.status, "leg": leg.id,
            "body": trail.body(leg.body), "role": leg.role, "status": label(STATUSES, leg.status),
        }
        for order in trail.matter.orders.values()
        for leg in order.legs.values()
    ]  # fmt: skip


def _clocks(trail: Trail) -> list[dict[str, Any]]:
    return [
        {
            "stage": label(STAGES, clock.stage), "body": trail.owes(clock), "started": written(clock.started),
            "due": written(clock.due), "done_at": written(clock.stopped) if clock.stopped else None,
            "late": clock.late(trail.at), "provisional": clock.provisional,
        }
        for clock in trail.clocks()
    ]  # fmt: skip


def _print(engine: Engine, body: dict[str, Any]) -> None:
    zone, out = zone_of(engine), console()
    for name, value in body.items():
        if not isinstance(value, list) and value not in (None, "-", False, 0):
            out.print(f"{name.replace('_', ' '):<12} {cell(value, zone)}")
    if body["legs"]:
        print_table("单与部门 orders and legs", body["legs"], ("kind", "body", "role", "status", "leg"), zone)
    columns = ("stage", "body", "started", "due", "done_at", "late", "provisional")
    print_table("时限 clocks", body["clocks"], columns, zone)
    if body["sealed"]:
        said = [value | {"state": label(VALUES, value["state"])} for value in body["sealed"]]
        print_table("封存内容 sealed values", said, ("subject", "name", "value", "state"), zone)


@app.command("list")
def list_(
    status: Annotated[str | None, typer.Option(help="Only those in this state, such as in_handling.")] = None,
    subdistrict: Annotated[str | None, typer.Option(help="Only those of this sub-district.")] = None,
    late: Annotated[bool, typer.Option("--late", help="Only those that are or were late.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=5000)] = 100,
    as_: Viewer = None,
    as_json: Json = False,
) -> None:
    """List matters, the newest first: public fields only. Exit code 0, also where there are none."""
    with opened(as_json) as engine, views_of(engine) as views:
        now = engine.handle.clock()
        found = views.reader.cases(now=now, status=status, subdistrict=subdistrict, late=late, limit=limit)
        rows = [plain(row) for row in visible(engine, viewer_of(engine, as_), found)]
        if as_json:
            print_json({"matters": rows})
            return
        name = names(engine)
        said = [
            row
            | {
                "status": label(STATUSES, row["status"]),
                "subdistrict": name(row["subdistrict"]),
                "host": name(row["host"]),
            }
            for row in rows
        ]
        columns = (
            "number",
            "status",
            "code",
            "demand",
            "scale",
            "subdistrict",
            "host",
            "opened",
            "next_due",
            "ended_at",
        )
        print_table(f"{len(rows)} 事项 matters", said, columns, zone_of(engine))


@app.command()
def find(
    outside: Annotated[str, typer.Option(help="The number that the other system gave it.")],
    source: Annotated[str, typer.Option(help="The system, such as hotline_12345.")],
    as_: Viewer = None,
    as_json: Json = False,
) -> None:
    """Find a matter by another system's number. Exit code 3 if there is none that you may see."""
    with opened(as_json) as engine:
        viewer = viewer_of(engine, as_)
        case = engine.handle.find(source, outside, viewer)
        if case is None:
            raise NotFound
        seen = look(engine, case, viewer)
        found = {"case": case, "number": seen.matter.number, "status": seen.matter.status}
        if as_json:
            print_json(found)
        else:
            console().print(f"{found['number']}  {label(STATUSES, seen.matter.status)}  {case}")


# -- work and clocks --------------------------------------------------------------------------------------------------


@verbs.command()
def work(
    body: Annotated[
        str | None,
        typer.Argument(help="The body whose work list is wanted; without it, that of the person in --as."),
    ] = None,
    post: Annotated[str | None, typer.Option(help="Only what this post may do, by the rulebook.")] = None,
    as_: Viewer = None,
    as_json: Json = False,
) -> None:
    """List what a body, or a person in all of their posts, is to do next, the soonest due first.

    Exit code 3: the register does not know the body.
    """
    with opened(as_json) as engine, views_of(engine) as views:
        viewer = viewer_of(engine, as_)
        if body is not None:
            found, whose = work_of_body(engine, views.reader, body, post), names(engine)(body)
        elif viewer is not None:
            found, whose = work_of_person(engine, views.reader, viewer.person), f"{viewer.person[:8]}"
        else:
            raise typer.BadParameter("name a body, or say who you are with --as", param_hint="BODY")
        rows = [worked(row) for row in visible(engine, viewer, found)]
        if as_json:
            print_json({"body": body, "work": rows})
            return
        name = names(engine)
        said = [
            row
            | {"act": label(ACTS, row["act"]), "posts": ", ".join(row["posts"]), "body": name(row["body"])}
            for row in rows
        ]
        columns = ("due", "act", "number", "code", "status", "body", "posts", "leg")
        print_table(f"{whose}: {len(rows)} 件待办 to do", said, columns, zone_of(engine))


@verbs.command()
def clocks(
    body: Annotated[str | None, typer.Option(help="Only those of this body.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=5000)] = 100,
    as_: Viewer = None,
    as_json: Json = False,
) -> None:
    """List the clocks that run, the soonest due first; those past due are late. Exit code 0, also for none."""
    with opened(as_json) as engine, views_of(engine) as views:
        now = written(engine.handle.clock())
        found = visible(engine, viewer_of(engine, as_), views.reader.open_clocks(body=body, limit=limit))
        rows = [plain(row) | {"late": plain(row)["due"] < now} for row in found]
        if as_json:
            print_json({"clocks": rows})
            return
        name = names(engine)
        said = [row | {"stage": label(STAGES, row["stage"]), "body": name(row["body"])} for row in rows]
        print_table(
            f"{len(rows)} 运行中的时限 running clocks",
            said,
            ("due", "late", "stage", "body", "number", "leg"),
            zone_of(engine),
        )
