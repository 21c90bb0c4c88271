"""Keys of systems and links to persons, on both stores: found by who holds them and while the register says so."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.access import AccessStore, Giver, People, SystemKeys, open_access
from adapters.access import keys as rooms
from adapters.demo.district import District, found, plan
from adapters.engine import Engine, now, open_engine
from adapters.rulebooks import template
from adapters.settings import Settings
from domain.acting import Actor
from domain.refusal import NotFound, Refused, Unavailable

HOTLINE = ("hotline", "intake_officer")
DISTRICT = plan(1)
GIVER = Giver(Actor(person=DISTRICT.security, body="system", post="security_admin"), "resolution:1")
PERSON = DISTRICT.staff[HOTLINE]


class Clock:
    """The real clock, which can be set forward."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> Any:
        return now() + self.ahead


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return str(tmp_path / "access.db")
    made: Callable[[], str] = request.getfixturevalue("new_pg_database")
    return made()


@pytest.fixture
def store(url: str) -> Iterator[AccessStore]:
    opened = open_access(url)
    yield opened
    opened.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def engine(tmp_path: Path, clock: Clock) -> Iterator[Engine]:
    """A founded district."""
    district: District = DISTRICT
    opened = open_engine(Settings(data=tmp_path / "data"), clock)
    assert found(district, opened.handle, now(), template("demo")) == []
    yield opened
    opened.close()


def test_a_key_is_known_by_its_token_alone(store: AccessStore, engine: Engine) -> None:
    keys = SystemKeys(store, engine.handle)
    made = keys.create(GIVER, PERSON, "hotline", "hotline_12345")

    assert keys.holder(made.token) == made.key
    for text in (
        "",
        made.token[:-1],
        made.token + "0",
        made.token.upper(),
        f"hy_{made.key.id}_{'0' * 64}",
        "\x00",
    ):
        assert keys.holder(text) is None
    assert keys.known() == [made.key]


def test_a_rotated_key_ends_after_its_grace_and_a_revoked_one_at_once(
    store: AccessStore, engine: Engine, clock: Clock
) -> None:
    keys = SystemKeys(store, engine.handle)
    old = keys.create(GIVER, PERSON, "hotline")
    new = keys.rotate(GIVER, old.key.id, timedelta(hours=2))

    clock.ahead = timedelta(hours=1, minutes=59)
    assert keys.holder(old.token) is not None
    clock.ahead = timedelta(hours=2, minutes=1)
    assert keys.holder(old.token) is None
    assert keys.holder(new.token) == new.key
    keys.revoke(GIVER, new.key.id)
    assert keys.holder(new.token) is None


def test_a_key_that_was_used_a_moment_ago_ends_at_once_when_another_process_revokes_it(
    store: AccessStore, engine: Engine, clock: Clock
) -> None:
    made = SystemKeys(store, engine.handle).create(GIVER, PERSON, "hotline")
    here = SystemKeys(store, engine.handle)
    assert here.holder(made.token) == made.key

    elsewhere = open_engine(engine.settings, clock)
    SystemKeys(store, elsewhere.handle).revoke(GIVER, made.key.id)
    elsewhere.close()

    assert here.holder(made.token) is None


