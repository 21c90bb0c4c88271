"""Reading one case: as it stands, as it was known or had happened, its history, its sealed values, its receipt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from starlette.responses import PlainTextResponse

from adapters.duplicates.offering import Offer, offered
from adapters.engine import Engine
from adapters.finding import case_or_nobodys
from adapters.history import NUMBERS, Fact, Trail, answer, as_of
from adapters.history.lines import line
from adapters.http.answers import etag
from adapters.http.cursors import Cursors
from adapters.http.documented import PROBLEMS
from adapters.http.models import Answered, Case, Duplicates, Event, LikelyDuplicate, Opened, Page, Sealed
from adapters.http.views_of_case import case_view
from adapters.http.who import Doors, caller_of
from adapters.reading import Seen, look, open_case
from adapters.receipt.give import receipt_of
from adapters.receipt.prove import log_of, proof_file, sealed_leaf
from domain.acting import Actor
from domain.instant import Instant
from domain.refusal import Refused

CaseName = Annotated[
    str,
    Path(
        max_length=200, description="Its id, its number, or SOURCE:NUMBER of another system.",
        examples=["450305-20261123-7KQ2MWX"],
    ),
]  # fmt: skip
Cursor = Annotated[str | None, Query(max_length=500, description="`next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=200)]


class Part(NamedTuple):
    """A part of a case's trail that is read page by page: its name in the path, what is in it, and what the document says."""

    name: str
    facts: Callable[[Trail], Sequence[Fact]]
    summary: str
    says: str


_PARTS = (
    Part(
        "history", attrgetter("facts"), "Its events 经过",
        "Every event in order: both times, who, as what, on what ground, by which rule.",
    ),
    Part(
        "refusals", attrgetter("refusals"), "What was refused 被拒的操作",
        "Commands that the rules refused: they never changed the case.",
    ),
    Part(
        "reads", attrgetter("reads"), "Who read it 查阅记录",
        "Who was shown sealed values, which, and for what purpose.",
    ),
    Part(
        "notices", attrgetter("notices"), "Who was told 通知记录",
        "What became of messages about it: who was told of which moment, when, by which way, or why not.",
    ),
)  # fmt: skip


class AsOf:
    """Which moment or version is asked for; without any, now."""

    def __init__(
        self,
        known_at: Annotated[Instant | None, Query(description="As it was known then, with offset.")] = None,
        happened_by: Annotated[Instant | None, Query(description="As it had happened by then.")] = None,
        version: Annotated[
            int | None, Query(ge=1, le=2**31, description="As of this version of the case.")
        ] = None,
    ) -> None:
        self.known_at, self.happened_by, self.version = known_at, happened_by, version

    def trail(self, engine: Engine, seen: Seen) -> Trail:
        """The case's trail as of then. Raises NotFound."""
        return as_of(engine, seen, known=self.known_at, happened=self.happened_by, version=self.version)


