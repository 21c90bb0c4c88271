"""Who calls, and as what: from a key, a token or a session to an actor of the register.

The caller only says who it is. `Huiyin-Acting-As: BODY/POST` says in which of its posts it acts; whether it holds that
post, and what the post may do or see, is decided behind the edge (laws 4, 10).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from pydantic import ValidationError
from starlette.requests import Request

from adapters.access import People, SystemKey, SystemKeys
from adapters.derived import Derived
from adapters.engine import Engine
from adapters.http.edge.rates import CALLER, SESSION
from adapters.http.oidc import Provider, Subject
from adapters.http.session import Sessions
from domain.acting import RESIDENT, Actor
from domain.refusal import Refused

ACTING_AS = "Huiyin-Acting-As"


class Doors(NamedTuple):
    """The ways in."""

    keys: SystemKeys
    people: People
    provider: Provider | None
    sessions: Sessions


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who has shown who they are: a person of the register, a system, or (else) a resident."""

    engine: Engine
    wanted: str | None
    person: str | None = None
    key: SystemKey | None = None
    subject: Subject | None = None

    @property
    def name(self) -> tuple[str, ...]:
        """What the ids of its acts are derived from."""
        if self.person is not None:
            return ("person", self.person)
        assert self.subject is not None
        return ("resident", self.subject.issuer, self.subject.sub)

    def ids(self, what: str, key: str) -> Derived:
        """The ids of what it asks for under a key: the same again under the same key."""
        return Derived(self.engine.keys.pepper(), (what, *self.name, key))

    @property
    def resident(self) -> bool:
        """Whether it calls as a resident, for itself."""
        return self.wanted == RESIDENT or self.person is None

    def actor(self, case: str) -> Actor:
        """Who acts on this case (or on the register). Raises Refused.

        A resident is somebody else in every matter (law 4): the id is derived, and no two of them can be brought
        together without the store's secret.
        """
        if self.resident:
            if self.subject is None:
                raise Refused("out_of_scope", "A system acts in a post; leave residents to themselves.")
            about = ("requester", self.subject.issuer, self.subject.sub)
            return Actor(person=Derived(self.engine.keys.pepper(), about).id(case), body=RESIDENT)
        return self.officer()

    def officer(self) -> Actor:
        """Who acts, in a post. Raises Refused."""
        assert self.person is not None
        body, post = self._capacity(self.person)
        if self.key is not None and body != self.key.body:
            raise Refused("out_of_scope", f"This key acts for {self.key.body} alone.")
        try:
            return Actor(person=self.person, body=body, post=post)
        except ValidationError:
            raise Refused("capacity_missing", f"Give {ACTING_AS}: BODY/POST, by their ids.") from None

    def client(self, actor: Actor) -> str:
        """Under which name its keys are remembered."""
        return f"api:{actor.person}"

    def may_hand_in(self, source: str) -> None:
        """A key hands in what its own system took in, a resident what is theirs. Raises Refused "out_of_scope"."""
        if self.key is not None and source != self.key.source:
            raise Refused(
                "out_of_scope", f"This key hands in what came by {self.key.source or 'no source'} alone."
            )
        if self.resident and source != "resident_app":
            raise Refused("out_of_scope", "What a resident hands in came by resident_app.")

    def _capacity(self, person: str) -> tuple[str, str]:
        if self.wanted is not None:
            body, slash, post = self.wanted.partition("/")
            if not (body and slash and post) or body == RESIDENT:
                raise Refused("capacity_missing", f"Give {ACTING_AS}: BODY/POST, or {RESIDENT}.")
            return body, post
        register = self.engine.handle.standing.caught_up().register
        held = [
            one for one in register.posts_of(person, self.engine.handle.clock())
            if self.key is None or one[0] == self.key.body
        ]  # fmt: skip
        if not held:
            raise Refused("no_post", "You hold no post here now; have a security administrator fill one.")
        if len(held) > 1:
            posts = ", ".join("/".join(one) for one in held)
            raise Refused(
                "capacity_missing", f"Say as what you act, by the header {ACTING_AS}: one of {posts}."
            )
        return held[0]


def caller_of(request: Request, engine: Engine, doors: Doors) -> Caller:
    """Who sent this. Raises Refused "sign_in" where nobody can be made out, Unavailable."""
    found = _found(request, engine, doors)
    request.scope.setdefault("state", {})[CALLER] = (
        "key " + found.key.id if found.key else " ".join(found.name)
    )
    return found


def _found(request: Request, engine: Engine, doors: Doors) -> Caller:
    wanted = request.headers.get(ACTING_AS)
    given = request.headers.get("Authorization")
    if given is not None:
        scheme, _, token = given.partition(" ")
        if scheme.lower() != "bearer":
            raise _nobody()
        return _bearer(token.strip(), engine, doors, wanted)
    cookie = request.cookies.get(SESSION)
    subject = doors.sessions.subject(cookie) if cookie else None
    if subject is None:
        raise _nobody()
    return _of_subject(subject, engine, doors, wanted)


def _bearer(token: str, engine: Engine, doors: Doors, wanted: str | None) -> Caller:
    if token.startswith("hy_"):
        key = doors.keys.holder(token)
        if key is None:
            raise _nobody()
        return Caller(engine, wanted, person=key.person, key=key)
    subject = doors.provider.bearer(token) if doors.provider is not None else None
    if subject is None:
        raise _nobody()
    return _of_subject(subject, engine, doors, wanted)


def _of_subject(subject: Subject, engine: Engine, doors: Doors, wanted: str | None) -> Caller:
    return Caller(engine, wanted, person=doors.people.person(subject.issuer, subject.sub), subject=subject)


def _nobody() -> Refused:
    return Refused(
        "sign_in", "Send a working key or token as Authorization: Bearer …, or sign in at /auth/login."
    )
