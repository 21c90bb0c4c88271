"""The acts that a person or a system may give: one row for each, from which the command line and the HTTP API are made.

`ACTS` names them by noun and verb. Their fields come from the commands' own models; sealed values (texts, names,
proofs) ride beside a command and never become part of it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from domain.acting import Actor, Command
from domain.matter import commands as do
from domain.matter import order_commands as odo
from domain.register import commands as reg
from domain.register.decide import RULES


class Act(NamedTuple):
    """One act. A verb without a noun is about the whole case file.

    `sealed` names what rides beside the command; `fixed` what the noun decides.
    """

    noun: str
    verb: str
    command: type[Command]
    sealed: tuple[str, ...] = ()
    fixed: dict[str, Any] = {}  # noqa: RUF012 - never changed


_MATTER = (
    Act("matter", "register", do.RegisterMatter, ("text", "kind", "place", "name", "contact")),
    Act("matter", "take-over", do.TakeOverMatter),
    Act("matter", "supplement", do.AddSupplement, ("text",)),
    Act("matter", "join", do.JoinRequester, ("name", "contact", "text")),
    Act("matter", "notice-wish", do.StateNoticeWish),
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

_ELSEWHERE = (
    reg.IssueFirstLink, reg.ClaimFirstLink, reg.IssueSystemKey, reg.EndSystemKey, reg.LinkSignin, reg.UnlinkSignin,
    reg.MakeSubscription, reg.ChangeSubscriptionSecret, reg.PauseSubscription, reg.ResumeSubscription, reg.EndSubscription,
)  # fmt: skip
"""Given by `huiyin init`, `huiyin admin claim`, `huiyin key`, `huiyin signin` and `huiyin subscription`: a secret is made
beside them."""

_SEALED_BESIDE: dict[type[Command], tuple[str, ...]] = {
    reg.EnterPerson: ("name", "contact"), reg.ChangeContact: ("contact",),
}  # fmt: skip

_REGISTER = tuple(
    Act(
        "register",
        command.NAME.replace("_", "-"),
        command,
        _SEALED_BESIDE.get(command, ()),
    )
    for command in RULES
    if command not in _ELSEWHERE
)

_OF_THE_FILE = (
    Act("", "disclose", do.DiscloseCase),
    Act("", "erase", do.EraseData),
    Act("", "unlock", do.LiftLock),
)

ACTS: tuple[Act, ...] = (
    *_MATTER,
    *_OF_THE_FILE,
    *(act for noun in _ISSUE for act in _orders(noun)),
    Act("whistle", "confirm", odo.ConfirmAuthority),
    Act("call", "answer", odo.AnswerCall),
    *_LEG,
    *_REGISTER,
)

EVIDENCE = "evidence"
"""The sealed values that are digests of files."""

DERIVED = frozenset({"number", "requesters", "child", "evidence", "outside_number"})
"""Fields that an edge fills in by itself; only the number of a 督办 is the giver's own."""


def filled_in(act: Act) -> frozenset[str]:
    """The fields of an act's command that nobody is asked for."""
    derived = DERIVED - ({"number"} if act.command is odo.SuperviseLeg else set())
    own = {"order"} if act.command is odo.DraftOrder else {"leg"} if act.command is odo.AddLeg else set()
    return frozenset({*derived, *own, *act.fixed})


def about_whom(command: Command, actor: Actor, *, of_register: bool = False) -> str:
    """Whose data come with a command: the requester's where it is about one, else they are the actor's own words."""
    requesters = getattr(command, "requesters", ())
    of = getattr(command, "requester", None) or (getattr(command, "person", None) if of_register else None)
    return of or (requesters[0] if requesters else actor.person)
