"""The lists: matters, work, clocks, bodies, and who one is. Out of the read models, as far as the viewer may see.

The read models follow the record by a moment; `Huiyin-Position` says up to which event of the store a list was told.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from adapters.engine import Engine
from adapters.http.cursors import Cursors, Place
from adapters.http.documented import PROBLEMS
from adapters.http.models import BodyRow, ClockRow, MatterRow, Me, Page, WorkRow
from adapters.http.reading import Cursor, Limit
from adapters.http.who import Caller, Doors, caller_of
from adapters.lists import plain, visible, work_of_body, work_of_person, worked
from adapters.views.reader import Reader, Record
from domain.acting import Actor
from domain.instant import written
from domain.matter.words import MatterStatus
from domain.refusal import Refused
from domain.register.words import Kind, Post
from workflows.submission import OWN_NUMBER

POSITION = "Huiyin-Position"
ROUNDS = 5
"""How often a page looks for rows that the viewer may see before it is handed over short."""
MOST_WORK = 5000
BodyName = Annotated[str | None, Query(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,79}$")]
Fetch = Callable[[Place | None], list[Record]]


class Lists:
    """What answers the lists."""

    def __init__(self, engine: Engine, doors: Doors, reader: Reader) -> None:
        self._engine, self._doors, self._reader = engine, doors, reader
        self._cursors = Cursors(engine.keys.pepper)

    def _officer(self, request: Request) -> tuple[Caller, Actor]:
        caller = caller_of(request, self._engine, self._doors)
        if caller.resident:
            raise Refused("no_post", "Lists are for those who hold a post; ask for a case by its number.")
        return caller, caller.officer()

    def _told(self, response: Response) -> None:
        at = dict(self._reader.consumers()).get("views", 0)
        response.headers[POSITION] = str(at)

    def _rows(
        self, viewer: Actor, what: str, cursor: str | None, limit: int, fetch: Fetch, key: tuple[str, ...]
    ) -> Any:
        kind = f"{what}/{viewer.person}"
        found, place = _page(self._engine, viewer, self._cursors.place(kind, cursor), limit, fetch, key)
        return found, None if place is None else self._cursors.at(kind, place)

    def list_matters(
        self,
        request: Request,
        response: Response,
        status: Annotated[MatterStatus | None, Query()] = None,
        subdistrict: BodyName = None,
        late: Annotated[bool, Query(description="Only those that are or were late.")] = False,
        source: Annotated[
            str | None,
            Query(
                pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,119}$",
                description="With `number`: the system whose number it is; ours, where left out.",
            ),
        ] = None,
        number: Annotated[str | None, Query(max_length=200)] = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[MatterRow]:
        """Matters, the newest first: public fields only. With `number` the one of that number, ours or the source's."""
        _, viewer = self._officer(request)
        self._told(response)
        if number is not None:
            return Page[MatterRow](items=_numbered(self._engine, self._reader, viewer, source, number))
        now = self._engine.handle.clock()

        def fetch(after: Place | None) -> list[Record]:
            return self._reader.cases(
                now=now, status=status, subdistrict=subdistrict, late=late, limit=limit, after=after
            )

        found, more = self._rows(viewer, "matters", cursor, limit, fetch, ("opened", "case_id"))
        return Page[MatterRow](items=[MatterRow.model_validate(plain(row)) for row in found], next=more)

    def list_work(
        self,
        request: Request,
        response: Response,
        body: BodyName = None,
        post: Annotated[Post | None, Query()] = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[WorkRow]:
        """The caller's own work in all posts, or that of a body, the soonest due first."""
        _, viewer = self._officer(request)
        self._told(response)
        listed = (
            work_of_person(self._engine, self._reader, viewer.person, MOST_WORK)
            if body is None
            else work_of_body(self._engine, self._reader, body, post, MOST_WORK)
        )

        def fetch(after: Place | None) -> list[Record]:
            done = -1 if after is None else int(after[0])
            rest = [row | {"place": place} for place, row in enumerate(listed) if place > done]
            return rest[:limit]

        found, more = self._rows(viewer, "work", cursor, limit, fetch, ("place",))
        return Page[WorkRow](items=[WorkRow.model_validate(worked(row)) for row in found], next=more)

    def list_clocks(
        self,
        request: Request,
        response: Response,
        body: BodyName = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[ClockRow]:
        """The clocks that run, the soonest due first; those past due are late."""
        _, viewer = self._officer(request)
        self._told(response)

        def fetch(after: Place | None) -> list[Record]:
            return self._reader.open_clocks(body=body, limit=limit, after=after)

        found, more = self._rows(viewer, "clocks", cursor, limit, fetch, ("due", "case_id", "clock"))
        now = written(self._engine.handle.clock())
        items = [ClockRow.model_validate(row | {"late": row["due"] < now}) for row in map(plain, found)]
        return Page[ClockRow](items=items, next=more)

    def list_bodies(self, request: Request, kind: Annotated[Kind, Query()]) -> Page[BodyRow]:
        """The bodies of a kind that are in force now."""
        self._officer(request)
        found = self._engine.handle.standing.caught_up().register.bodies(kind, self._engine.handle.clock())
        items = [
            BodyRow(
                id=b.id,
                kind=b.kind,
                parent=b.parent,
                name_zh=b.name_zh,
                name_en=b.name_en,
                district=b.district,
            )
            for b in found
        ]
        return Page[BodyRow](items=items)

    def read_me(self, request: Request) -> Me:
        """Whom the server takes the caller for, and the posts it holds now."""
        caller = caller_of(request, self._engine, self._doors)
        posts = []
        if caller.person is not None:
            register = self._engine.handle.standing.caught_up().register
            posts = ["/".join(one) for one in register.posts_of(caller.person, self._engine.handle.clock())]
        return Me(person=caller.person, posts=posts, system=caller.key.id if caller.key else None)


def router(engine: Engine, doors: Doors, reader: Reader) -> APIRouter:
    """The lists, under their paths."""
    made = APIRouter(responses=PROBLEMS)
    of = Lists(engine, doors, reader)
    lists: tuple[tuple[str, Callable[..., Any], str, str], ...] = (
        ("/matters", of.list_matters, "matters", "Matters 事项"),
        ("/work", of.list_work, "work", "What is to be done 待办"),
        ("/clocks", of.list_clocks, "work", "Running clocks 时限"),
        ("/bodies", of.list_bodies, "register", "Bodies 单位"),
        ("/me", of.read_me, "register", "Who I am 我是谁"),
    )
    for path, listed, tag, summary in lists:
        made.add_api_route(
            path, _at_one_look(engine, listed), tags=[tag], summary=summary, operation_id=listed.__name__
        )
    return made


def _at_one_look(engine: Engine, listed: Callable[..., Any]) -> Callable[..., Any]:
    """Who asks and what they may see are of one moment."""

    @wraps(listed)
    def asked(*given: Any, **named: Any) -> Any:
        with engine.handle.standing.one_look():
            return listed(*given, **named)

    return asked


def _page(
    engine: Engine, viewer: Actor, place: Place | None, limit: int, fetch: Fetch, key: tuple[str, ...]
) -> tuple[list[Record], Place | None]:
    """Up to `limit` rows that the viewer may see, and where to go on; None at the end of the list."""
    found: list[Record] = []
    for _ in range(ROUNDS):
        batch = fetch(place)
        shown = {id(row) for row in visible(engine, viewer, batch)}
        for row in batch:
            place = [row[name] for name in key]
            if id(row) in shown:
                found.append(row)
            if len(found) == limit:
                return found, place
        if len(batch) < limit:
            return found, None
    return found, place


def _numbered(
    engine: Engine, reader: Reader, viewer: Actor, source: str | None, number: str
) -> list[MatterRow]:
    own = source is None
    case = engine.handle.find(source or OWN_NUMBER, number.upper() if own else number, viewer)
    row = None if case is None else reader.case(case)
    return [MatterRow.model_validate(plain(one)) for one in visible(engine, viewer, [row] if row else [])]
