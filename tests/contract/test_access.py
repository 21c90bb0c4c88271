"""Keys of systems and links to persons, on both stores: found by who holds them, and by nobody else."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.access import AccessStore, People, SystemKeys, open_access
from domain.refusal import NotFound, Refused

PERSON = str(uuid.UUID(int=7, version=4))


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


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


def test_a_key_is_known_by_its_token_alone(store: AccessStore) -> None:
    keys = SystemKeys(store, Clock())
    made = keys.create(PERSON, "hotline", "hotline_12345")

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


def test_a_rotated_key_ends_after_its_grace_and_a_revoked_one_at_once(store: AccessStore) -> None:
    clock = Clock()
    keys = SystemKeys(store, clock)
    old = keys.create(PERSON, "hotline")
    new = keys.rotate(old.key.id, timedelta(hours=2))

    clock.at += timedelta(hours=2) - timedelta(microseconds=1)
    assert keys.holder(old.token) is not None
    clock.at += timedelta(microseconds=1)
    assert keys.holder(old.token) is None
    keys.revoke(new.key.id)
    assert keys.holder(new.token) is None


def test_an_ended_or_unknown_key_is_neither_rotated_nor_revoked(store: AccessStore) -> None:
    keys = SystemKeys(store, Clock())
    made = keys.create(PERSON, "hotline")
    keys.revoke(made.key.id)

    for act in (keys.revoke, lambda key: keys.rotate(key, timedelta(0))):
        with pytest.raises(Refused, match="key_ended"):
            act(made.key.id)
        with pytest.raises(NotFound):
            act("0" * 16)
    with pytest.raises(Refused, match="unknown_source"):
        keys.create(PERSON, "hotline", "nowhere")


def test_a_subject_is_linked_to_one_person_and_kept_under_a_secret(store: AccessStore) -> None:
    people = People(store, lambda: b"p" * 32, Clock())
    people.link("https://id.example", "zhang", PERSON)
    other = str(uuid.uuid4())
    people.link("https://id.example", "zhang", other)

    assert people.person("https://id.example", "zhang") == other
    assert people.person("https://else.example", "zhang") is None
    assert People(store, lambda: b"q" * 32, Clock()).person("https://id.example", "zhang") is None
    assert "zhang" not in str(store.rows("SELECT * FROM subjects"))
    assert people.unlink("https://id.example", "zhang")
    assert not people.unlink("https://id.example", "zhang")


def test_what_was_made_is_there_for_every_process(url: str, store: AccessStore) -> None:
    made = SystemKeys(store, Clock()).create(PERSON, "hotline")

    def asks(_: int) -> bool:
        again = open_access(url)
        try:
            return SystemKeys(again, Clock()).holder(made.token) == made.key
        finally:
            again.close()

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(asks, range(16)))
