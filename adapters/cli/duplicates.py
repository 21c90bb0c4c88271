"""`huiyin matter duplicates NUMBER`: open matters that are likely about the same 疑似重复件. Merging is an act of its own.

Exit codes: 0 shown · 2 usage · 3 no such case, or none that the viewer may see · 4 nothing could be compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from adapters.cli import exits
from adapters.cli.door import opened, stop
from adapters.cli.options import Case, Json
from adapters.cli.reading import viewer_of
from adapters.cli.tables import print_json, print_table, zone_of
from adapters.duplicates.offering import Likely, Offer, offered, offered_at_intake
from adapters.engine import Engine
from adapters.finding import case_of
from adapters.labels import LIKENESS, STATUSES, label
from domain.acting import Command
from workflows.submission import Answer

if TYPE_CHECKING:
    from adapters.cli.act_run import Doing

Viewer = Annotated[
    str,
    typer.Option(
        "--as",
        envvar="HUIYIN_AS",
        metavar="PERSON/BODY/POST",
        help="谁来看 Who looks: whose words may be read.",
    ),
]


app = typer.Typer()


@app.command()
def duplicates(case: Case, as_: Viewer, as_json: Json = False) -> None:
    """列出疑似重复件 List open matters that are likely about the same; only those whose words you may read.

    Text and address are compared apart, in per cent. Nothing is merged by itself: huiyin matter merge.
    """
    with opened(as_json) as engine:
        viewer = viewer_of(engine, as_)
        assert viewer is not None
        found = case_of(engine, case, viewer)
        offer = offered(engine, found, viewer)
        if offer.matters is None:
            stop(
                exits.UNAVAILABLE,
                offer.reason or "",
                "比对不了，请稍后再试 Nothing could be compared; ask again later.",
                as_json,
            )
        if as_json:
            print_json(
                {"case": found, "items": [one._asdict() for one in offer.matters], "reason": offer.reason,
                 "compared": offer.compared, "more": offer.more}
            )  # fmt: skip
            return
        _print(engine, offer)


def offered_beside(doing: Doing, answer: Answer, command: Command) -> dict[str, Any]:
    """What is told with the answer of registering: the likely duplicates, or why none could be looked for."""
    if not answer.accepted:
        return {}
    offer = offered_at_intake(doing.engine, answer.case, command, doing.actor)
    if offer is None:
        return {}
    if offer.matters is None:
        return {"likely_duplicates_failed": offer.reason}
    if doing.given["as_json"]:
        return {"likely_duplicates": [one._asdict() for one in offer.matters]}
    return {"likely_duplicates": {one.number: f"{one.score} % {_why(one)}" for one in offer.matters}}


def _print(engine: Engine, offer: Offer) -> None:
    rows = [
        one._asdict() | {"why": _why(one), "status": label(STATUSES, one.status)} for one in offer.matters or ()
    ]  # fmt: skip
    columns = ("number", "score", "text", "address", "why", "status", "registered_at")
    print_table("疑似重复件 likely duplicates, %", rows, columns, zone_of(engine))
    more = "，还有更多 and there are more" if offer.more else ""
    typer.echo(f"已比对 compared: {offer.compared}{more}")


def _why(one: Likely) -> str:
    return ", ".join(label(LIKENESS, why) for why in one.why)
