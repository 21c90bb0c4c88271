"""Releases: one rulebook in force at a time, none edited, none back-dated; notices likewise."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from adapters.rulebooks import packaged_notices, template
from domain.acting import Actor, Command, When
from domain.calendar import Length
from domain.event import Basis, Event, Recorded, decode, encode
from domain.refusal import Refused
from domain.rulebook import parse
from domain.rulebook.releases import (
    EnterNotice,
    ReleaseRulebook,
    Releases,
    WithdrawRulebook,
    decide,
    digest_of,
    evolve,
    release_of,
)  # fmt: skip

NOW = datetime(2026, 1, 5, 1, tzinfo=UTC)
DAY = timedelta(days=1)
PERSON = "00000000-0000-4000-8000-000000000001"
OTHER = "00000000-0000-4000-8000-000000000002"
KEEPER = Actor(person=PERSON, body="system", post="security_admin")


@dataclass(frozen=True)
class Context:
    """Who asks, when, and on what ground."""

    actor: Actor = KEEPER
    recorded_at: datetime = NOW
    authority: str | None = "district office, decision 1 of 2026"

    @property
    def when(self) -> When:
        return When(occurred_at=self.recorded_at, recorded_at=self.recorded_at)


def stored(event: Event, recorded_at: datetime) -> Recorded[Event]:
    """The event as it comes back from its stored bytes."""
    recorded = Recorded[type(event)](  # type: ignore[misc]
        basis=Basis(calendar="-", code="-", register=0, rulebook="-"),
        capacity="system", command="c", correlation="r", nonce="00" * 16, person=PERSON, rule="releases",
        occurred_at=recorded_at, recorded_at=recorded_at, stream="releases", type=event.TYPE, pub=event,
    )  # fmt: skip
    return decode(event.TYPE, encode(recorded))


def after(*commands: tuple[Command, datetime]) -> Releases:
    """The state after these commands, each at its time."""
    state = Releases()
    for command, recorded_at in commands:
        for event in decide(state, command, Context(recorded_at=recorded_at)).events:
            state = evolve(state, stored(event, recorded_at))
    return state


def refusal(state: Releases, command: Command, context: Context | None = None) -> str:
    with pytest.raises(Refused) as caught:
        decide(state, command, context or Context())
    return caught.value.code


def version(number: int, in_force_from: datetime | None = None) -> ReleaseRulebook:
    return release_of(template("gulou").replace("gulou/2026.1", f"gulou/2026.{number}"), in_force_from)


def test_a_release_without_a_time_is_in_force_from_the_moment_of_recording() -> None:
    state = after((version(1), NOW))
    release = state.in_force(NOW)
    assert release is not None
    assert (release.name, release.digest) == ("gulou/2026.1", digest_of(template("gulou")))
    assert state.in_force(NOW - timedelta(microseconds=1)) is None


def test_each_release_is_in_force_until_the_next() -> None:
    state = after((version(1), NOW), (version(3, NOW + 30 * DAY), NOW), (version(2, NOW + 10 * DAY), NOW))
    names = [release.name for days in (0, 9, 10, 29, 30) if (release := state.in_force(NOW + days * DAY))]
    assert [name[-1] for name in names] == ["1", "1", "2", "2", "3"]


def test_an_earlier_release_stays_known_by_name() -> None:
    state = after((version(1), NOW), (version(2), NOW + DAY))
    release = state.named("gulou/2026.1")
    assert release is not None
    assert release.in_force_from == NOW


def test_a_released_text_is_never_edited() -> None:
    state = after((version(1), NOW))
    edited = release_of(template("gulou") + "\n# one line more\n", NOW + DAY)
    assert refusal(state, edited) == "rulebook_edited"
    assert refusal(state, version(1, NOW + DAY)) == "rulebook_released"


def test_two_rulebooks_never_come_into_force_at_one_moment() -> None:
    state = after((version(1, NOW + DAY), NOW))
    assert refusal(state, version(2, NOW + DAY)) == "in_force_taken"


def test_a_release_is_never_back_dated() -> None:
    assert refusal(Releases(), version(1, NOW - timedelta(seconds=1))) == "back_dated"
    assert after((version(1, NOW), NOW)).in_force(NOW) is not None


def test_a_release_can_be_taken_back_only_before_it_is_in_force() -> None:
    take_back = WithdrawRulebook(name="gulou/2026.1", reason="wrong_annex")
    planned = after((version(1, NOW + DAY), NOW))
    withdrawn = after((version(1, NOW + DAY), NOW), (take_back, NOW))
    assert withdrawn.in_force(NOW + 2 * DAY) is None
    assert refusal(planned, take_back, Context(recorded_at=NOW + DAY)) == "already_in_force"
    assert refusal(Releases(), take_back) == "rulebook_unknown"


def test_a_withdrawn_name_keeps_its_text() -> None:
    state = after(
        (version(1, NOW + DAY), NOW), (WithdrawRulebook(name="gulou/2026.1", reason="too_early"), NOW)
    )
    assert refusal(state, release_of(template("gulou") + "# other", NOW + DAY)) == "rulebook_edited"
    assert decide(state, version(1, NOW + 2 * DAY), Context()).events


def test_a_backfill_rulebook_is_known_by_name_and_never_in_force() -> None:
    command = version(1).model_copy(update={"use": "backfill", "name": "history/1"})
    state = after((command, NOW), (version(1), NOW))
    release = state.in_force(NOW)
    assert release is not None
    assert release.name == "gulou/2026.1"
    assert state.named("history/1") is not None


def test_a_rulebook_for_tables_is_not_released() -> None:
    text = """name = "tables/1"
