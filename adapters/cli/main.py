"""The command `huiyin`: noun, verb, and where it helps `--json`.

A noun lives in a module of its own beside this one, as a `typer.Typer`, and stands in the table of `nouns`.
"""

import sys

import typer

from adapters import exit_guard
from adapters.cli.nouns import Nouns

app = typer.Typer(
    name="huiyin",
    cls=Nouns,
    help="Huiyin 回音: every matter gets an answer (事事有回音).",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # local variables may hold sealed values in the clear
)


@app.callback()
def root() -> None:
    """Huiyin 回音: every matter gets an answer (事事有回音)."""
    import structlog  # here, since who asks for help needs no log

    if not structlog.is_configured():
        # What a command prints is for its caller: the log goes to standard error, looked up anew each time.
        structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))


@app.command()
def version() -> None:
    """Print the version of this installation."""
    from importlib.metadata import version as distribution_version

    typer.echo(distribution_version("huiyin"))


def main() -> None:
    """Run the command line; the entry point of the distribution."""
    exit_guard.install()
    app()
