"""The acts of the command line: noun, then verb, one for each row of `adapters.acts`.

Their options come from the commands' own models (act_options), what they fill in by themselves
and how they are handed in stands in act_run. A time without offset is refused. Sealed values (texts, names, proofs)
are options too and never become part of the command.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from adapters.acts import ACTS, Act, filled_in
from adapters.cli import exits
from adapters.cli.act_options import help_of, of_fields, of_sealed, parameter
from adapters.cli.act_run import Doing, built, finish, missing_signatures, perform, tell, values
from adapters.cli.disclosing import hand_over
from adapters.cli.door import opened
from adapters.cli.options import moment
from adapters.cli.people import As, Authority
from adapters.finding import case_of
from domain.matter import commands as do
from domain.matter import order_commands as odo
from domain.register import commands as reg
from workflows.submission import Answer

_MANY = frozenset({"name", "contact"})


def noun(name: str) -> typer.Typer:
    """All acts of a noun."""
    return _app([act for act in ACTS if act.noun == name])


def verb(name: str) -> typer.Typer:
    """The act without a noun that has this name."""
    return _app([act for act in ACTS if (act.noun, act.verb) == ("", name)])


def _app(acts: Iterable[Act]) -> typer.Typer:
    app = typer.Typer()
    for act in acts:
        app.command(act.verb)(_command(act))
    return app


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
    filled = filled_in(act)
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
