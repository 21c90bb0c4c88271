"""`huiyin log policy|cosignature|set-aside|rekey`: who must cosign, lines by hand, a board's false word, another key."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer

from adapters.cli import exits
from adapters.cli.door import exit_code, identify, told
from adapters.cli.files import text_of
from adapters.cli.log import opened_log
from adapters.cli.options import Json, Ordered
from adapters.cli.people import As, acting
from adapters.cli.tables import print_json
from adapters.engine import Engine
from adapters.log.genesis import key_in_force
from adapters.log.key_change import change_key
from adapters.log.keys import LOG_KEY, check_verifiable, public_key
from adapters.log.role import mark_of
from adapters.log.store import LogStore
from adapters.witness.keeping import keep_note, policy_in_force, remembered
from domain.instant import written
from domain.log.commands import LONGEST_DELAY_HOURS, AdoptPolicy, SetClaimAside, adoption_of
from domain.log.policy import Policy, Witness
from domain.log.texts import to_base64
from domain.log.words import LOG
from domain.refusal import Refused
from workflows.submission import Submission

policy = typer.Typer(help="Who must cosign the log 见证规则 (C2SP tlog-policy).", no_args_is_help=True)
cosignature = typer.Typer(help="Cosignatures that a board sends by hand 手工联署.", no_args_is_help=True)
app = typer.Typer()
app.add_typer(policy, name="policy")
app.add_typer(cosignature, name="cosignature")


@policy.command()
def adopt(
    file: Annotated[Path, typer.Argument(dir_okay=False, help="The policy file.")],
    as_: As,
    authority: Ordered,
    delay_hours: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=LONGEST_DELAY_HOURS,
            help="How soon a head is to be cosigned; HUIYIN_LOG_DELAY_HOURS else.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Adopt a policy, as a security administrator; the text is kept, and every change is on record. 采纳见证规则

    Exit code 0: adopted, or in force already. 1: refused, or the policy is malformed.
    """
    text = text_of(file, "policy", as_json)
    with opened_log(as_json) as (engine, log):
        command = adoption_of(text, delay_hours or engine.settings.log_delay_hours)
        _of_this_log(command, engine, log)
        check_verifiable(Policy.parse(text))
        answer = engine.handle(
            Submission(
                "cli", uuid4().hex, LOG, command, acting(as_, identify(engine)), authority=authority, texts=(text,)
            )
        )  # fmt: skip
        told(answer, as_json, policy=command.digest, quorum=f"{command.k} of {command.n}")
    raise typer.Exit(exits.ACCEPTED if answer.code == "policy_in_force" else exit_code(answer))


