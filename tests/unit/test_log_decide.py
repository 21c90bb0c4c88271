"""The log's own stream: who may adopt a policy or change the key, and what the clock notes of silent boards."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.acting import CLOCK, Actor, Command, When
from domain.event import Basis, Event, Recorded, decode, encode
from domain.log.commands import (
    AdoptPolicy,
    ChangeLogKey,
    NoteReturn,
    NoteSilence,
    PublishRules,
    TakeCensus,
    adoption_of,
)
from domain.log.decide import decide
from domain.log.events import WitnessReturned, WitnessSilent
from domain.log.months import begin_of, end_of, month_after
from domain.log.notes import ED25519, ED25519_COSIGNATURE, Note, Signature, VerifierKey, format_note
from domain.log.policy import PolicyError
from domain.log.state import Cosigning, evolve
from domain.log.words import LOG
from domain.refusal import Refused

NOW = datetime(2026, 11, 23, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
PERSON = "00000000-0000-4000-8000-000000000001"
KEEPER = Actor(person=PERSON, body="system", post="security_admin")
ROOT = "A" * 43 + "="
LOG_KEY = VerifierKey.of("log.test/1", ED25519, bytes(32))
NEW_KEY = VerifierKey.of("log.test/1", ED25519, bytes(31) + b"\x01")


def board(name: str, number: int = 0) -> VerifierKey:
    return VerifierKey.of(
        f"{name}.test", ED25519_COSIGNATURE, bytes([number]) + name.encode().ljust(31, b"-")
    )


def policy(*names: str, k: int | str = "all", key: VerifierKey = LOG_KEY) -> str:
    lines = [f"log {key}", *(f"witness {name} {board(name)}" for name in names)]
    return "\n".join([*lines, f"group boards {k} {' '.join(names)}", "quorum boards", ""])


@dataclass(frozen=True)
class Context:
    """Who asks, when, and on what ground."""

    actor: Actor = KEEPER
    at: datetime = NOW
    authority: str | None = "resolution:1"

    @property
    def when(self) -> When:
        return When(occurred_at=self.at, recorded_at=self.at)


def stored(event: Event, at: datetime) -> Recorded[Event]:
    """The event as it comes back from its stored bytes."""
    recorded = Recorded[type(event)](  # type: ignore[misc]
        basis=Basis(calendar="-", code="-", register=0, rulebook="-"),
        capacity="system", command="c", correlation="r", nonce="00" * 16, person=PERSON, rule="log",
        occurred_at=at, recorded_at=at, stream=LOG, type=event.TYPE, pub=event,
    )  # fmt: skip
    return decode(event.TYPE, encode(recorded))


def after(*commands: tuple[Command, datetime]) -> Cosigning:
    """The state after these commands, each at its time; the clock's by the clock, all others by the keeper."""
    state = Cosigning()
    for command, at in commands:
        actor = CLOCK if isinstance(command, NoteSilence | NoteReturn | PublishRules | TakeCensus) else KEEPER
        for event in decide(state, command, Context(actor, at)).events:
            state = evolve(state, stored(event, at))
    return state


def refusal(state: Cosigning, command: Command, context: Context) -> str:
    with pytest.raises(Refused) as caught:
        decide(state, command, context)
    return caught.value.code


def silence(name: str = "audit", since: datetime = NOW, size: int = 9, last: int = 0) -> NoteSilence:
    return NoteSilence(witness=name, since=since, size=size, root=ROOT, last_size=last)


def returned(name: str = "audit", size: int = 9) -> NoteReturn:
    return NoteReturn(witness=name, size=size, root=ROOT)


ADOPTED = (adoption_of(policy("audit", "court"), 24), NOW)
LATE = NOW + 24 * HOUR + timedelta(microseconds=1)
BY_CLOCK = Context(CLOCK, LATE)


LAW, NEXT_LAW = PublishRules(digest="1" * 64), PublishRules(digest="2" * 64)


def test_the_law_published_last_counts() -> None:
    assert Cosigning().rules is None
    assert after((LAW, NOW), (NEXT_LAW, NOW)).rules == NEXT_LAW.digest
    assert after((LAW, NOW), (NEXT_LAW, NOW), (LAW, LATE)).rules == LAW.digest


def test_only_the_clock_publishes_a_law_and_each_once() -> None:
    assert refusal(Cosigning(), LAW, Context()) == "clock_only"
    assert refusal(after((LAW, NOW)), LAW, BY_CLOCK) == "rules_published"


def census(month: str) -> TakeCensus:
    return TakeCensus(month=month, events=7, cases=2, registrations=())


def test_the_censuses_of_months_follow_one_another() -> None:
    state = after((census("2026-09"), NOW), (census("2026-10"), NOW))

    assert (Cosigning().census, state.census) == (None, "2026-10")
    for month in ("2026-08", "2026-09", "2026-10", "2026-12"):
        assert refusal(state, census(month), BY_CLOCK) == "census_order"