use = "tables"
zone = "UTC"
[hours]
monday = ["09:00-10:00"]
source = "test"
[[due_type]]
type = "a"
length = "1d"
"""
    with pytest.raises(Refused) as caught:
        release_of(text)
    assert caught.value.code == "rulebook_for_tables"


@pytest.mark.parametrize(
    ("context", "code"),
    [
        (Context(authority=None), "authority_missing"),
        (Context(actor=Actor(person=OTHER, body="subdistrict-1", post="secretary")), "not_your_post"),
        (Context(actor=Actor(person=OTHER, body="system", post="audit_admin")), "not_your_post"),
        (Context(actor=Actor(person=OTHER, body="resident")), "not_your_post"),
    ],
)
def test_only_a_security_administrator_on_a_ground_releases_and_enters(context: Context, code: str) -> None:
    assert refusal(Releases(), version(1), context) == code
    assert refusal(Releases(), EnterNotice(notice=packaged_notices()[0]), context) == code


def test_a_command_of_another_room_is_refused() -> None:
    assert refusal(Releases(), Command()) == "unknown_command"


def test_entering_a_notice_settles_a_year_and_changes_the_calendars_version() -> None:
    rulebook = parse(template("gulou"))
    first, second = (EnterNotice(notice=notice) for notice in packaged_notices())
    one, two = after((first, NOW)), after((first, NOW), (second, NOW))
    start = datetime(2026, 9, 30, 2, tzinfo=UTC)
    before, settled = (state.calendar(rulebook).due(start, Length.parse("1wd")) for state in (one, two))
    assert (before.at, before.provisional) == (datetime(2026, 10, 1, 2, tzinfo=UTC), True)
    assert (settled.at, settled.provisional) == (datetime(2026, 10, 8, 2, tzinfo=UTC), False)
    assert one.calendar(rulebook).version != two.calendar(rulebook).version


def test_the_order_of_entering_does_not_matter() -> None:
    rulebook = parse(template("gulou"))
    commands = [(EnterNotice(notice=notice), NOW) for notice in packaged_notices()]
    forwards, backwards = after(*commands), after(*commands[::-1])
    assert forwards.calendar(rulebook).version == backwards.calendar(rulebook).version


def test_a_notice_is_never_edited_but_changed_by_another() -> None:
    notice = packaged_notices()[1]
    state = after((EnterNotice(notice=notice), NOW))
    edited = notice.model_copy(update={"off": notice.off[:-1]})
    assert refusal(state, EnterNotice(notice=edited)) == "notice_edited"
    assert refusal(state, EnterNotice(notice=notice)) == "notice_entered"
    assert decide(
        state, EnterNotice(notice=edited.model_copy(update={"id": "cn-2026-change"})), Context()
    ).events


def test_a_notice_comes_back_from_its_stored_bytes_unchanged() -> None:
    notice = packaged_notices()[1]
    state = after((EnterNotice(notice=notice), NOW))
    assert state.notices == (notice,)
    assert state.entered[0].recorded_at == NOW
    assert state.notices[0].digest == notice.digest


def test_an_event_of_another_room_changes_nothing_but_the_version() -> None:
    state = after((version(1), NOW))
    other = stored(decide(Releases(), version(2), Context()).events[0], NOW).model_copy(
        update={"pub": object()}
    )
    changed = evolve(state, other)
    assert changed.released == state.released
    assert changed.version == state.version + 1
