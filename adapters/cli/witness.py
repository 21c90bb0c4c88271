"""`huiyin witness`: a board's own witness. It needs no database of ours: a key, a state file, and the log's public key.

Exit codes: 0 done · 1 refused: what was brought is not to be cosigned · 2 usage · 4 a file cannot be written.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from adapters.cli import exits
from adapters.cli.door import stop
from adapters.cli.files import text_of
from adapters.engine import now
from adapters.log.keys import make_key, open_signer
from adapters.put import put
from adapters.witness.board import Board
from adapters.witness.bundle import cosign_bundle
from adapters.witness.state import StateFile
from domain.log.notes import ED25519_COSIGNATURE, VerifierKey, format_note
from domain.log.policy import Policy
from domain.refusal import Refused, Unavailable

app = typer.Typer()

_Key = Annotated[
    Path, typer.Option("--key", dir_okay=False, help="The board's key, made by huiyin witness key.")
]
_State = Annotated[
    Path,
    typer.Option(
        "--state", dir_okay=False, help="What the board has cosigned. Never lose it: back it up with the key."
    ),
]
_Log = Annotated[
    list[str] | None, typer.Option("--log", help="A log's verifier key, as huiyin log key prints it.")
]
_Policy = Annotated[
    Path | None,
    typer.Option(
        "--policy", dir_okay=False, help="The board's own copy of the policy: its log lines are trusted."
    ),
]


@app.command()
def key(
    name: Annotated[str, typer.Argument(help="A name for the board, such as audit.example/w1.")],
    output: Annotated[Path, typer.Option("-o", "--output", dir_okay=False, help="Where the key is to be.")],
) -> None:
    """Make a board's key, readable by its owner alone, and print its verifier key. 生成见证方密钥"""
    with _said():
        if output.exists():
            raise Refused(
                "key_present", f"Keep {output.name}: a board's key is never made anew over an old one."
            )
        typer.echo(str(make_key(output, name, ED25519_COSIGNATURE)))


@app.command()
def serve(
    key_file: _Key,
    state: _State,
    log: _Log = None,
    policy: _Policy = None,
    host: Annotated[
        str, typer.Option(help="Where to listen: this machine alone, unless told otherwise.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 takes any free one.")] = 7480,
) -> None:
    """Answer logs over HTTP (C2SP tlog-witness) until told to stop. 联机见证"""
    from adapters.witness.server import serve as answer

    with _said(), _board(key_file, state, log, policy) as board:
        try:
            answer(board, host, port, lambda url: typer.echo(f"见证方 listening {url}"))
        except OSError as error:
            stop(exits.UNAVAILABLE, "port_taken", f"Give a free port: {error.strerror}.")


@app.command()
def cosign(
    bundle: Annotated[Path, typer.Argument(dir_okay=False, help="The bundle, a zip file.")],
    key_file: _Key,
    state: _State,
    log: _Log = None,
    policy: _Policy = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", dir_okay=False, help="Where the cosigned head is to be.")
    ] = None,
) -> None:
    """Check a bundle's heads and growth, and cosign its head, without a network. 离线联署

    Writes the head with the board's line, for `huiyin log cosignature add`; to standard output without -o.
    """
    with _said(), _board(key_file, state, log, policy) as board:
        note = format_note(cosign_bundle(board, bundle))
        if output is None:
            typer.echo(note, nl=False)
        else:
            put(output, note.encode())
            typer.echo(f"已联署 cosigned: {output}", err=True)


@contextmanager
def _board(key_file: Path, state: Path, log: list[str] | None, policy: Path | None) -> Iterator[Board]:
    """The witness, its state file held."""
    file, logs = StateFile(state), _logs(log or [], policy)
    with file.held():
        yield Board(file, logs, open_signer(key_file, ED25519_COSIGNATURE), now)


def _logs(vkeys: list[str], policy: Path | None) -> dict[str, list[VerifierKey]]:
    """The trusted keys by origin."""
    keys = [VerifierKey.parse(one) for one in vkeys]
    if policy is not None:
        keys += Policy.parse(text_of(policy, "policy")).log_keys
    if not keys:
        stop(exits.USAGE, "no_log", "Name the log that is to be trusted: --log VKEY or --policy FILE.")
    logs: dict[str, list[VerifierKey]] = {}
    for one in dict.fromkeys(keys):
        logs.setdefault(one.name, []).append(one)
    return logs


@contextmanager
def _said() -> Iterator[None]:
    """Every failure as a sentence and an exit code."""
    try:
        yield
    except Refused as refused:
        stop(exits.REFUSED, refused.code, refused.advice)
    except Unavailable as error:
        stop(exits.UNAVAILABLE, "unavailable", str(error))
