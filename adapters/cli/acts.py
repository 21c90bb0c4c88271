"""The acts of the command line: noun, then verb, one for each command that a person may give.

`ACTS` names them; their options come from the commands' own models (act_options), what they fill in by themselves
and how they are handed in stands in act_run. A time without offset is refused. Sealed values (texts, names, proofs)
are options too and never become part of the command.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from adapters.cli import exits
from adapters.cli.act_fields import NEVER_TYPED
from adapters.cli.act_options import help_of, moment, of_fields, of_sealed, parameter
from adapters.cli.act_run import Doing, built, finish, missing_signatures, perform, tell, values
from adapters.cli.act_targets import case_of
from adapters.cli.disclosing import hand_over
from adapters.cli.door import opened
from adapters.cli.people import As, Authority
from domain.acting import Command
from domain.matter import commands as do
from domain.matter import order_commands as odo
from domain.register import commands as reg
from domain.register.decide import RULES
from workflows.submission import Answer


class Act(NamedTuple):
    """One act: `huiyin NOUN VERB`, or `huiyin VERB` where the noun is empty.

    `sealed` names what rides beside the command; `fixed` what the noun decides.
    """

    noun: str
    verb: str
    command: type[Command]
    sealed: tuple[str, ...] = ()
    fixed: dict[str, Any] = {}  # noqa: RUF012 - never changed


NOUNS = {
    "matter": "Matters 事项: from registration to archive.",
    "call": "Calls 社区呼叫: a community asks its sub-district.",
    "whistle": "Whistles 街道吹哨: a sub-district summons departments.",
    "call-out": "Call-outs 调用: a direct order to an organ in the power register.",
    "dispatch": "Dispatches 派单.",
    "register": "The register 名册, one entry at a time: bodies, posts, duty, powers, admissions.",
    "leg": "Legs: one summoned body's part of an order, from acknowledging to release.",
}

_MATTER = (
    Act("matter", "register", do.RegisterMatter, ("text", "kind", "place", "name", "contact")),
    Act("matter", "take-over", do.TakeOverMatter),
    Act("matter", "supplement", do.AddSupplement, ("text",)),
    Act("matter", "join", do.JoinRequester, ("name", "contact", "text")),
    Act("matter", "accept", do.AcceptMatter),
    Act("matter", "propose-refusal", do.ProposeRefusal),
    Act("matter", "confirm-refusal", do.ConfirmRefusal),
    Act("matter", "divert", do.DivertMatter),
    Act("matter", "triage", do.TriageMatter),
    Act("matter", "retriage", do.RetriageMatter),
    Act("matter", "attempt", do.RecordAttempt, ("text", "place")),
    Act("matter", "start", do.StartHandling, ("note",)),
    Act("matter", "escalate", do.EscalateMatter),
    Act("matter", "defer", do.DeferMatter, ("plan",)),
    Act("matter", "review", do.HoldReview),
    Act("matter", "resume", do.ResumeMatter),
    Act("matter", "submit", do.SubmitResult, ("reply", "evidence")),
    Act("matter", "review-result", do.ReviewResult),
    Act("matter", "send-back", do.SendBackResult),
    Act("matter", "callback", do.RecordCallback, ("wording",)),
    Act("matter", "reopen", do.ReopenMatter, ("text",)),
    Act("matter", "close", do.CloseMatter),
    Act("matter", "archive", do.ArchiveMatter),
    Act("matter", "request-withdrawal", do.RequestWithdrawal),
    Act("matter", "confirm-withdrawal", do.ConfirmWithdrawal),
    Act("matter", "deny-withdrawal", do.DenyWithdrawal),
    Act("matter", "merge", do.MergeMatter),
    Act("matter", "reverse-merge", do.ReverseMerge),
    Act("matter", "split", do.SplitMatter, ("text",)),
    Act("matter", "request-exclusion", do.RequestExclusion),
    Act("matter", "decide-exclusion", do.DecideExclusion),
    Act("matter", "recuse", do.DeclareRecusal),
    Act("matter", "request-extension", do.RequestMatterExtension),
    Act("matter", "decide-extension", do.DecideMatterExtension),
)

_ISSUE = {"call": "make", "whistle": "blow", "call-out": "issue", "dispatch": "send"}


def _orders(noun: str) -> tuple[Act, ...]:
    kind: dict[str, Any] = {"kind": noun.replace("-", "_")}
    drafted = kind if noun == "whistle" else kind | {"whistle": None}
    return (
        Act(noun, "draft", odo.DraftOrder, ("reason",), drafted),
        Act(noun, "authorise", odo.AuthoriseOrder),
        Act(noun, _ISSUE[noun], odo.IssueOrder, ("reason",), drafted),
        Act(noun, "cancel", odo.CancelOrder),
        Act(noun, "add-leg", odo.AddLeg),
        Act(noun, "change-lead", odo.ChangeLead),
    )


_LEG = (
    Act("leg", "acknowledge", odo.AcknowledgeLeg),
    Act("leg", "contact", odo.ContactLeg),
    Act("leg", "check-in", odo.CheckIn, ("proof",)),
    Act("leg", "confirm-word", odo.ConfirmWordOfMouth),
    Act("leg", "note", odo.NoteWork, ("note",)),
    Act("leg", "request-help", odo.RequestHelp, ("note",)),
    Act("leg", "report", odo.ReportLeg, ("result", "evidence")),
    Act("leg", "accept", odo.AcceptLeg),
    Act("leg", "reject", odo.RejectLeg),
    Act("leg", "decline", odo.DeclineLeg),
    Act("leg", "request-return", odo.RequestReturn),
    Act("leg", "decide-return", odo.DecideReturn),
    Act("leg", "dispute", odo.OpenDispute),
    Act("leg", "adjudicate", odo.AdjudicateDispute),
    Act("leg", "excuse", odo.ExcuseLeg),
    Act("leg", "request-extension", odo.RequestExtension),
    Act("leg", "decide-extension", odo.DecideExtension),
    Act("leg", "urge", odo.UrgeLeg),
    Act("leg", "supervise", odo.SuperviseLeg),
    Act("leg", "change-time", odo.ChangeSummonsTime),
    Act("leg", "rate", odo.RateLeg),
)

_FIRST = (reg.IssueFirstLink, reg.ClaimFirstLink)
"""Given by `huiyin init` and `huiyin admin claim`."""

_REGISTER = tuple(
    Act(
        "register",
        command.NAME.replace("_", "-"),
        command,
        ("name", "contact") if command is reg.EnterPerson else (),
    )
    for command in RULES
    if command not in _FIRST
)

_OF_THE_FILE = (Act("", "disclose", do.DiscloseCase), Act("", "erase", do.EraseData))

ACTS: tuple[Act, ...] = (
    *_MATTER,
    *_OF_THE_FILE,
    *(act for noun in _ISSUE for act in _orders(noun)),
    Act("whistle", "confirm", odo.ConfirmAuthority),
    Act("call", "answer", odo.AnswerCall),
    *_LEG,
    *_REGISTER,
)

_MANY = frozenset({"name", "contact"})


def nouns() -> dict[str, typer.Typer]:
    """A typer app for each noun, with all of its acts; others may add their verbs to it."""
    apps = {noun: typer.Typer(help=text, no_args_is_help=True) for noun, text in NOUNS.items()}
    for act in ACTS:
        if act.noun:
            apps[act.noun].command(act.verb)(_command(act))
    return apps


def verbs() -> dict[str, Callable[..., None]]:
    """The functions of the acts without a noun."""
    return {act.verb: _command(act) for act in ACTS if not act.noun}


def _command(act: Act) -> Callable[..., None]:
    """The function of an act, with the signature that typer reads."""

    def run(**given: Any) -> None:
        with opened(given["as_json"]) as engine:
            doing = Doing(engine, given, act.noun)
            if act.command is odo.IssueOrder:
                _issue(doing, act)
            if act.command is do.DiscloseCase:
                finish(hand_over(doing))
            finish(perform(doing, act.command, act.fixed, act.sealed))

    parameters = [*_about(act), *_options(act), *_common()]
    run.__signature__ = inspect.Signature(sorted(parameters, key=_required_first))  # type: ignore[attr-defined]
    run.__annotations__ = {}
    run.__doc__ = _help(act)
    return run


def _about(act: Act) -> list[inspect.Parameter]:
    if act.command is do.RegisterMatter or act.noun == "register":
        return []
    case = Annotated[
        str, typer.Argument(help="The matter: its number or id, or SOURCE:NUMBER of another system.")
    ]
    return [inspect.Parameter("case", inspect.Parameter.KEYWORD_ONLY, annotation=case)]


def _options(act: Act) -> list[inspect.Parameter]:
    filled = _filled(act)
    optional = frozenset({"order", "leg", "requester", "seen_at"})
    if act.command is odo.ChangeLead:
        optional -= {"leg"}
    if act.command is reg.EnterPerson:
        optional |= {"person"}
    found = [*of_fields(act.command, filled, optional)]
    if act.command is odo.IssueOrder:
        drafting = frozenset(odo.DraftOrder.model_fields)
        found += of_fields(odo.DraftOrder, frozenset({"order", *act.fixed}), drafting)
    if act.command is do.DiscloseCase:
        text = "The file, of its owner alone; without it NUMBER.disclosures.json in this folder."
        found.append(parameter("output", Path | None, None, "--output", "-o", help=text, dir_okay=False))
    if act.command in (do.RegisterMatter, do.AddSupplement):
        text = "The number that another system gave it, as SOURCE:NUMBER; repeat it."
        found.append(parameter("outside", list[str] | None, None, "--outside", help=text))
    if act.command is do.RegisterMatter:
        said = "Save the receipt 回执承诺 for the requester there; else it is printed."
        found.append(parameter("receipt", Path | None, None, "--receipt", metavar="FILE", help=said))
    return [
        *found,
        *of_sealed(act.command, act.sealed, _MANY if act.command is do.RegisterMatter else frozenset()),
    ]


def _filled(act: Act) -> frozenset[str]:
    """The fields that are no options."""
    never = NEVER_TYPED - ({"number"} if act.command is odo.SuperviseLeg else set())
    own = {"order"} if act.command is odo.DraftOrder else {"leg"} if act.command is odo.AddLeg else set()
    return frozenset({*never, *own, *act.fixed})


def _common() -> list[inspect.Parameter]:
    occurred = "When it happened, if earlier than now, with offset or Z."
    return [
        inspect.Parameter("as_", inspect.Parameter.KEYWORD_ONLY, annotation=As),
        inspect.Parameter("authority", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Authority),
        parameter(
            "occurred_at",
            datetime | None,
            None,
            "--occurred-at",
            parser=moment,
            metavar="TIME",
            help=occurred,
        ),
        parameter("key", str | None, None, "--key", help="Idempotency key: the same again changes nothing."),
        parameter("as_json", bool, False, "--json", help="One JSON object for programs."),
    ]


def _required_first(one: inspect.Parameter) -> bool:
    return one.default is not inspect.Parameter.empty


def _help(act: Act) -> str:
    if act.command is odo.IssueOrder:
        return f"{help_of(act.command)}\n\nWith --to it is drafted first; otherwise name an order that was drafted before."
    return help_of(act.command)


def _issue(doing: Doing, act: Act) -> None:
    """Issue an order; with `--to` draw it up first, and say which signatures are missing where it needs some."""
    given = doing.given
    if not given["receivers"]:
        return
    case = case_of(doing.engine, given["case"], doing.actor)
    draft = built(doing, odo.DraftOrder, act.fixed, case)
    answer = doing.hand_in(draft, case, values(doing, draft, act.sealed), ".draft")
    if not answer.accepted:
        tell(doing, answer, draft)
        finish(answer)
    order = given["order"] = doing.made["order"]
    if missing := missing_signatures(doing, order, case):
        words = "; ".join(missing)
        tell(
            doing,
            Answer("refused", case, code="not_authorised", advice=f"It is drafted; it still needs: {words}."),
            draft,
        )
        raise typer.Exit(exits.REFUSED)
    issue = built(doing, odo.IssueOrder, {}, case)
    issued = doing.hand_in(issue, case, (), ".issue")
    tell(doing, issued, issue)
    finish(issued)
