"""rules.json: the process law as the domain's own tables say it, for a program that sees nothing but leaves.

Format `huiyin-rules/v1`, one JSON object. This page is its specification; `verify.py` is one program that runs it.

**A case** is a stream that begins with an event whose entry says `opens`. The envelope's `rule` up to a colon is
the *act* that made an event. Moments compare as text once the final `Z` is cut off. `recorded_at` counts.

`events` has one entry for each stored type of a case:

- `machine`: `matter`, `order` (`pub.order`), `leg` (`pub.leg`), `owner` (`pub.owner` is a leg, or the matter where
  empty), `clock` (`pub.owner` as well; any state allows it). `opens`: it is the first of its case.
- `acts`: the acts that may make it in their own case, each with `matter` (allowed states of the matter, null: any),
  `order` and `leg` (allowed states of the order and leg; of a leg by the kind of order: `plain`, `checks_in`,
  `emergency`; of an emergency whistle's order `order_emergency`). Where `through_dispute`, a leg in `disputed` is
  judged by the state beneath. `follows`: it comes `before` or `after` another event of the same act (`command`),
  which alone is judged by party, person and basis.
- `told`: acts of another case that may put it here (`told_if`: and only so; `*` is any value but null), with `matter`;
  what `told_needs` says must be so. Where an act may do both, the events of its own case come first in the log.
- `does`: what it does, in order. Each step has `do`, and applies only if `pub` holds what `if` says.
- `starts`, `starts_per_leg` (`pub.legs`): the clocks that it must start, see below.
- `apart`: `roles` that its person must not be among, the finding's `code`, `if`.

`does`, by `do`. State: `go` (the matter to `to`), `order`, `leg`, `move` (a disputed leg moves beneath its dispute),
`beneath` (to `to`, the old state kept beneath), `surface` (back to that), `end_leg` (to `to`; its clocks are
cancelled), `end_legs` (every live leg of the order to `cancelled`). `person`: the envelope's person joins `role`
(`only`: alone) of the matter (handlers, releasers, proposer, submitter), order (issuers, drafter) or leg
(performers). `note_by`: the person is kept under `role` by `pub[key]`, of the matter, order or leg; `forget_by`.
Clocks: `start`, `stop`, `cancel` (of one `stage`, or all of the owner), `cancel_all`, `revive` (as if never stopped);
`of` is whose: `matter`, `order`, `leg`, `owner`, `merged` (`pub.merged`), `absorbed` (each matter merged into this).
`met`: somebody was there; the clock `onsite` stops. `item`: a step of the agenda was taken. `set_due`: a clock moves,
by a holiday `notice` (only a provisional, running one that is not late; never to before now) or by the `issuer`
(only before it is due). `ask_extension`, `extend` (moves the due moment only when granted before it),
`forget_extension`. `spoken`: a check-in by word of mouth counts from `pub.at`. The others keep public fields: `open`,
`take_over`, `join`, `grade`, `confide`, `answered`, `unanswered`, `withdraw`, `merge`, `unmerge`, `absorb`,
`release`, `child`, `draft`, `issue`, `add_leg`, `lead`, `ruled`, `there`, `work`, `unsign`, `take_call`, `recuse`
(no later event of the case is by the officer `pub.person`).

**A clock** is held by owner and stage; a new one under the same two follows it, numbered one higher (`n`). It is late
when it stopped, or still runs, after its due moment; an extension granted at or after it does not count. Items of the
agenda are named `owner/stage/n/ms/step`, `ms` being the due moment in milliseconds since 1970 (cut off); `misses` are
the types that record a missed moment, which must exist `record_within_seconds` after it.

`starts`: `stage`; `for`, under which name the rulebook holds it (`first`: the demand class, `help` for an emergency
without one, then `.urgent`; `demand`: or `*`; `grade`: the demand class just given, `report` without one, `.urgent`
if urgent; `graded`: the same without `.urgent`; `again`: of the matter as graded; `order`: kind of order; `any`: `*`;
`free`: not looked up); `only`, when; `due`, where it is not the rulebook's length from now (`review_by`: that field;
`given`: set by hand; `joint`: the order's joint time while ahead; `before_own`: not after the clock it decides on;
`paused`: the old length with its pauses; `regraded`: the new length from the old start, not before now); `carried`:
it may go on from an earlier clock.

`acts`: for each act `posts` (the word under which rulebooks name its posts), `parties` (one of them must act),
`needs`, `power` (whose power item it cites, where the kind of order has a power). Parties: `officer`; `requester` (of
the case), `requester_named` (in `pub`); `clock` (the person `system:clock`); `office` (the case's communities, host,
sub-district, or one of `bodies.centres`, or one below the host of `bodies.below_community`; never what is complained
about; of a confidential case only discipline inspection), `office_above` (not the community level),
`office_over_asker`, `host`, `lead`, `part`, `no_part` (bodies that take part), `community`; `supervisor`, `panel`,
`centre` (kinds of body); `issuer`, `issuers` (with joint blowers), `issuers_over`, `supervisor_over` (not the
receiver, nor below it), `issuers_unless_ruled`, `panel_if_ruled` (a panel has said who leads), `receiver`, `drafts` (a
kind that may issue such an order), `supervises`, `rates`, `caller` (office or supervisor), `at_counter` (the requester
at the counter), `archive`, `oneself` (the officer that `pub.person` names, in any post).

`standing_still`: the only acts on a case whose first event is `matter_backfilled.v1`, until it is taken over.
`streams`: those of the register and the releases. `order_kinds`, `states`, `bodies`: the domain's words.
`rulebooks`: texts of released rulebooks by SHA-256 (hex); a text
counts only if a leaf `rulebook_released.v1` names its digest. `not_checkable`: what leaves alone cannot tell.
`digest`: SHA-256 (hex) of all but `rulebooks` and itself, as canonical JSON: a board that pins it pins the law.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from adapters.bundle import law_tables as tables
from adapters.bundle.law_effects import EFFECTS
from domain.acting import CLOCK_PERSON, RESIDENT
from domain.event import Event, canonical
from domain.matter import guards, words
from domain.matter.events import ClockReset, DueItem, DueMissed
from domain.matter.evolve import FOLDS
from domain.matter.lifecycle import LEG, MATTER, NEEDS_HANDLING, ORDER, Row, leg_row
from domain.matter.order_events import (
    AuthorityLapsed,
    ExtensionDecided,
    ExtensionRequested,
    LegEvent,
    OrderEvent,
)
from domain.matter.outcomes import MAKES, OPENING, TELLS, machine_of
from domain.register.words import SYSTEM
from workflows.standing import REGISTER, RELEASES

FORMAT = "huiyin-rules/v1"
RECORD_WITHIN_SECONDS = 3600
"""A missed moment is on record within this time: the workers may have been down, but not for long."""
TOLERANCE_SECONDS = 5
"""How far a decision may lag behind a release or a post that was recorded while it was being made."""

_TABLES = {"matter": MATTER, "order": ORDER, "leg": LEG}
_ANY_BUT = ("archived", "merged")


def rules(texts: Iterable[str] = ()) -> dict[str, Any]:
    """The whole of rules.json; `texts` are the rulebooks released so far, as they were released."""
    law = {
        "format": FORMAT,
        "events": {event.TYPE: _event(event) for event in sorted(FOLDS, key=lambda one: one.TYPE)},
        "acts": {act: _act(act) for act in sorted(MAKES) if _known(act)},
        "misses": [DueMissed.TYPE, AuthorityLapsed.TYPE],
        "states": _states(),
        "order_kinds": {name: _order_kind(kind) for name, kind in words.ORDER_KINDS.items()},
        "bodies": _bodies(),
        "standing_still": list(tables.STANDING_STILL),
        "streams": {"register": REGISTER, "releases": RELEASES},
        "clock_person": CLOCK_PERSON,
        "record_within_seconds": RECORD_WITHIN_SECONDS,
        "tolerance_seconds": TOLERANCE_SECONDS,
        "not_checkable": tables.NOT_CHECKABLE,
    }
    return {**law, "digest": digest(law), "rulebooks": {_sha256(text): text for text in texts}}


def digest(law: Mapping[str, Any]) -> str:
    """The digest of a law: what a board pins, and what the log commits to. `rulebooks` and `digest` do not count."""
    return hashlib.sha256(_law_bytes(law)).hexdigest()


def law_text() -> str:
    """The law of this release as the text whose SHA-256 is its digest."""
    return _law_bytes(rules()).decode()


def _law_bytes(law: Mapping[str, Any]) -> bytes:
    return canonical({key: value for key, value in law.items() if key not in ("digest", "rulebooks")})


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


# -- events ----------------------------------------------------------------------------------------------------------


def _event(event: type[Event]) -> dict[str, Any]:
    name, machine = event.TYPE, _machine(event)
    made = [act for act, types in MAKES.items() if name in types and _known(act)]
    told = tables.TOLD.get(name, {"states": None, "if": {}})
    return {
        "machine": machine,
        "opens": any(act in OPENING for act in made),
        "acts": {act: {**_allowed(act, name, machine), "follows": _follows(name, act)} for act in made},
        "told": {act: {"matter": told["states"]} for act, types in TELLS.items() if name in types},
        "told_if": told["if"],
        "told_needs": told.get("needs", []),
        "does": [_filled(step, name, machine, made) for step in EFFECTS.get(name, [])],
        "starts": tables.STARTS.get(name, []),
        "starts_per_leg": tables.STARTS_PER_LEG.get(name, []),
        "apart": tables.APART.get(name, []),
    }


def _known(act: str) -> bool:
    return machine_of(act) != "opening" or act in OPENING


def _machine(event: type[Event]) -> str:
    if issubclass(event, (DueItem, ClockReset)):
        return "clock"
    if issubclass(event, (ExtensionRequested, ExtensionDecided)):
        return "owner"
    if issubclass(event, LegEvent):
        return "leg"
    return "order" if issubclass(event, OrderEvent) else "matter"


def _allowed(act: str, event: str, machine: str) -> dict[str, Any]:
    """In which states of the matter, the order and the leg this act may make this event."""
    return {
        "matter": _of_matter(act, event, machine),
        "order": _of_order(act, event) if machine == "order" else None,
        "order_emergency": ["authorised", "drafted"] if act == "issue_order" and machine == "order" else None,
        "leg": _of_leg(act) if machine in ("leg", "owner") and act in {*LEG, *_LETS_GO} else None,
    }


def _follows(event: str, act: str) -> str | None:
    return tables.FOLLOWS.get(event, {}).get(act)


_LETS_GO = ("confirm_withdrawal", "divert_matter")


def _of_matter(act: str, event: str, machine: str) -> list[str] | None:
    of = machine_of(act)
    if of == "clock" and machine == "matter":  # a default step: it goes where the act of hand would
        of, act = "matter", next(one for one, types in MAKES.items() if one in MATTER and event in types)
    if of == "matter":
        return sorted(MATTER[act].allowed)
    if of in ("clock", "opening"):
        return None
    if act in NEEDS_HANDLING:
        return sorted(words.HANDLING)
    return sorted(set(_every_status()) - set(_ANY_BUT))


def _every_status() -> tuple[str, ...]:
    return words.MatterStatus.__args__  # type: ignore[attr-defined]


def _of_order(act: str, event: str) -> list[str] | None:
    """An order's own act goes by its row; what another act ends or signs goes by the row that leads there."""
    if event == tables.SETTLED[0]:
        return [tables.SETTLED[1]]
    if event == "order_drafted.v1":
        return []
    row = ORDER.get(act) or _row_of(event)
    return None if row is None else sorted(row.allowed)


