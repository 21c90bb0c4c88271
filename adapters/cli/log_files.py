"""`huiyin log export|proof|recover`: the log's hashes for everybody, one event's proof for who may see its case, and a lost
log from a board's bundle."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from adapters.bundle.recovering import recover
from adapters.cli.bars import bar
from adapters.cli.door import opened
from adapters.cli.options import Case, Json, Viewer
from adapters.cli.reading import viewer_of
from adapters.cli.receipt import Out, Qr, deliver
from adapters.cli.tables import print_json
from adapters.engine import Engine
from adapters.finding import case_of
from adapters.log import open_log
from adapters.log.export import export as exported
from adapters.log.keys import LOG_KEY, public_key
from adapters.put import put
from adapters.reading import look
from adapters.receipt.prove import log_of, proof_file, sealed_leaf
from adapters.witness.keeping import policy_in_force
from domain.log.policy import Policy
from domain.refusal import NotFound

app = typer.Typer()


@app.command()
def export(
    folder: Annotated[
        Path, typer.Argument(help="Where a web server finds it: made if it is missing.", file_okay=False)
    ],
    again: Annotated[
        bool, typer.Option("--again", help="Write every tile anew, also those that are there.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Bring a folder up to the newest head: checkpoint and hash tiles (C2SP tlog-tiles), no entries. 公开日志文件

    What was served stays whole at every moment. Exit code 1: other_log, no_head. 4: the folder cannot be written.
    """
    with opened(as_json) as engine, log_of(engine.settings) as log:
        done = exported(log, folder, again=again)
    if as_json:
        print_json({"size": done.size, "tiles_written": done.tiles, "checkpoint": done.note})
    else:
        typer.echo(f"已公开 published: {done.size:,} leaves, {done.tiles:,} tiles written")


@app.command("recover")
def recover_(
    bundle: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, help="A bundle since genesis, as a board was given it."),
    ],
    as_json: Json = False,
) -> None:
    """Make a lost log again from the record and a board's bundle; nothing is signed. 以审计包恢复日志

    Set what is left of the log aside first, and stop the role seal. The record must make the very leaves that were signed;
    a bundle brings no record back. Exit code 1: log_present, bundle_not_whole, record_behind, record_differs, …
    """
    with opened(as_json) as engine, closing(open_log(engine.settings.log_url)) as log, bar("recover") as told:
        key = public_key(engine.settings.log_keys_folder / LOG_KEY)
        done = recover(engine.store, log, key, _policy(engine), bundle, told)
    if as_json:
        print_json(done._asdict())
    else:
        typer.echo(f"已恢复 recovered: {done.size:,} leaves and {done.heads} heads; now {done.rejoined}")


def _policy(engine: Engine) -> Policy | None:
    """The policy in force; None where the record cannot be read, of which the comparison tells."""
    try:
        return policy_in_force(engine.handle.standing.caught_up().cosigning, engine.store)
    except ValueError:
        return None


@app.command()
def proof(
    case: Case,
    version: Annotated[int, typer.Option(min=1, help="Which event of the case, from 1.")],
    as_: Viewer = None,
    output: Out = None,
    leaf: Annotated[
        Path | None,
        typer.Option("--leaf", metavar="FILE", help="Save the leaf itself too: its bytes as sealed."),
    ] = None,
    qr: Qr = None,
    as_json: Json = False,
) -> None:
    """Prove one event of a case under the newest cosigned head, as a .tlog-proof. 事件证明

    With its leaf it is checked by huiyin receipt verify, or by any reader of the format. Exit code 1: not_yet_cosigned.
    3: no such case or event that you may see.
    """
    with opened(as_json) as engine:
        viewer = viewer_of(engine, as_)
        seen = look(engine, case_of(engine, case, viewer), viewer)
        stored = next((one for one in seen.events if one.version == version), None)
        if stored is None:
            raise NotFound("Check the version: the case has no such event that you may see.")
        with log_of(engine.settings) as log:
            index, sealed = sealed_leaf(log, stored)
            text = proof_file(log, index)
        if leaf is not None:
            put(leaf, sealed)
        deliver(text, output, qr, as_json, number=seen.matter.number, version=version, index=index)
