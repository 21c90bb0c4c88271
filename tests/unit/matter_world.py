"""A small district in memory for the tests of matters: given what was, when somebody acts, then this happened.

No store and no I/O: acts go through `decide`, what was decided is folded from its stored bytes, and the clock is
a number that the test sets.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from adapters.rulebooks import template
from domain.acting import CLOCK, Actor, Command, Decision, When
from domain.calendar import Notice
from domain.context import Context, Held, Law
from domain.event import Basis, Event, Recorded, decode, encode
from domain.matter import Item, Matter, agenda, evolve, lists_digests, replay, touches
from domain.matter import commands as do
from domain.matter import decide as decide_matter
from domain.refusal import Refused
from domain.register import Register
from domain.register import events as reg
from domain.register.evolve import evolve as evolve_register
from domain.rulebook import parse

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
LONG_AGO = NOON - timedelta(days=30)
GROUND = "law:street-office"
WHISTLE, CALL_OUT = "power-whistle", "power-call-out"
POWERS = frozenset({"authorise_order", "issue_order", "add_leg"})

BODIES: dict[str, tuple[str, str | None, tuple[str, ...]]] = {
    "gl": ("district", None, ("district_leader", "supervisor", "secretary")),
    "hotline": ("hotline", "gl", ("intake_officer", "dispatcher", "callback_officer")),
    "centre": ("dispatch_centre", "gl", ("intake_officer", "dispatcher", "callback_officer", "supervisor")),
    "panel": ("panel", "gl", ("adjudicator",)),
    "jw": ("discipline_inspection", "gl", ("discipline_officer", "intake_officer", "callback_officer")),
    "archive": ("archive", "gl", ("archivist",)),
    "board": ("supervisory_board", "gl", ("board_member", "supervisor")),
    "sd-01": ("subdistrict", "gl", (
        "intake_officer", "duty_officer", "duty_leader", "leadership_member", "secretary", "director", "officer",
        "reviewer", "callback_officer", "supervisor",
    )),
    "sd-02": ("subdistrict", "gl", ("officer", "duty_officer", "duty_leader", "leadership_member")),
    "com-01": ("community", "sd-01", (
        "community_secretary", "intake_officer", "officer", "grid_chief", "callback_officer", "leadership_member",
    )),
    "com-02": ("community", "sd-01", ("community_secretary", "intake_officer", "officer")),
    "dept-a": ("department", "gl", ("duty_officer", "officer", "leader")),
    "dept-b": ("department", "gl", ("duty_officer", "officer", "leader")),
    "dept-c": ("department", "gl", ("duty_officer", "officer", "leader")),
    "dept-a-1": ("organ", "dept-a", ("duty_officer", "officer", "leader", "leadership_member")),
    "organ-a": ("organ", "dept-b", ("duty_officer", "officer", "leader")),
    "organ-b": ("organ", "dept-b", ("duty_officer", "officer", "leader")),
    "grid-01": ("grid", "com-01", ("grid_officer",)),
    "team-01": ("team", "com-01", ("officer", "leader")),
    "team-02": ("team", "com-01", ("officer", "leader")),
}  # fmt: skip
"""Every body: its kind, what it lies under, its posts. `team` is a kind that a later register brings."""

ON_DUTY_LIST = ("dept-a", "dept-b", "dept-a-1", "organ-a", "organ-b")
CODE = "FW-01"


def uid(number: int) -> str:
    """The same made-up id for the same number."""
    return str(UUID(int=number))


_SEATS = {
    (body, post): n for n, (body, post) in enumerate((b, p) for b, row in BODIES.items() for p in row[2])
}


def officer(body: str, post: str) -> Actor:
    """The person in that post."""
    return Actor(person=uid(1000 + _SEATS[body, post]), body=body, post=post)


def resident(number: int = 1) -> Actor:
    """A resident under a fresh id of the matter."""
    return Actor(person=uid(9000 + number), body="resident")


def envelope(event: Event, actor: Actor, when: When, stream: str, **more: Any) -> Recorded[Any]:
    """The event as stored: encoded, and decoded again."""
    given = {
        "basis": Basis(calendar="cn", code="test", register=1, rulebook="demo/2026.1"), "capacity": actor.body,
        "command": "test:1", "correlation": "1", "nonce": "0" * 32, "occurred_at": when.occurred_at,
        "person": actor.person, "post": actor.post, "pub": event, "recorded_at": when.recorded_at, "rule": "test",
        "stream": stream, "type": event.TYPE, "authority": GROUND,
    }  # fmt: skip
    return decode(event.TYPE, encode(Recorded[Any](**given | more)))


@functools.cache
def district() -> Register:
    """The register of the small district, folded once."""
    register = Register()
    for event in district_events():
        register = enter(register, event)
    return register


def district_events() -> tuple[Event, ...]:
    """All that was entered into the register of the small district."""
    return (*_bodies(), *_lists())


def _bodies() -> Iterator[Event]:
    for body, (kind, parent, posts) in BODIES.items():
        yield reg.BodyEntered.model_construct(
            body=body, version=1, kind=kind, parent=parent, name_zh=body, name_en=body, district="450305",
            valid_from=LONG_AGO, valid_until=None,
        )  # fmt: skip
        yield from (held(officer(body, post).person, body, post) for post in posts)


def _lists() -> Iterator[Event]:
    yield powered(WHISTLE, "whistle", "sd-01", ())
    yield powered(CALL_OUT, "call_out", "sd-01", ("organ-a", "organ-b"))
    yield powered("power-whistle-2", "whistle", "sd-02", ())
    for body in ON_DUTY_LIST:
        yield reg.DutyEntered(
            item=f"duty-{body}", version=1, body=body, code="FW", place="*", valid_from=LONG_AGO, valid_until=None
        )  # fmt: skip
    yield reg.ShiftAssigned(
        body="sd-01", post="duty_leader", person=officer("sd-01", "duty_leader").person, deputies=(),
        begins=LONG_AGO, ends=NOON + timedelta(days=30),
    )  # fmt: skip


def enter(register: Register, event: Event) -> Register:
    """The register after one more event."""
    when = When(occurred_at=LONG_AGO, recorded_at=LONG_AGO)
    given = Recorded.model_construct(pub=event, recorded_at=when.recorded_at, occurred_at=when.occurred_at)
    return evolve_register(register, given)


def held(person: str, body: str, post: Any, until: datetime | None = None) -> reg.PostFilled:
    """A person in a post, since long ago."""
    return reg.PostFilled(person=person, body=body, post=post, valid_from=LONG_AGO, valid_until=until)


def powered(item: str, kind: Any, holder: str, over: tuple[str, ...]) -> reg.PowerEntered:
    """A power item, in force since long ago."""
    return reg.PowerEntered(
        item=item, version=1, kind=kind, holder=holder, over=over, basis="law", limits=(), steps=(), disclosure=None,
        approved_by=("gl",), valid_from=LONG_AGO, valid_until=None,
    )  # fmt: skip


@functools.cache
def law(name: str = "demo", notices: tuple[Notice, ...] = ()) -> Law:
    """A packaged rulebook with its calendar."""
    book = parse(template(name))
    return Law(book, book.calendar(notices))


SEALED = ("text", "reason", "reply", "evidence", "result", "proof", "note", "plan", "wording")
"""What comes along with every act unless a test says otherwise."""


@dataclass
class World:
    """Cases under commands, and the moment that it is. `case` is the one that acts go to; `laws` older rulebooks.

    `held`: which sealed values are stored, by case; one of everybody's where a test says nothing. `log`: all that was
    recorded, of every case, in order; `entered`: what the register holds beyond the district's.
    """

    register: Register = field(default_factory=district)
    book: Law = field(default_factory=law)
    now: datetime = NOON
    case: str = field(default_factory=lambda: uid(1))
    stories: dict[str, list[Recorded[Any]]] = field(default_factory=dict)
    states: dict[str, Matter] = field(default_factory=dict)
    laws: dict[str, Law] = field(default_factory=dict)
    held: dict[str, tuple[Held, ...]] = field(default_factory=dict)
    log: list[Recorded[Any]] = field(default_factory=list)
    entered: list[Event] = field(default_factory=list)

    # -- what was

    def given(self, *steps: Callable[[World], object] | Event) -> World:
        """Steps that have been taken: functions of the world, or bare events of the case."""
        for step in steps:
            if isinstance(step, Event):
                when = When(occurred_at=self.now, recorded_at=self.now)
                self._append(self.case, step, officer("sd-01", "officer"), when)
            else:
                step(self)
        return self

    def later(self, seconds: float) -> World:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)
        return self

    def copy(self) -> World:
        """The same world apart, its states folded anew."""
        states = {case: replay(story) for case, story in self.stories.items()}
        return World(
            self.register, self.book, self.now, self.case, {c: list(s) for c, s in self.stories.items()},
            {case: state for case, state in states.items() if state is not None}, dict(self.laws), dict(self.held),
            [*self.log], [*self.entered],
        )  # fmt: skip

    @property
    def state(self) -> Matter:
        """The present state of the case."""
        return self.states[self.case]

    @property
    def story(self) -> list[Recorded[Any]]:
        """Its events so far."""
        return self.stories.setdefault(self.case, [])

    def types(self) -> list[str]:
        """The stored names of its events so far."""
        return [recorded.type for recorded in self.story]

    def also(self, actor: Actor, body: str, post: str) -> Actor:
        """The same person in a second post (交叉任职)."""
        self.entered.append(held(actor.person, body, post))
        self.register = enter(self.register, self.entered[-1])
        return Actor(person=actor.person, body=body, post=post)

    # -- when

    def context(self, command: Command, actor: Actor, **how: Any) -> Context:
        """What `decide` is told. `how`: authority, occurred, sealed."""
        occurred = how.get("occurred") or self.now
        named = touches(self.states.get(self.case), command)
        default = None if actor.body == "resident" or actor == CLOCK else self._cited(command)
        bare = lists_digests(command) or isinstance(command, do.LiftLock)
        return Context(
            actor=actor, when=When(occurred_at=occurred, recorded_at=self.now), rulebook=self.book.book,
            authority=how.get("authority", default), calendar=self.book.calendar, register=self.register,
            others={case: self.states.get(case) for case in named}, laws=self._laws(),
            sealed=frozenset(how.get("sealed", () if bare else SEALED)), held=self._held(command),
        )  # fmt: skip

    def _held(self, command: Command) -> dict[str, tuple[Held, ...]]:
        """What the store would say; asked only for the commands that name it."""
        if not lists_digests(command):
            return {}
        made = {case: tuple(Held(f"of-{one}", one) for one in [*state.requesters, "case"])
                for case, state in self.states.items()}  # fmt: skip
        return made | self.held

    def _laws(self) -> dict[str, Law]:
        return self.laws | {self.book.book.name: self.book}

    def _cited(self, command: Command) -> str:
        order_id = getattr(command, "order", None)
        order = self.states[self.case].orders.get(order_id) if order_id and self.case in self.states else None
        if order is None or command.NAME not in POWERS:
            return GROUND
        return CALL_OUT if order.kind == "call_out" else WHISTLE if order.kind == "whistle" else GROUND

    def decide(self, actor: Actor, command: Command, **how: Any) -> Decision:
        """What `decide` says now. Raises Refused; changes nothing."""
        return decide_matter(self.states.get(self.case), command, self.context(command, actor, **how))

    def do(self, actor: Actor, command: Command, **how: Any) -> Decision:
        """Decide, and fold what was decided, here and elsewhere."""
        context = self.context(command, actor, **how)
        decision = decide_matter(self.states.get(self.case), command, context)
        told = {
            "rule": decision.rule,
            "command": f"test:{len(self.log)}",
            "authority": context.authority,
        }
        for case, event in (*((self.case, event) for event in decision.events), *decision.elsewhere):
            self._append(case, event, actor, context.when, **told)
        return decision

    def _append(self, case: str, event: Event, actor: Actor, when: When, **told: Any) -> None:
        basis = Basis(calendar="cn", code="test", register=1, rulebook=self.book.book.name)
        recorded = envelope(event, actor, when, case, basis=basis, **told)
        self.log.append(recorded)
        self.stories.setdefault(case, []).append(recorded)
        self.states[case] = evolve(self.states.get(case), recorded)

    def when(self, actor: Actor, command: Command, **how: Any) -> Tried:
        """Somebody tries something: `.then(...)` or `.refused(...)` says what comes of it."""
        before = copy.deepcopy(self.states.get(self.case))
        try:
            return Tried(self, before, self.do(actor, command, **how), None)
        except Refused as refused:
            return Tried(self, before, None, refused)

    # -- the clock

    def agenda(self) -> list[Item]:
        """What is due, when, and what then."""
        return agenda(self.state, self._laws().__getitem__)

    def due(self, do_: str = "", stage: str = "", owner: str | None = None) -> list[Item]:
        """The items of the agenda that match."""
        return [
            item for item in self.agenda()
            if do_ in ("", item.do) and stage in ("", item.stage) and owner in (None, item.owner)
        ]  # fmt: skip

    def tick(self) -> list[str]:
        """The clock takes what has come due; the types of what it recorded."""
        items = tuple(item.id for item in self.agenda() if item.at <= self.now)
        return [event.TYPE for event in self.do(CLOCK, do.TakeDueSteps(items=items)).events] if items else []


@dataclass
class Tried:
    """What came of an act."""

    world: World
    before: Matter | None
    decision: Decision | None
    refusal: Refused | None

    def then(self, *events: type[Event], status: str | None = None) -> World:
        """It was allowed, made just these events in this order, and led to that state."""
        assert self.decision is not None, f"refused as {self.refusal}"
        assert [type(event) for event in self.decision.events] == list(events)
        assert status is None or self.world.state.status == status
        return self.world

    def allowed(self) -> World:
        """It was allowed."""
        assert self.decision is not None, f"refused as {self.refusal}"
        return self.world

    def refused(self, *codes: str) -> World:
        """It was refused with one of these codes and advice, and nothing changed."""
        assert self.refusal is not None, f"allowed: {self.decision}"
        assert self.refusal.code in codes, self.refusal
        assert self.refusal.advice.endswith(".")
        assert self.world.states.get(self.world.case) == self.before
        return self.world
