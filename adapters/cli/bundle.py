"""`huiyin bundle` and `huiyin verify`: the audit bundle for a board, and the verifier that stands alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from adapters.bundle import verify as verifier
from adapters.bundle.taking import Order, take
from adapters.cli.bars import bar
from adapters.cli.door import identify
from adapters.cli.log import opened_log
from adapters.cli.options import Json
from adapters.cli.people import As, Authority, acting
from adapters.cli.tables import print_json

Stamps = Annotated[
    list[Path] | None,
    typer.Option(
        "--tsr", metavar="FILE.tsr", exists=True, dir_okay=False,
        help="时间戳 an RFC 3161 token over the bundle's head (log/checkpoint); any number.",
    ),
]  # fmt: skip
Proofs = Annotated[
    list[str] | None,
    typer.Option(
        "--proof",
        metavar="NUMBER",
        help="附收录证明 the proof of a case's newest leaf, to hand on; any number.",
    ),
]


verbs = typer.Typer()


@verbs.command()
def bundle(
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE.zip", dir_okay=False, help="写到 where to.")
    ],
    as_: As,
    month: Annotated[
        str | None,
        typer.Option(
            metavar="YYYY-MM", help="当月 one month, by the rulebook's time zone; all, if left out."
        ),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(metavar="BOARD", help="给谁 the board, where an audit administrator takes it for them."),
    ] = None,
    authority: Authority = None,
    whole: Annotated[
        bool,
        typer.Option("--whole", help="不限监督范围 cases outside the board's remit too, on an authority."),
    ] = False,
    tsr: Stamps = None,
    proof: Proofs = None,
    as_json: Json = False,
) -> None:
    """Make the audit bundle for a supervisory board: one file that it checks offline. 审计包

    A member of the board takes it for the board; an audit administrator on the board's resolution. That it was taken is
    on record. Cases outside the board's remit, and accusations, come as hashes. Exit code 1: refused, with why; other_head
    for a time stamp of another head. 3: a case to be proven that the board may not see.
    """
    stamps = tuple(path.read_bytes() for path in tsr or ())
    with opened_log(as_json) as (engine, log):
        order = Order(acting(as_, identify(engine)), to, month, authority, whole, stamps, tuple(proof or ()))
        with bar("bundle") as progress:
            taken = take(engine, log, order, output, progress)
    if as_json:
        print_json({"board": taken.board, "start": taken.start, "end": taken.end, "withheld": taken.withheld,
                    "bytes": output.stat().st_size})  # fmt: skip
    else:
        size = output.stat().st_size / 1e6
        typer.echo(
            f"审计包 bundle for {taken.board}: leaves {taken.start:,} to {taken.end:,}, "
            f"只见哈希 hashes only {taken.withheld:,}, {size:,.1f} MB"
        )


VERIFY = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
"""Every argument is the verifier's own, `--help` too."""


@verbs.command(context_settings=VERIFY)
def verify(context: typer.Context) -> None:
    """Check an audit bundle, by the verifier in a process of its own; --help shows its options. 核验审计包

    Exit code 0: PASS. 1: FAIL. 2: it cannot be read.
    """
    command = [sys.executable, "-I", verifier.__file__, *context.args]
    raise typer.Exit(subprocess.run(command, check=False).returncode)
