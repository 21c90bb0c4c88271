"""`huiyin receipt show|proof|verify`: what a resident takes home, and what it proves without us.

Exit codes: 0 done, or proven · 1 refused, or not proven (the code says what does not hold) · 2 usage · 3 no such case,
or none that the viewer may see · 4 a database or a file is out of reach.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from adapters.cli import exits
from adapters.cli.door import opened, stop
from adapters.cli.options import Case, Json, Viewer
from adapters.cli.reading import viewer_of
from adapters.cli.tables import print_json
from adapters.engine import Engine
from adapters.finding import case_of
from adapters.put import put
from adapters.reading import Seen, look
from adapters.receipt.give import receipt_of
from adapters.receipt.prove import log_of, proof_file, sealed_leaf
from adapters.receipt.qr import kind_of, save_picture
from adapters.receipt.verify import Trusted, verify_receipt
from adapters.receipt.words import as_body, sentences
from domain.log.notes import MOST_BYTES
from domain.refusal import Refused, Unavailable

app = typer.Typer()
Out = Annotated[
    Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write it there instead of printing it.")
]
Qr = Annotated[
    Path | None,
    typer.Option("--qr", metavar="FILE", help="Save it as a QR code 二维码 too: FILE.png or FILE.svg."),
]
_READABLE: dict[str, Any] = {"exists": True, "dir_okay": False}


@app.command()
def show(case: Case, as_: Viewer = None, output: Out = None, qr: Qr = None, as_json: Json = False) -> None:
    """Make a matter's promise 回执承诺 again: byte for byte the one of its intake. Exit code 3: none that you may see."""
    with opened(as_json) as engine:
        seen = _seen(engine, case, as_)
        deliver(receipt_of(engine, seen.events[0]), output, qr, as_json, number=seen.matter.number)


@app.command()
def proof(case: Case, as_: Viewer = None, output: Out = None, qr: Qr = None, as_json: Json = False) -> None:
    """Write a matter's receipt 回执证明: its promise and where its first event stands under the newest cosigned head.

    Exit code 1: not_yet_cosigned, ask again later. 3: no case that you may see.
    """
    with opened(as_json) as engine:
        seen = _seen(engine, case, as_)
        promise = receipt_of(engine, seen.events[0])
        with log_of(engine.settings) as log:
            index, _ = sealed_leaf(log, seen.events[0])
            text = proof_file(log, index, promise)
        deliver(text, output, qr, as_json, number=seen.matter.number, index=index)


@app.command()
def verify(
    file: Annotated[
        Path, typer.Argument(help="A .tlog-proof or a promise, as handed out or scanned.", **_READABLE)
    ],
    policy: Annotated[
        Path | None,
        typer.Option(
            help="Whom you believe 信任规则: a C2SP tlog-policy file with the log and the boards.",
            **_READABLE,
        ),
    ] = None,
    receipt_key: Annotated[
        list[str] | None,
        typer.Option(
            "--receipt-key",
            metavar="VKEY",
            help="The receipts' verifier key; repeat it after a change of key.",
        ),
    ] = None,
    promise: Annotated[
        Path | None,
        typer.Option(help="The promise from intake, where the proof does not carry it.", **_READABLE),
    ] = None,
    leaf: Annotated[
        Path | None,
        typer.Option(help="The record itself, for who was given it: its bytes as sealed.", **_READABLE),
    ] = None,
    as_json: Json = False,
) -> None:
    """Say what a receipt proves 验证回执: without a server, without our data, by the keys that you bring.

    Exit code 0: everything in it holds. 1: something does not, named by its code.
    """
    try:
        trusted = Trusted(
            policy=None if policy is None else _text(policy),
            receipt_keys=tuple(receipt_key or ()),
            promise=None if promise is None else _text(promise),
            leaf=None if leaf is None else _bytes(leaf),
        )
        proven = verify_receipt(_text(file), trusted)
    except Refused as refused:
        stop(exits.REFUSED, refused.code, refused.advice, as_json)
    except Unavailable as error:
        stop(exits.UNAVAILABLE, "unavailable", str(error), as_json)
    if as_json:
        print_json(as_body(proven) | {"said": [{"zh": zh, "en": en} for zh, en in sentences(proven)]})
        return
    for zh, en in sentences(proven):
        typer.echo(f"{zh}\n{en}")


def deliver(text: str, output: Path | None, qr: Path | None, as_json: bool, **more: Any) -> None:
    """Print or write a text that somebody takes away, and draw it where that is wanted. Raises Refused, Unavailable."""
    if qr is not None:
        kind_of(qr)
    if output is not None:
        put(output, text.encode("utf-8"))
    if qr is not None:
        save_picture(text, qr)
    if as_json:
        print_json(more | {"receipt": text})
    elif output is None:
        typer.echo(text, nl=False)


def _seen(engine: Engine, case: str, as_: str | None) -> Seen:
    viewer = viewer_of(engine, as_)
    return look(engine, case_of(engine, case, viewer), viewer)


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)  # what is longer is refused by whoever reads it
    except OSError as error:
        raise Unavailable(f"{path.name} cannot be read: {error.strerror}.") from error


def _text(path: Path) -> str:
    try:
        return _bytes(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused("proof_invalid", f"Give {path.name} in UTF-8, as it was handed out.") from error
