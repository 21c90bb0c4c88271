"""The command `huiyin`: noun, verb, and where it helps `--json`.

A noun lives in a module of its own beside this one, as a `typer.Typer`, and is added below by
`app.add_typer(..., name=NOUN)`.
"""

import sys
from importlib.metadata import version as distribution_version

import structlog
import typer

from adapters import exit_guard
from adapters.cli import (
    acts,
    admin,
    bundle,
    deliveries,
    duplicates,
    history,
    importing,
    keys,
    log,
    log_boards,
    log_files,
    maps,
    operate,
    reading,
    receipt,
    release,
    roster,
    rulebook,
    running,
    witness,
)

app = typer.Typer(
    name="huiyin",
    help="Huiyin 回音: every matter gets an answer (事事有回音).",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # local variables may hold sealed values in the clear
)


nouns = acts.nouns()
nouns["matter"].command("show")(reading.show)
nouns["matter"].command("list")(reading.list_)
nouns["matter"].command("find")(reading.find)
nouns["matter"].command("duplicates")(duplicates.duplicates)
for noun, verbs in nouns.items():
    app.add_typer(verbs, name=noun)
app.add_typer(admin.app, name="admin")
app.add_typer(keys.app, name="key")
app.add_typer(deliveries.app, name="subscription")
app.add_typer(deliveries.delivery, name="delivery")
app.add_typer(keys.signin, name="signin")
app.add_typer(receipt.app, name="receipt")
app.add_typer(release.notice, name="notice")
log.app.command("export")(log_files.export)
log.app.command("proof")(log_files.proof)
log.app.command()(log_boards.rekey)
log.app.add_typer(log_boards.policy, name="policy")
log.app.add_typer(log_boards.cosignature, name="cosignature")
app.add_typer(log.app, name="log")
app.add_typer(roster.app, name="roster")
rulebook.app.command("release")(release.rulebook)
app.add_typer(rulebook.app, name="rulebook")
app.add_typer(maps.app, name="map")
app.add_typer(witness.app, name="witness")
app.command()(admin.init)
app.command()(bundle.bundle)
app.command(context_settings=bundle.VERIFY)(bundle.verify)
app.command("import")(importing.bring)
app.command()(reading.work)
app.command()(reading.clocks)
app.command()(history.history)
for verb, act in acts.verbs().items():
    app.command(verb)(act)
app.command()(operate.doctor)
app.command()(operate.rebuild)
app.command()(operate.backup)
app.command()(operate.restore)
app.command()(running.up)
app.command()(running.worker)
app.command()(running.follow)
app.command()(running.seal)
app.command()(running.api)
app.command()(running.demo)


@app.callback()
def root() -> None:
    """Huiyin 回音: every matter gets an answer (事事有回音)."""
    if not structlog.is_configured():
        # What a command prints is for its caller: the log goes to standard error, looked up anew each time.
        structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))


@app.command()
def version() -> None:
    """Print the version of this installation."""
    typer.echo(distribution_version("huiyin"))


def main() -> None:
    """Run the command line; the entry point of the distribution."""
    exit_guard.install()
    app()