def test_a_key_whose_row_was_taken_away_by_hand_is_forgotten_within_moments(
    store: AccessStore, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = SystemKeys(store, engine.handle)
    made = keys.create(GIVER, PERSON, "hotline")
    assert keys.holder(made.token) == made.key

    store.run("DELETE FROM system_keys WHERE id = ?", made.key.id)
    monkeypatch.setattr(rooms, "KEPT_SECONDS", 0.0)

    assert keys.holder(made.token) is None


def test_an_ended_or_unknown_key_is_neither_rotated_nor_revoked(store: AccessStore, engine: Engine) -> None:
    keys = SystemKeys(store, engine.handle)
    made = keys.create(GIVER, PERSON, "hotline")
    keys.revoke(GIVER, made.key.id)

    for act in (lambda key: keys.revoke(GIVER, key), lambda key: keys.rotate(GIVER, key, timedelta(0))):
        with pytest.raises(Refused, match="key_ended"):
            act(made.key.id)
        with pytest.raises(NotFound):
            act("0" * 16)
    with pytest.raises(Refused, match="unknown_source"):
        keys.create(GIVER, PERSON, "hotline", "nowhere")


def test_what_the_register_refuses_leaves_no_key(store: AccessStore, engine: Engine) -> None:
    keys = SystemKeys(store, engine.handle)
    others = replace_actor(GIVER, person=PERSON, body="hotline", post="intake_officer")

    for by, person, body, code in (
        (others, PERSON, "hotline", "not_allowed"), (GIVER, PERSON, "sd-01", "no_post"),
        (GIVER, str(uuid.uuid4()), "hotline", "unknown_person"),
    ):  # fmt: skip
        with pytest.raises(Refused, match=code):
            keys.create(by, person, body)

    assert store.rows("SELECT * FROM system_keys") == []


def replace_actor(giver: Giver, **more: str) -> Giver:
    return giver._replace(actor=giver.actor.model_copy(update=more))


class Killed(Exception):
    """The end of a process, where nothing after it is done."""


class Dying:
    """The tables, in a process that is killed before, or right after, its nth write."""

    def __init__(self, store: AccessStore, write: int, *, after: bool) -> None:
        self._store, self._write, self._after, self._writes = store, write, after, 0

    def rows(self, statement: str, *parameters: object) -> list[Any]:
        return self._store.rows(statement, *parameters)

    def run(self, statement: str, *parameters: object) -> int:
        self._writes += 1
        if self._writes == self._write and not self._after:
            raise Killed
        written = self._store.run(statement, *parameters)
        if self._writes == self._write:
            raise Killed
        return written


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("write", [1, 2])
def test_a_rotation_that_is_killed_anywhere_leaves_one_working_key_and_never_two_for_good(
    store: AccessStore, engine: Engine, clock: Clock, write: int, after: bool
) -> None:
    keys = SystemKeys(store, engine.handle)
    old = keys.create(GIVER, PERSON, "hotline")
    dying: Any = Dying(store, write, after=after)

    with suppress(Killed):
        SystemKeys(dying, engine.handle).rotate(GIVER, old.key.id, timedelta(hours=1))

    recorded_ends = engine.handle.standing.caught_up().register.system_keys.get(old.key.id, None)
    assert recorded_ends is not None
    switched = recorded_ends.until is not None
    assert len(keys.known()) == (2 if switched else 1)
    clock.ahead = timedelta(hours=2)
    assert (keys.holder(old.token) is None) == switched
    assert switched == (write == 2)


def test_a_revocation_that_is_killed_before_it_reaches_the_tables_has_ended_the_key(
    store: AccessStore, engine: Engine
) -> None:
    keys = SystemKeys(store, engine.handle)
    made = keys.create(GIVER, PERSON, "hotline")
    dying: Any = Dying(store, 1, after=False)

    with pytest.raises(Killed):
        SystemKeys(dying, engine.handle).revoke(GIVER, made.key.id)

    assert keys.holder(made.token) is None


def test_a_record_restored_to_before_a_revocation_does_not_bring_the_key_back(
    store: AccessStore, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = SystemKeys(store, engine.handle)
    made = keys.create(GIVER, PERSON, "hotline")
    before = engine.handle.standing.caught_up()
    keys.revoke(GIVER, made.key.id)

    monkeypatch.setattr(engine.handle.standing, "caught_up", lambda: before)

    assert keys.holder(made.token) is None
    assert rooms.TOKEN.fullmatch(made.token)


def test_nothing_is_issued_that_could_not_be_put_on_record(
    store: AccessStore, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = SystemKeys(store, engine.handle)

    def gone(*_: object) -> None:
        raise Unavailable("the store is away")

    monkeypatch.setattr(engine.store, "append_all", gone)
    with pytest.raises(Unavailable):
        keys.create(GIVER, PERSON, "hotline")

    assert keys.known() == []


def test_a_subject_is_linked_to_one_person_and_kept_under_a_secret(
    store: AccessStore, engine: Engine
) -> None:
    people = People(store, lambda: b"p" * 32, engine.handle)
    other = DISTRICT.staff["sd-01", "officer"]
    people.link(GIVER, "https://id.example", "zhang", PERSON)
    people.link(GIVER, "https://id.example", "zhang", other)
    people.link(GIVER, "https://id.example", "zhang", other)

    assert people.person("https://id.example", "zhang") == other
    assert people.person("https://else.example", "zhang") is None
    assert People(store, lambda: b"q" * 32, engine.handle).person("https://id.example", "zhang") is None
    assert "zhang" not in str(store.rows("SELECT * FROM subjects"))
    assert "zhang" not in str(engine.store.read(0, 10_000))
    assert people.unlink(GIVER, "https://id.example", "zhang")
    assert people.person("https://id.example", "zhang") is None
    assert not people.unlink(GIVER, "https://id.example", "zhang")


def test_a_link_that_was_put_into_the_tables_by_hand_is_nobodys(store: AccessStore, engine: Engine) -> None:
    people = People(store, lambda: b"p" * 32, engine.handle)
    people.link(GIVER, "https://id.example", "zhang", PERSON)
    store.run("UPDATE subjects SET person = ?", DISTRICT.security)

    assert people.person("https://id.example", "zhang") is None


def test_what_was_made_is_there_for_every_process(url: str, store: AccessStore, engine: Engine) -> None:
    made = SystemKeys(store, engine.handle).create(GIVER, PERSON, "hotline")

    def asks(_: int) -> bool:
        again = open_access(url)
        try:
            return SystemKeys(again, engine.handle).holder(made.token) == made.key
        finally:
            again.close()

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(asks, range(16)))