class Readings:
    """What answers the readings of one case."""

    def __init__(self, engine: Engine, doors: Doors) -> None:
        self._engine, self._doors, self._cursors = engine, doors, Cursors(engine.keys.pepper)

    def _seen(self, request: Request, case: str) -> tuple[Seen, Actor]:
        caller = caller_of(request, self._engine, self._doors)
        found = case_or_nobodys(self._engine, case, None if caller.resident else caller.officer())
        viewer = caller.actor(found)
        return look(self._engine, found, viewer), viewer

    def read_case(
        self, request: Request, response: Response, case: CaseName, when: Annotated[AsOf, Depends()]
    ) -> Case:
        """A case with its orders and clocks. Its ETag is its version, for If-Match."""
        seen, _ = self._seen(request, case)
        shown = case_view(seen, when.trail(self._engine, seen))
        response.headers["ETag"] = etag(shown.version)
        return shown

    def pages(self, part: Part) -> Callable[..., Page[Event]]:
        """What answers the reading of one part of a case's trail."""

        def read(
            request: Request,
            case: CaseName,
            when: Annotated[AsOf, Depends()],
            cursor: Cursor = None,
            limit: Limit = 100,
        ) -> Page[Event]:
            trail = when.trail(self._engine, self._seen(request, case)[0])
            return self._page(trail, part, cursor, limit)

        return read

    def _page(self, trail: Trail, part: Part, cursor: str | None, limit: int) -> Page[Event]:
        kind = f"{part.name}/{trail.matter.id}"
        place = self._cursors.place(kind, cursor)
        after = int(place[0]) if place else -1
        rest = [fact for fact in part.facts(trail) if fact.stored.position > after]
        items = [Event.model_validate(line(trail, fact)) for fact in rest[:limit]]
        more = self._cursors.at(kind, [rest[limit - 1].stored.position]) if len(rest) > limit else None
        return Page[Event](items=items, next=more)

    def read_sealed(
        self,
        request: Request,
        case: CaseName,
        purpose: Annotated[
            str, Query(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/#-]{0,79}$", examples=["handling"])
        ],
    ) -> Opened:
        """The sealed values, as far as the viewer may read them. That they were read goes on record first."""
        seen, viewer = self._seen(request, case)
        shown = open_case(self._engine, seen.matter.id, viewer, purpose)
        values = [Sealed(subject=v.subject, name=v.name, state=v.state, value=v.value) for v in shown.values]
        return Opened(case=seen.matter.id, purpose=purpose, values=values)

    def read_duplicates(self, request: Request, case: CaseName) -> Duplicates:
        """Open matters that are likely about the same, of those whose words the caller may read. Merging is an act."""
        seen, viewer = self._seen(request, case)
        return duplicates_of(offered(self._engine, seen.matter.id, viewer))

    def ask_questions(
        self,
        request: Request,
        case: CaseName,
        when: Annotated[AsOf, Depends()],
        question: Annotated[
            list[int] | None, Query(description=f"Of {', '.join(map(str, NUMBERS))}.")
        ] = None,
    ) -> list[Answered]:
        """What the record of this case says to them, each row with the events that prove it."""
        wanted = question or list(NUMBERS)
        if set(wanted) - set(NUMBERS):
            raise Refused("malformed", f"A case answers the questions {', '.join(map(str, NUMBERS))}.")
        trail = when.trail(self._engine, self._seen(request, case)[0])
        return [_answered(trail, number) for number in wanted]

    def read_receipt(self, request: Request, case: CaseName) -> PlainTextResponse:
        """The promise of its intake, byte for byte."""
        seen, _ = self._seen(request, case)
        return PlainTextResponse(receipt_of(self._engine, seen.events[0]))

    def read_proof(self, request: Request, case: CaseName) -> PlainTextResponse:
        """The promise and where its first event stands under the newest cosigned head (C2SP tlog-proof)."""
        seen, _ = self._seen(request, case)
        promise = receipt_of(self._engine, seen.events[0])
        with log_of(self._engine.settings) as log:
            index, _ = sealed_leaf(log, seen.events[0])
            return PlainTextResponse(proof_file(log, index, promise))


def router(engine: Engine, doors: Doors) -> APIRouter:
    """The readings of one case, under their paths."""
    made = APIRouter(prefix="/matters/{case}", tags=["matters"], responses=PROBLEMS)
    of = Readings(engine, doors)
    made.add_api_route("", of.read_case, summary="A case 案卷", operation_id="read_case")
    for part in _PARTS:
        made.add_api_route(
            f"/{part.name}", of.pages(part), summary=part.summary, description=part.says,
            operation_id=f"read_{part.name}",
        )  # fmt: skip
    readings: tuple[tuple[str, Callable[..., Any], str], ...] = (
        ("/sealed", of.read_sealed, "Its sealed values 封存内容"),
        ("/duplicates", of.read_duplicates, "Likely duplicates 疑似重复件"),
        ("/questions", of.ask_questions, "An auditor's questions 审计问题"),
    )
    for path, reading, summary in readings:
        made.add_api_route(path, reading, summary=summary, operation_id=reading.__name__)
    made.add_api_route(
        "/receipt", of.read_receipt, summary="Its promise 回执承诺", operation_id="read_receipt", **_TEXT
    )
    made.add_api_route(
        "/receipt/proof", of.read_proof, summary="Its receipt 回执证明", operation_id="read_proof", **_TEXT
    )
    return made


_TEXT: dict[str, Any] = {
    "response_class": PlainTextResponse,
    "responses": {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
}


def duplicates_of(offer: Offer) -> Duplicates:
    """An offer as a body."""
    items = None if offer.matters is None else [LikelyDuplicate(**one._asdict()) for one in offer.matters]
    return Duplicates(items=items, reason=offer.reason, compared=offer.compared, more=offer.more)


def _answered(trail: Trail, number: int) -> Answered:
    """Of this case alone: what other cases would add is not every viewer's to see."""
    one = answer(trail, number)
    return Answered(
        question=one.number, zh=one.question_zh, en=one.question_en, rows=one.rows, flags=one.flags
    )
