"""What `handle` looks at before and after the rooms decide: what no single room can see."""

from __future__ import annotations

from domain.acting import Command, When
from domain.context import Law
from domain.log.commands import AdoptPolicy, adoption_of
from domain.refusal import Refused
from domain.rulebook import releases
from domain.rulebook.maps import ReleaseMap, release_of_map
from domain.rulebook.texts import digest_of
from workflows.standing import Standing
from workflows.submission import Submission, length_of


class Administration:
    """The context of the rooms that no case lives in: they stand under no rulebook."""

    def __init__(self, submission: Submission, when: When) -> None:
        self.actor, self.when, self.authority = submission.actor, when, submission.authority
        self.sealed = frozenset(one.name for one in submission.sealed)


def same_version(submission: Submission, version: int) -> None:
    """The case stands where the caller saw it. Raises Refused `version_moved`."""
    expected = (submission.expected,) if isinstance(submission.expected, int) else submission.expected
    if expected is not None and version not in expected:
        raise Refused(
            "version_moved", f"The case has moved on to version {version}; look at it again, then decide."
        )


def holds_post(standing: Standing, submission: Submission, when: When) -> None:
    """When acting and when recorded, so that a lapsed administrator cannot reach back by an early occurred_at."""
    actor = submission.actor
    for at in (when.occurred_at, when.recorded_at):
        if not standing.register.holds(actor.person, actor.body, actor.post or "", at):
            raise Refused(
                "post_lapsed", "Act in a post that you hold now; have the register brought up to date."
            )


def text_comes_along(submission: Submission) -> None:
    """What a command names by its digest comes with it, and says what the command says of it: else no command could be
    decided again."""
    command = submission.command
    what = next((word for kind, word in _TEXTS.items() if isinstance(command, kind)), None)
    if what is None:
        return
    texts = [text for text in submission.texts if digest_of(text) == getattr(command, "digest", None)]
    if not texts or _made_of(texts[0], command) != command:
        raise Refused(
            f"{what}_text", f"Send the {what}'s text along, and make the command from that very text."
        )


_TEXTS: dict[type[Command], str] = {
    releases.ReleaseRulebook: "rulebook",
    AdoptPolicy: "policy",
    ReleaseMap: "map",
}


def _made_of(text: str, command: Command) -> Command | None:
    match command:
        case AdoptPolicy():
            return adoption_of(text, command.delay_hours)
        case ReleaseMap():
            return release_of_map(text, command.in_force_from)
        case releases.ReleaseRulebook():
            return releases.release_of(text, command.in_force_from)
    return None


def not_too_long(submission: Submission, law: Law) -> None:
    """No sealed value is longer than the rulebook lets. Raises Refused `text_too_long`."""
    most = law.book.text_most
    if any(length_of(one.value) > most for one in submission.sealed):
        raise Refused(
            "text_too_long", f"Shorten the text to at most {most} characters, or attach it as a file."
        )