@pytest.mark.parametrize("month", ["2026-11", "2026-12", "2999-12"])
def test_a_month_that_is_not_over_has_no_census(month: str) -> None:
    assert refusal(Cosigning(), census(month), BY_CLOCK) == "month_not_over"


def test_a_census_comes_more_than_a_second_after_its_month() -> None:
    """The store takes what lies a second behind its newest event."""
    at = datetime(2026, 11, 1, 0, 0, 1, tzinfo=UTC)

    assert refusal(Cosigning(), census("2026-10"), Context(CLOCK, at)) == "month_not_over"
    assert decide(Cosigning(), census("2026-10"), Context(CLOCK, at + timedelta.resolution)).events


def test_only_the_clock_takes_a_census() -> None:
    assert refusal(Cosigning(), census("2026-10"), Context()) == "clock_only"


@pytest.mark.parametrize("month", ["", "2026", "2026-1", "2026-13", "2026-00", "9999-12", "2026-11-01"])
def test_a_month_is_written_in_one_way(month: str) -> None:
    with pytest.raises(ValueError, match="month"):
        census(month)


@given(st.dates(date(1000, 1, 1), date(2999, 11, 30)))
def test_months_follow_one_another_without_a_gap(day: date) -> None:
    month = f"{day:%Y-%m}"

    assert begin_of(month).date() <= day < end_of(month).date()
    assert begin_of(month_after(month)) == end_of(month)


def test_an_adopted_policy_names_its_boards_their_keys_and_how_many_must_cosign() -> None:
    state = after((adoption_of(policy("audit", "court", "council", k=2), 12), NOW))
    assert state.policy is not None
    assert [(one.name, one.vkey) for one in state.policy.witnesses] == [
        (name, str(board(name))) for name in ("audit", "court", "council")
    ]
    assert (state.policy.k, state.policy.n, state.policy.delay) == (2, 3, 12 * HOUR)
    assert state.policy.log_keys == (str(LOG_KEY),)


def test_the_newest_policy_is_in_force_and_the_earlier_ones_stay_known() -> None:
    state = after(ADOPTED, (adoption_of(policy("audit"), 24), NOW + HOUR))
    assert [policy.n for policy in state.policies] == [2, 1]
    assert state.board("court") is None


def test_the_very_same_policy_again_changes_nothing_and_another_delay_does() -> None:
    state = after(ADOPTED)
    assert refusal(state, ADOPTED[0], Context()) == "policy_in_force"
    assert decide(state, adoption_of(policy("audit", "court"), 48), Context()).events


@pytest.mark.parametrize(
    ("context", "code"),
    [
        (Context(authority=None), "authority_missing"),
        (Context(Actor(person=PERSON, body="sd-01", post="secretary")), "not_your_post"),
        (Context(Actor(person=PERSON, body="system", post="audit_admin")), "not_your_post"),
        (Context(CLOCK), "not_your_post"),
        (Context(Actor(person=PERSON, body="resident")), "not_your_post"),
    ],
)
def test_only_a_security_administrator_on_a_ground_adopts_and_changes_keys(
    context: Context, code: str
) -> None:
    change = ChangeLogKey(old=str(LOG_KEY), new=str(NEW_KEY), head="-")
    assert refusal(Cosigning(), ADOPTED[0], context) == code
    assert refusal(Cosigning(), change, context) == code


@pytest.mark.parametrize(
    "text", ["", "quorum none", "log x\nquorum none\n", f"log {LOG_KEY}\nquorum boards\n"]
)
def test_a_malformed_policy_is_not_adopted(text: str) -> None:
    with pytest.raises(PolicyError):
        adoption_of(text, 24)


def test_a_policy_that_names_no_log_is_not_adopted() -> None:
    with pytest.raises(Refused) as caught:
        adoption_of("quorum none\n", 24)
    assert caught.value.code == "policy_without_log"


def test_a_board_is_noted_as_silent_once_the_promised_delay_has_passed_and_no_sooner() -> None:
    state = after(ADOPTED)
    assert refusal(state, silence(), Context(CLOCK, NOW + 24 * HOUR)) == "within_delay"
    (event,) = decide(state, silence(), BY_CLOCK).events
    assert event == WitnessSilent(witness="audit", since=NOW, size=9, root=ROOT, last_size=0)


def test_a_silence_is_noted_once_and_so_is_the_return() -> None:
    silent = after(ADOPTED, (silence(), LATE))
    assert refusal(silent, silence(size=12), BY_CLOCK) == "silent_already"
    (event,) = decide(silent, returned(), BY_CLOCK).events
    assert event == WitnessReturned(witness="audit", since=NOW, size=9, root=ROOT)
    back = evolve(silent, stored(event, LATE))
    assert refusal(back, returned(), BY_CLOCK) == "not_silent"
    assert not back.silent


def test_a_board_can_fall_silent_again() -> None:
    state = after(ADOPTED, (silence(), LATE), (returned(), LATE))
    again = silence(since=LATE, size=20, last=9)
    assert refusal(state, again, Context(CLOCK, LATE + 24 * HOUR)) == "within_delay"
    assert decide(state, again, Context(CLOCK, LATE + 25 * HOUR)).events