@policy.command()
def show(
    text: Annotated[bool, typer.Option("--text", help="Print the policy's text alone, for boards.")] = False,
    as_json: Json = False,
) -> None:
    """The policy in force, and how far each board has come. 现行见证规则"""
    with opened_log(as_json) as (engine, log):
        cosigning = engine.handle.standing.caught_up().cosigning
        known = policy_in_force(cosigning, engine.store)
        if known is None or cosigning.policy is None:
            raise Refused("no_policy", "Adopt one first: huiyin log policy adopt FILE.")
        if text:
            typer.echo(engine.store.text(cosigning.policy.digest), nl=False)
            return
        body = {
            "digest": cosigning.policy.digest, "adopted_at": written(cosigning.policy.at), "k": cosigning.policy.k,
            "n": cosigning.policy.n, "delay_hours": int(cosigning.policy.delay.total_seconds() // 3600),
            "boards": _boards(known, engine, log),
        }  # fmt: skip
    print_json(body) if as_json else _print(body)


@cosignature.command()
def add(
    file: Annotated[
        Path, typer.Argument(dir_okay=False, help="The note that the board has sent, or its bare line.")
    ],
    size: Annotated[
        int | None, typer.Option(min=1, help="For a bare line: the size of the head it stands under.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Keep the lines that boards of the policy have put under a head by hand. 录入联署

    Exit code 1: not a head of this log, or no line of a board that holds.
    """
    note = text_of(file, "note", as_json)
    with opened_log(as_json) as (engine, log):
        known = policy_in_force(engine.handle.standing.caught_up().cosigning, engine.store)
        if known is None:
            raise Refused("no_policy", "Adopt one first: huiyin log policy adopt FILE.")
        kept = keep_note(log, known, note, engine.handle.clock(), size)
    body = {"size": kept.size, "boards": list(kept.boards), "quorum": kept.quorum}
    enough = "已达法定数 a quorum has cosigned it" if kept.quorum else "尚缺 boards are still missing"
    print_json(body) if as_json else typer.echo(f"size {kept.size:,}: {', '.join(kept.boards)}; {enough}")


@app.command()
def rekey(as_: As, authority: Ordered, as_json: Json = False) -> None:
    """Let another key sign the log, as a security administrator; the role seal is stopped meanwhile. 更换日志密钥

    The newest head is signed by both keys and put on record. Then hand the boards the new key (huiyin log key), and
    adopt a policy that names it.
    """
    with opened_log(as_json) as (engine, log):
        answer = change_key(engine, log, acting(as_, identify(engine)), authority)
        key = key_in_force(log, engine.store)
        if answer is not None:
            told(answer, as_json, log=key)
        else:
            print_json({"log": key}) if as_json else typer.echo(f"已更换 changed: {key}")
    raise typer.Exit(exits.ACCEPTED if answer is None else exit_code(answer))


@app.command(name="set-aside")
def set_aside(
    board: Annotated[str, typer.Argument(help="The board, by its name in the policy.")],
    claimed: Annotated[
        int, typer.Option(min=1, help="How many leaves it says that it cosigned, as the role seal told.")
    ],
    as_: As,
    authority: Ordered,
    as_json: Json = False,
) -> None:
    """Let the log go on although a board says, without any proof, that it is ahead; on record. 搁置无据之称

    As a security administrator, when the board was asked for the head that it cosigned and has none: such a head, signed
    by this log, is proof that newer leaves were lost, and is never set aside. Exit code 1: refused.
    """
    with opened_log(as_json) as (engine, log):
        state = log.state()
        witness = _board_of(board, engine, log)
        command = SetClaimAside(
            witness=witness.name, vkey=str(witness.vkey), claimed=claimed, size=state.size, root=to_base64(state.root)
        )  # fmt: skip
        answer = engine.handle(
            Submission("cli", uuid4().hex, LOG, command, acting(as_, identify(engine)), authority=authority)
        )
        told(answer, as_json, board=witness.name, claimed=claimed, holds=state.size)
    raise typer.Exit(exit_code(answer))


def _board_of(name: str, engine: Engine, log: LogStore) -> Witness:
    """A board of the policy in force, or of the mark beside the key: those are asked when the role seal starts."""
    known = policy_in_force(engine.handle.standing.caught_up().cosigning, engine.store)
    marked = mark_of(engine.settings).read(log.state().origin) if log.state().size else None
    boards = (*(known.witnesses if known else ()), *(marked.boards if marked else ()))
    found = next((one for one in boards if one.name == name), None)
    if found is None:
        names = ", ".join(dict.fromkeys(one.name for one in boards)) or "none"
        raise Refused("no_such_board", f"Name one of the boards that are asked: {names}.")
    return found


def _of_this_log(command: AdoptPolicy, engine: Engine, log: LogStore) -> None:
    """A policy that does not know this log's key would leave every head without a quorum."""
    if log.state().size:
        key = key_in_force(log, engine.store)
    else:
        key = str(public_key(engine.settings.log_keys_folder / LOG_KEY))
    if key not in command.log_keys:
        raise Refused("policy_of_another_log", f"Name this log in the policy: log {key}")


def _boards(known: Policy, engine: Engine, log: LogStore) -> list[dict[str, Any]]:
    silent = engine.handle.standing.caught_up().cosigning.silent
    found = []
    for board in known.witnesses:
        note, gap = remembered(log, board), silent.get(board.name)
        found.append(
            {
                "name": board.name, "url": board.url, "vkey": str(board.vkey), "size": note.size, "failed": note.why,
                "silent_since": written(gap.since) if gap else None,
            }
        )  # fmt: skip
    return found


def _print(body: dict[str, Any]) -> None:
    typer.echo(f"规则 policy   {body['digest']}, since {body['adopted_at']}")
    typer.echo(
        f"法定数 quorum  {body['k']} of {body['n']}, 限时 within {body['delay_hours']} h of the stored event"
    )
    for one in body["boards"]:
        gap = f", 失联 silent since {one['silent_since']}" if one["silent_since"] else ""
        failed = f", last try: {one['failed']}" if one["failed"] else ""
        typer.echo(f"  {one['name']:<20} cosigned up to {one['size']:,}{failed}{gap}")
