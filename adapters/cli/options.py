"""Options and arguments that verbs of several rooms have. Who acts, and on what ground, stands in `people`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer


def moment(text: str | datetime) -> datetime:
    """A time as a person gives it. Raises typer.BadParameter where the offset is missing."""
    try:
        given = text if isinstance(text, datetime) else datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("give a time such as 2026-11-23T09:30:00+08:00") from None
    if given.tzinfo is None:
        raise typer.BadParameter(
            "give the time with its offset, such as +08:00 or Z: without, it may be any hour"
        )
    return given


Case = Annotated[
    str, typer.Argument(help="The matter: its number or id, or SOURCE:NUMBER of another system.")
]
Viewer = Annotated[
    str | None,
    typer.Option(
        "--as", envvar="HUIYIN_AS", metavar="PERSON/BODY/POST", help="Who looks; else public fields only."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object for programs.")]
Ordered = Annotated[
    str, typer.Option(envvar="HUIYIN_AUTHORITY", help="The resolution or document that orders it, as a code.")
]
Begins = Annotated[
    datetime | None,
    typer.Option(
        "--from",
        parser=moment,
        metavar="TIME",
        help="In force from then on, with offset or Z; now, if left out.",
    ),
]
