"""`huiyin history CASE`: every event of a case, and the auditor's questions that it answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from adapters.cli.door import opened
from adapters.cli.options import Case, Json, Viewer, moment
from adapters.cli.reading import viewer_of, views_of
from adapters.cli.tables import console, local, print_json, print_table
from adapters.engine import Engine
from adapters.finding import case_of
from adapters.history import NUMBERS, Answered, Trail, answer, as_of
from adapters.history.figures import ViewFigures
from adapters.history.lines import line, lines
from adapters.labels import POSTS, label
from adapters.reading import look

verbs = typer.Typer()


@verbs.command()
def history(
    case: Case,
    at: Annotated[
        datetime | None,
        typer.Option(
            "--at", parser=moment, metavar="TIME", help="As it was known at this time (with offset or Z)."
        ),
    ] = None,
    happened: Annotated[
        datetime | None,
        typer.Option("--happened", parser=moment, metavar="TIME", help="As it had happened by this time."),
    ] = None,
    question: Annotated[
        list[int] | None,
        typer.Option(
            help=f"Answer an auditor's question instead: {', '.join(map(str, NUMBERS))}. Repeat it for more."
        ),
    ] = None,
    questions: Annotated[
        bool, typer.Option("--questions", help="Answer all of them after the events.")
    ] = False,
    as_: Viewer = None,
    as_json: Json = False,
) -> None:
    """Print every event of a case: both times, who, as what, on what ground, by which rule; refusals and reads too.

    Exit code 2: a question or a time is not one. 3: no such case, or nothing of it that early. 4: out of reach.
    """
    wanted = tuple(question or (NUMBERS if questions else ()))
    if unknown := set(wanted) - set(NUMBERS):
        raise typer.BadParameter(
            f"a case answers {', '.join(map(str, NUMBERS))}, not {min(unknown)}", param_hint="--question"
        )
    with opened(as_json) as engine:
        viewer = viewer_of(engine, as_)
        seen = look(engine, case_of(engine, case, viewer), viewer)
        trail = as_of(engine, seen, known=at, happened=happened)
        answers = _answers(engine, trail, wanted)
        if as_json:
            print_json(_body(trail, answers, events=not question))
            return
        if not question:
            _print_events(trail)
        for one in answers:
            _print_answer(trail, one)


def _answers(engine: Engine, trail: Trail, wanted: tuple[int, ...]) -> list[Answered]:
    if not wanted:
        return []
    with views_of(engine) as views:
        figures = ViewFigures(views.reader, trail.at, trail.zone)
        return [answer(trail, number, figures) for number in wanted]


def _body(trail: Trail, answers: list[Answered], *, events: bool) -> dict[str, Any]:
    body: dict[str, Any] = {
        "case": trail.matter.id,
        "number": trail.matter.number,
        "status": trail.matter.status,
    }
    if events:
        body["events"] = lines(trail)
        body["refusals"] = [line(trail, fact) for fact in trail.refusals]
        body["reads"] = [line(trail, fact) for fact in trail.reads]
        body["notices"] = [line(trail, fact) for fact in trail.notices]
    body["answers"] = [
        {
            "question": one.number,
            "zh": one.question_zh,
            "en": one.question_en,
            "rows": one.rows,
            "flags": one.flags,
        }
        for one in answers
    ]
    return body


def _print_events(trail: Trail) -> None:
    console().print(f"{trail.matter.number}  {trail.matter.id}")
    columns = ("position", "occurred", "recorded", "what", "about", "who", "ground", "rule")
    print_table("经过 history", [_told(trail, one) for one in lines(trail)], columns, trail.zone)
    for title, facts in (
        ("被拒的操作 refused", trail.refusals),
        ("查阅记录 reads of sealed values", trail.reads),
        ("通知 notices", trail.notices),
    ):
        if facts:
            print_table(title, [_told(trail, line(trail, fact)) for fact in facts], columns, trail.zone)


def _told(trail: Trail, row: dict[str, Any]) -> dict[str, Any]:
    """A line for people: the second time only where it differs, the person by the beginning of the pseudonym."""
    occurred, recorded = (local(row[name], trail.zone) for name in ("occurred_at", "recorded_at"))
    post = label(POSTS, row["post"]) if row["post"] else ""
    person = row["person"] if ":" in row["person"] else row["person"][:8]
    late = " 补录 late record" if row["backfill"] else ""
    return row | {
        "occurred": occurred + late, "recorded": recorded if recorded != occurred else "",
        "who": " ".join(filter(None, (row["body_name"], post, person))), "ground": row["authority"],
        "rule": f"{row['rule']}\n{row['rulebook']}",
    }  # fmt: skip


def _print_answer(trail: Trail, one: Answered) -> None:
    out = console()
    out.print(f"\n问题 question {one.number}: {one.question_zh}\n{one.question_en}")
    if not one.rows:
        out.print("  没有 none")
    for shape, rows in _by_shape(one.rows).items():
        print_table("", rows, [name for name in shape if name not in ("order", "person")], trail.zone)
    for flag in one.flags:
        out.print(f"  ! {flag}")


def _by_shape(rows: list[dict[str, Any]]) -> dict[tuple[str, ...], list[dict[str, Any]]]:
    """Rows that have the same columns, together."""
    found: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(tuple(row), []).append(row)
    return found
