"""Finding a case by what people call it."""

from __future__ import annotations

import re

from adapters.engine import Engine
from domain.acting import Actor
from domain.matter import Matter
from domain.refusal import NotFound
from workflows.submission import OWN_NUMBER

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")


def is_id(text: str) -> bool:
    """Whether a text is an id as stored."""
    return _ID.fullmatch(text) is not None


def case_of(engine: Engine, text: str, viewer: Actor | None) -> str:
    """The case of an id, a number, or another system's number as SOURCE:NUMBER.

    Raises NotFound, also for the number of a case that is hidden from the viewer.
    """
    if is_id(text):
        return text
    found = engine.handle.find(OWN_NUMBER, text.upper(), viewer)
    source, colon, number = text.partition(":")
    if found is None and colon and _SOURCE.fullmatch(source):
        found = engine.handle.find(source, number, viewer)
    if found is None:
        raise NotFound
    return found


def case_or_nobodys(engine: Engine, text: str, viewer: Actor | None) -> str:
    """As `case_of`; for an unknown number the id of a case that does not exist, so that what follows takes as long."""
    try:
        return case_of(engine, text, viewer)
    except NotFound:
        return engine.handle.stand_ins.nobodys(text)


def known(engine: Engine, case: str) -> Matter:
    """The case for what a person calls its parts. Raises NotFound, also for a confidential one: name ids there."""
    matter = engine.handle.load(case)
    if matter is None or matter.confidential:
        raise NotFound
    return matter
