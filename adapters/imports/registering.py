"""Live requests out of a table: each row is handed in as a system hands one in by the API (DESIGN.md law 3).

Its key derives from the import and the row. A message that came before, by whatever import, is known; another one under
a known number becomes a supplement, an urging or a reopening.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

from pydantic import ValidationError

from adapters.access.keys import SystemKey
from adapters.http.acts import Acting
from adapters.http.bodies import Given, body_of
from adapters.http.operations import Operation, operations
from adapters.http.registering import REOPENING, SUPPLEMENT, HandedIn, foreseen, hand_in
from adapters.http.who import Caller
from adapters.imports.rows import what_is_wrong
from adapters.imports.run import FOR_EVERY_ROW, RowOutcome
from domain.matter.commands import RegisterMatter
from domain.refusal import Refused
from workflows.submission import OutsideNumber

if TYPE_CHECKING:
    from adapters.engine import Engine
    from adapters.imports.rows import Rows
    from adapters.imports.store import Import
    from adapters.imports.table import Row

MESSAGES = ".message"
"""Behind a source's name: the source of the ids of its single messages."""


@cache
def _operation() -> tuple[Operation, type[Given]]:
    found = next(one for one in operations() if one.command is RegisterMatter)
    return found, body_of(found)


class Registering:
    """One import's live requests."""

    def __init__(self, engine: Engine, one: Import, reading: Rows) -> None:
        self._engine, self._import, self._reading = engine, one, reading
        key = None
        if one.key_source is not None:
            at = datetime.min.replace(tzinfo=UTC)
            key = SystemKey("import", one.person, one.body, one.key_source or None, at, None)
        self._caller = Caller(engine, f"{one.body}/{one.post}", person=one.person, key=key)

    def registered(self, row: Row) -> RowOutcome:
        """Hand the row in. Raises Unavailable, and Refused for what every row would be refused for."""
        try:
            acting = self._acting(row)
            if self._came_before(acting):
                return RowOutcome(row.number, row.line, "known", matter=self._number(self._known(acting)))
            return self._told(row, foreseen(acting) if self._import.trial else hand_in(acting))
        except Refused as refused:
            if refused.code in FOR_EVERY_ROW:
                raise
            return RowOutcome(row.number, row.line, "refused", refused.code, refused.advice)
        except ValidationError as wrong:
            return RowOutcome(row.number, row.line, "refused", "malformed", what_is_wrong(wrong))

    def _acting(self, row: Row) -> Acting:
        if row.cells is None:
            raise Refused("not_readable", row.why)
        order = self._reading.order(row.cells, self._reading.reference(row.cells))
        operation, body = _operation()
        given = body.model_validate(order.body | {"authority": self._import.authority})
        source = f"{order.body['outside'][0]['source']}{MESSAGES}"
        return Acting(
            self._engine, self._caller, operation, given, f"import:{self._import.id}:{row.number}", None, {},
            (OutsideNumber(source, f"{order.reference}\n{order.message}"),),
        )  # fmt: skip

    def _came_before(self, acting: Acting) -> bool:
        """Whether this very message is known, and not by this row before the import was broken off."""
        handle, client = self._engine.handle, self._caller.client(self._import.actor)
        mine = any(handle.answer(client, acting.key + part) for part in ("", REOPENING, SUPPLEMENT))
        return not mine and self._known(acting) is not None

    def _known(self, acting: Acting) -> str | None:
        (message,) = acting.message
        return self._engine.handle.find(message.source, message.number, self._import.actor)

    def _told(self, row: Row, handed: HandedIn) -> RowOutcome:
        answer, command = handed.answer, handed.submission.command
        if answer.code in FOR_EVERY_ROW and isinstance(command, RegisterMatter):
            raise Refused(answer.code, answer.advice or "")
        if not answer.accepted:
            return RowOutcome(row.number, row.line, "refused", answer.code, answer.advice)
        if isinstance(command, RegisterMatter):
            number = None if self._import.trial else command.number
            return RowOutcome(row.number, row.line, "added", matter=number)
        kept_as = handed.told.get("reopening_refused")
        code, advice = (None, None) if kept_as is None else (kept_as.code, kept_as.detail)
        return RowOutcome(
            row.number, row.line, handed.told["became"], code, advice, self._number(answer.case)
        )

    def _number(self, case: str | None) -> str | None:
        found = None if case is None else self._engine.handle.load(case)
        return None if found is None else found.number