def _row_of(event: str) -> Row | None:
    """The row of the order's act that makes this event."""
    return next((ORDER[act] for act, types in MAKES.items() if act in ORDER and types[0] == event), None)


def _of_leg(act: str) -> dict[str, Any]:
    own = act if act in LEG else "excuse_leg"
    kinds = {"plain": (False, False), "checks_in": (True, False), "emergency": (True, True)}
    rows = {kind: leg_row(own, checks_in=c, emergency=e) for kind, (c, e) in kinds.items()}
    through = rows["checks_in"].to in ("checked_in", "working", "reported")
    return {kind: sorted(row.allowed) for kind, row in rows.items()} | {"through_dispute": through}


_LEADS = {
    "go": "matter", "order": "order", "leg": "leg", "move": "leg", "end_leg": "leg", "beneath": "leg", "work": "leg",
}  # fmt: skip


def _filled(step: Mapping[str, Any], event: str, machine: str, made: Iterable[str]) -> dict[str, Any]:
    """The step with the state it leads to: as the lifecycle's row says, where the tables leave it out."""
    table = _LEADS.get(step["do"])
    if table is None or "to" in step:
        return dict(step)
    if event == tables.SETTLED[0]:
        return {**step, "to": tables.SETTLED[2]}
    ends = {_TABLES[table][act].to for act in made if act in _TABLES[table]} - {None}
    if len(ends) != 1:
        raise ValueError(f"{event}: the lifecycle names {sorted(str(end) for end in ends)} as its end")
    return {**step, "to": ends.pop()}