def test_a_board_has_not_returned_with_a_head_that_it_had_cosigned_before() -> None:
    state = after(ADOPTED, (silence(size=9, last=5), LATE))
    assert refusal(state, returned(size=5), BY_CLOCK) == "not_returned"
    assert decide(state, returned(size=6), BY_CLOCK).events


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (silence(name="nobody"), "no_such_board"),
        (silence(size=9, last=9), "not_silent"),
        (silence(since=NOW - HOUR), "not_appointed"),
        (returned(), "not_silent"),
    ],
)
def test_what_is_no_silence_is_not_noted(command: Command, code: str) -> None:
    assert refusal(after(ADOPTED), command, BY_CLOCK) == code


def test_without_a_policy_no_board_is_silent() -> None:
    assert refusal(Cosigning(), silence(), BY_CLOCK) == "no_such_board"


@pytest.mark.parametrize("command", [silence(), returned()])
def test_only_the_clock_notes_silence_and_return(command: Command) -> None:
    assert refusal(after(ADOPTED), command, Context(KEEPER, LATE)) == "clock_only"


def test_a_board_that_stays_under_its_key_stays_silent_in_the_next_policy_and_one_that_goes_does_not() -> (
    None
):
    silent = (ADOPTED, (silence("audit"), LATE), (silence("court"), LATE))
    state = after(*silent, (adoption_of(policy("audit", "council"), 24), LATE))
    assert set(state.silent) == {"audit"}
    assert state.appointed == {"audit": NOW, "council": LATE}


def test_a_board_with_another_key_is_appointed_anew() -> None:
    text = policy("audit", "court").replace(str(board("audit")), str(board("audit", 7)))
    state = after(ADOPTED, (silence(), LATE), (adoption_of(text, 24), LATE))
    assert not state.silent
    assert state.appointed == {"audit": LATE, "court": NOW}


def head(*keys: VerifierKey) -> str:
    lines = tuple(Signature(key.name, key.key_id, bytes(64)) for key in keys)
    return format_note(Note(f"log.test/1\n9\n{ROOT}\n", lines))


def test_a_key_changes_with_a_head_under_both() -> None:
    change = ChangeLogKey(old=str(LOG_KEY), new=str(NEW_KEY), head=head(LOG_KEY, NEW_KEY))
    state = after((change, NOW))
    assert [(one.old, one.new) for one in state.keys] == [(str(LOG_KEY), str(NEW_KEY))]
    assert refusal(state, change, Context()) == "not_the_log_key"


@pytest.mark.parametrize(
    ("new", "text", "code"),
    [
        (LOG_KEY, head(LOG_KEY), "same_key"),
        (NEW_KEY, head(LOG_KEY), "head_not_signed_by_both"),
        (NEW_KEY, head(NEW_KEY), "head_not_signed_by_both"),
        (NEW_KEY, "no note", "bad_note"),
        (VerifierKey.of("other.test/1", ED25519, bytes(32)), head(LOG_KEY), "another_log"),
    ],
)
def test_a_key_does_not_change_without_both_lines_or_to_another_log(
    new: VerifierKey, text: str, code: str
) -> None:
    assert refusal(Cosigning(), ChangeLogKey(old=str(LOG_KEY), new=str(new), head=text), Context()) == code


def test_a_command_of_another_room_is_refused() -> None:
    assert refusal(Cosigning(), Command(), Context()) == "unknown_command"


def test_an_event_of_another_room_changes_nothing_but_the_version() -> None:
    state = after(ADOPTED)
    other = stored(decide(state, silence(), BY_CLOCK).events[0], NOW).model_copy(update={"pub": object()})
    changed = evolve(state, other)
    assert (changed.policies, changed.version) == (state.policies, state.version + 1)


@given(st.lists(st.tuples(st.sampled_from(["silent", "back"]), st.integers(1, 40)), max_size=30))
def test_silences_and_returns_always_take_turns(steps: list[tuple[str, int]]) -> None:
    state, noted, last = after(ADOPTED), [], 0
    for what, size in steps:
        command = silence(size=size, last=last) if what == "silent" else returned(size=size)
        try:
            (event,) = decide(state, command, BY_CLOCK).events
        except Refused:
            continue
        noted.append(type(event))
        last = size if isinstance(event, WitnessReturned) else last
        state = evolve(state, stored(event, LATE))
    assert noted == [WitnessSilent, WitnessReturned] * (len(noted) // 2) + [WitnessSilent] * (len(noted) % 2)


def test_an_adoption_brings_a_digest_of_the_text_and_no_address_of_a_board() -> None:
    text = policy("audit", "court").replace(str(board("audit")), f"{board('audit')} https://audit.test/w")
    command = adoption_of(text, 24)
    assert isinstance(command, AdoptPolicy)
    assert "https" not in command.model_dump_json()
