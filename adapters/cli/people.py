"""Who acts: `--as PERSON/BODY/POST`, the same for every act of the command line."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated
from uuid import uuid4

import typer

from domain.acting import RESIDENT, Actor

As = Annotated[
    str,
    typer.Option(
        "--as",
        envvar="HUIYIN_AS",
        metavar="PERSON/BODY/POST",
        help="Who acts: staff reference or person id, the body acted for, the post. A resident: PERSON/resident.",
    ),
]
Authority = Annotated[
    str | None,
    typer.Option(
        envvar="HUIYIN_AUTHORITY",
        help="The ground: a power item, law, mandate or resolution, as a code.",
    ),
]

_PART = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,79}$")


def acting(text: str, identify: Callable[[str], str]) -> Actor:
    """The actor that `--as` names; `identify` makes a person id of a staff reference.

    `resident` alone is a new resident, under a fresh id. Raises typer.BadParameter.
    """
    parts = text.split("/")
    if parts == [RESIDENT]:
        return Actor(person=str(uuid4()), body=RESIDENT)
    if len(parts) == 2 and parts[1] == RESIDENT and _is_id(parts[0]):
        return Actor(person=parts[0], body=RESIDENT)
    if len(parts) != 3 or not all(parts) or not all(_PART.match(part) for part in parts[1:]):
        raise typer.BadParameter("give PERSON/BODY/POST, or PERSON/resident", param_hint="--as")
    if not valid_text(parts[0]):
        raise typer.BadParameter("give PERSON as valid UTF-8", param_hint="--as")
    return Actor(person=identify(parts[0]), body=parts[1], post=parts[2])


def valid_text(text: str) -> bool:
    """Whether a text is Unicode: an argument that is not UTF-8 arrives with lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_id(text: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text) is not None