# -- acts and words --------------------------------------------------------------------------------------------------


def _act(act: str) -> dict[str, Any]:
    posts, parties = tables.PARTIES.get(act, ("", ()))
    return {
        "machine": machine_of(act),
        "posts": posts,
        "parties": list(parties),
        "needs": tables.NEEDS.get(act, []),
        "power": tables.POWERED.get(act),
    }


def _states() -> dict[str, list[str]]:
    return {
        "matter": list(_every_status()),
        "ended": sorted(words.ENDED_MATTER),
        "handling": sorted(words.HANDLING),
        "live": sorted(words.LIVE_MATTER),
        "live_leg": sorted(words.LIVE_LEG),
    }


def _order_kind(kind: words.OrderKind) -> dict[str, Any]:
    return {
        "issuers": sorted(kind.issuers),
        "receivers": sorted(kind.receivers),
        "checks_in": kind.checks_in,
        "power": kind.power,
        "releases": list(kind.releases),
        "rated_by": list(kind.rated_by),
    }


def _bodies() -> dict[str, Any]:
    return {
        "system": SYSTEM,
        "resident": RESIDENT,
        "centres": list(guards.CENTRES),
        "below_community": list(guards.BELOW_COMMUNITY),
        "panels": list(guards.PANELS),
        "supervisors": list(guards.SUPERVISORS),
        "rule_on_returns": ["dispatch_centre", "hotline"],
    }
