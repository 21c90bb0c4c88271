"""`huiyin up|worker|follow|seal|api`: everything on one machine, or one role."""

from __future__ import annotations

import os
import signal
import sys
import threading

import typer
from rich.console import Console

from adapters.cli import exits
from adapters.cli.door import stop
from adapters.engine import open_engine
from adapters.settings import Settings
from adapters.up import ROLES
from adapters.up import up as tree_up
from domain.refusal import Refused

verbs = typer.Typer()


@verbs.command()
def up() -> None:
    """Run everything embedded, until it is told to stop: Temporal's dev server, worker, followers and the API.

    Exit code 1: the API's port is taken; free it, or name another one (HUIYIN_API_PORT).
    """
    from adapters.http.serve import listener  # here, since who becomes another role needs no server

    settings = Settings()
    open_engine(settings).close()
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    console = Console(stderr=True)
    try:
        listener(settings).close()
    except Refused as refused:
        stop(exits.REFUSED, refused.code, refused.advice)
    with tree_up(settings, ROLES) as tree:
        console.print(f"回音 is up. API: {tree.api}, its page: {tree.api}/docs")
        console.print(f"Data: {settings.data}. Temporal: {tree.address}. Its UI: {tree.ui}")
        stopped.wait()
    console.print("stopped")


@verbs.command()
def worker() -> None:
    """Run the role worker: the processes of matters and summonses. Any number may run, on any number of machines."""
    _become("worker")


@verbs.command()
def follow() -> None:
    """Run the role follow: read models, processes and keepers hear of every event. Each has one leader."""
    _become("follow")


@verbs.command()
def seal() -> None:
    """Run the role seal: every event goes into the evidence log, whose heads it signs. One of any number leads."""
    _become("seal")


@verbs.command()
def api() -> None:
    """Run the role api: answers systems and browsers over HTTP (HUIYIN_API_HOST, HUIYIN_API_PORT). Any number may run."""
    _become("api")


def _become(role: str) -> None:
    """Roles are wired in worker.py, which nothing stands above: this process becomes it."""
    os.execv(sys.executable, (sys.executable, "-m", "worker", role))
