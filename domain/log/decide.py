"""Decisions on the evidence log's own stream: what may be recorded there, by whom, on what ground."""

from __future__ import annotations

from domain.acting import CLOCK, Command, Decision, Keeping, check_keeper
from domain.event import Event
from domain.log.commands import (
    AdoptPolicy,
    ChangeLogKey,
    NoteReturn,
    NoteSilence,
    PublishRules,
    SetClaimAside,
    TakeCensus,
)
from domain.log.events import (
    CensusTaken,
    ClaimSetAside,
    LogKeyChanged,
    PolicyAdopted,
    RulesPublished,
    WitnessReturned,
    WitnessSilent,
)
from domain.log.months import SETTLED_AFTER, end_of, month_after
from domain.log.notes import NoteError, VerifierKey, parse_note
from domain.log.state import Cosigning
from domain.refusal import Refused


def decide(state: Cosigning, command: Command, context: Keeping) -> Decision:
    """The events that the command makes. Raises Refused, with a code and what to do instead.

    Policies, keys and a board's word set aside are a security administrator's, on a stated authority; a board's silence
    and its return, what law a release goes by, and the census of a month are noted by the clock, which sees them, and by
    nobody else.
    """
    match command:
        case AdoptPolicy():
            check_keeper(context)
            return Decision(rule="log.policy", events=(_adopt(state, command),))
        case SetClaimAside():
            check_keeper(context)
            return Decision(rule="log.aside", events=(_aside(state, command),))
        case ChangeLogKey():
            check_keeper(context)
            return Decision(rule="log.key", events=(_change(state, command),))
        case NoteSilence():
            _by_the_clock(context)
            return Decision(rule="log.silence", events=(_silence(state, command, context),))
        case NoteReturn():
            _by_the_clock(context)
            return Decision(rule="log.return", events=(_return(state, command),))
        case PublishRules():
            _by_the_clock(context)
            return Decision(rule="log.rules", events=(_publish(state, command),))
        case TakeCensus():
            _by_the_clock(context)
            return Decision(rule="log.census", events=(_census(state, command, context),))
        case _:
            raise Refused("unknown_command", "Send one of the commands that the log knows.")


def _by_the_clock(context: Keeping) -> None:
    if context.actor != CLOCK:
        raise Refused("clock_only", "Leave this to the role seal: it notes what it sees by itself.")


def _adopt(state: Cosigning, command: AdoptPolicy) -> Event:
    """Another delay under the same text is another policy; the same once more is none."""
    event = PolicyAdopted(**command.model_dump())
    present = state.policy
    if present is not None and present.digest == command.digest:
        same = present.delay.total_seconds() == command.delay_hours * 3600
        if same:
            raise Refused("policy_in_force", "Nothing to do: this very policy is in force.")
    return event


def _publish(state: Cosigning, command: PublishRules) -> Event:
    if command.digest == state.rules:
        raise Refused("rules_published", "Nothing to do: this very law is published.")
    return RulesPublished(**command.model_dump())


def _census(state: Cosigning, command: TakeCensus, context: Keeping) -> Event:
    if state.census is not None and command.month != month_after(state.census):
        raise Refused(
            "census_order",
            f"Take the census of each month once, in order: that of {state.census} was the last.",
        )
    if context.when.recorded_at <= end_of(command.month) + SETTLED_AFTER:
        raise Refused(
            "month_not_over", "Wait until the month is over, and nothing of it can be stored any more."
        )
    return CensusTaken(**command.model_dump())


def _silence(state: Cosigning, command: NoteSilence, context: Keeping) -> Event:
    if state.policy is None or state.board(command.witness) is None:
        raise Refused("no_such_board", "Name a board of the policy in force.")
    if command.witness in state.silent:
        raise Refused("silent_already", "Nothing to do: the silence of this board is on record.")
    if command.last_size >= command.size:
        raise Refused("not_silent", "Name a head that the board has not cosigned.")
    if command.since < state.appointed[command.witness]:
        raise Refused("not_appointed", "Count a board's silence from when it was appointed.")
    if context.when.recorded_at - command.since <= state.policy.delay:
        raise Refused("within_delay", "Wait until the promised delay has passed.")
    return WitnessSilent(**command.model_dump())


def _return(state: Cosigning, command: NoteReturn) -> Event:
    silent = state.silent.get(command.witness)
    if silent is None:
        raise Refused("not_silent", "Nothing to do: no silence of this board is on record.")
    if command.size <= silent.last_size:
        raise Refused("not_returned", "Name a head that the board has cosigned since.")
    return WitnessReturned(**command.model_dump(), since=silent.since)


def _aside(state: Cosigning, command: SetClaimAside) -> Event:
    """A board of any policy: the record may be older than the one that names it."""
    known = state.asides.get(command.vkey)
    if command.claimed <= command.size:
        raise Refused(
            "not_ahead", "Nothing to do: the log holds as many leaves as the board says that it has seen."
        )
    if known is not None and known.size == command.size and known.claimed >= command.claimed:
        raise Refused(
            "set_aside_already", "Nothing to do: this board's word is set aside; start the role seal."
        )
    return ClaimSetAside(**command.model_dump())


def _change(state: Cosigning, command: ChangeLogKey) -> Event:
    """Both lines must be there; whether they hold is for every reader of the leaf to compute."""
    if state.keys and state.keys[-1].new != command.old:
        raise Refused("not_the_log_key", "Name the key that signs the log now as the old one.")
    if command.old == command.new:
        raise Refused("same_key", "Change to another key.")
    try:
        note = parse_note(command.head)
        old, new = VerifierKey.parse(command.old), VerifierKey.parse(command.new)
    except NoteError as error:
        raise Refused("bad_note", f"Send both verifier keys and a head signed by both: {error}.") from error
    if old.name != new.name:
        raise Refused("another_log", "Keep the log's name: a log of another name is another log.")
    if not all(any(key.made(one) for one in note.signatures) for key in (old, new)):
        raise Refused("head_not_signed_by_both", "Send a head signed by the old key and the new one.")
    return LogKeyChanged(**command.model_dump())
