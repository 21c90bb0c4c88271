"""What `huiyin` offers: each noun and verb with its line in the help, and the rooms that hold it.

A room is imported when its noun or verb is asked for, and not before: whoever lists matters waits for no library of maps,
tables or servers.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group


class Noun(NamedTuple):
    """A noun and the `MODULE:APP`s beside this file whose verbs it has."""

    words: str
    places: tuple[str, ...]


class Verb(NamedTuple):
    """A verb without a noun: the first lines of its help, and the one `MODULE:APP` that has it among others."""

    words: str
    place: str


OFFERED: dict[str, Noun | Verb] = {
    "init": Verb(
        "Make the data folder, the master keys and the log's keys; print the first administrator's one-time secret.",
        "admin:verbs",
    ),
    "bundle": Verb(
        "Make the audit bundle for a supervisory board: one file that it checks offline. 审计包",
        "bundle:verbs",
    ),
    "verify": Verb(
        "Check an audit bundle, by the verifier in a process of its own; --help shows its options. 核验审计包",
        "bundle:verbs",
    ),
    "import": Verb(
        "Bring another system's history in: one matter per row, with its true times and its state as given.",
        "importing:verbs",
    ),
    "work": Verb(
        "List what a body, or a person in all of their posts, is to do next, the soonest due first.",
        "reading:verbs",
    ),
    "clocks": Verb(
        "List the clocks that run, the soonest due first; those past due are late. Exit code 0, also for none.",
        "reading:verbs",
    ),
    "history": Verb(
        "Print every event of a case: both times, who, as what, on what ground, by which rule; refusals and reads too.",
        "history:verbs",
    ),
    "disclose": Verb(
        "调卷: open a sampled case for a supervisory board, or an accusation for discipline inspection;"
        " which values are handed over is recorded first.",
        "acts:verb",
    ),
    "erase": Verb(
        "删除·封存: erase the data of one requester, or of the whole case; while a term of keeping runs they are locked"
        " instead.",
        "acts:verb",
    ),
    "unlock": Verb(
        "解除封存: what was locked is handled again and not erased at the end of its term; of one requester,"
        " or of the whole case without those who are locked by themselves.",
        "acts:verb",
    ),
    "doctor": Verb(
        "Say what is reachable, how far each consumer is behind, and which open cases have no process.",
        "operate:verbs",
    ),
    "rebuild": Verb(
        "Build the read models anew from the events, beside the present ones, and swap them.",
        "operate:verbs",
    ),
    "backup": Verb(
        "Copy the record and, apart from it, its keys, while everything goes on; the folder is new or empty.",
        "operate:verbs",
    ),
    "restore": Verb(
        "Put a backup in place; stop every role first. The store begins a new life, which every consumer notices.",
        "operate:verbs",
    ),
    "up": Verb(
        "Run everything embedded, until it is told to stop: Temporal's dev server, worker, followers and the API.",
        "running:verbs",
    ),
    "worker": Verb(
        "Run the role worker: the processes of matters and summonses. Any number may run, on any number of machines.",
        "running:verbs",
    ),
    "follow": Verb(
        "Run the role follow: read models, processes and keepers hear of every event. Each has one leader.",
        "running:verbs",
    ),
    "seal": Verb(
        "Run the role seal: every event goes into the evidence log, whose heads it signs. One of any number leads.",
        "running:verbs",
    ),
    "api": Verb(
        "Run the role api: answers systems and browsers over HTTP (HUIYIN_API_HOST, HUIYIN_API_PORT). Any number may run.",
        "running:verbs",
    ),
    "demo": Verb(
        "Play a seeded morning in a sub-district under the demo rulebook, and say what became of it.",
        "demo:verbs",
    ),
    "matter": Noun(
        "Matters 事项: from registration to archive.", ("acts:noun", "reading:app", "duplicates:app")
    ),
    "call": Noun("Calls 社区呼叫: a community asks its sub-district.", ("acts:noun",)),
    "whistle": Noun("Whistles 街道吹哨: a sub-district summons departments.", ("acts:noun",)),
    "call-out": Noun("Call-outs 调用: a direct order to an organ in the power register.", ("acts:noun",)),
    "dispatch": Noun("Dispatches 派单.", ("acts:noun",)),
    "register": Noun(
        "The register 名册, one entry at a time: bodies, posts, duty, powers, admissions.", ("acts:noun",)
    ),
    "leg": Noun("Legs: one summoned body's part of an order, from acknowledging to release.", ("acts:noun",)),
    "admin": Noun("The first administrator.", ("admin:app",)),
    "key": Noun("Keys of systems 系统密钥: hotlines, grid apps and others that call the API.", ("keys:app",)),
    "subscription": Noun("Subscriptions 订阅: which systems are told of which events.", ("deliveries:app",)),
    "delivery": Noun(
        "Deliveries 投递: what could not be delivered, and sending it again.", ("deliveries:delivery",)
    ),
    "signin": Noun("Sign-in 登录: which person an identity provider's subject is.", ("keys:signin",)),
    "receipt": Noun(
        "Receipts 回执: a promise at intake, a proof once the boards have cosigned.", ("receipt:app",)
    ),
    "notice": Noun("Holiday notices 放假通知.", ("release:notice",)),
    "log": Noun(
        "The evidence log 存证日志: its heads, keys and state.",
        ("log:app", "log_files:app", "log_boards:app"),
    ),
    "roster": Noun("Bodies, posts and lists 名册.", ("roster:app",)),
    "rulebook": Noun("Rulebooks: check them, compute with them.", ("rulebook:app", "release:app")),
    "map": Noun("Maps 网格图: which ground is whose.", ("maps:app",)),
    "witness": Noun("A board's own witness 见证方: cosigns the heads of a log.", ("witness:app",)),
}


class Unasked(TyperCommand):
    """A noun or verb of which no more than the line is known, until it is called or asked for its help."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """The context of the noun or verb itself, out of its rooms."""
        return asked(str(self.name)).make_context(info_name, args, parent, **extra)


class Nouns(TyperGroup):
    """The root of the command line: all nouns and verbs, in the order of the help."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        unasked = {name: Unasked(name=name, help=one.words) for name, one in OFFERED.items()}
        self.commands = {**unasked, **self.commands}


def asked(name: str) -> Any:
    """The command of a noun or verb, its rooms imported. Raises KeyError for one that is not offered."""
    offered = OFFERED[name]
    root = typer.Typer()
    if isinstance(offered, Verb):
        root.add_typer(_app(offered.place, name))
    else:
        noun = typer.Typer()
        for place in offered.places:
            noun.add_typer(_app(place, name))
        root.add_typer(noun, name=name, help=offered.words, no_args_is_help=True)
    return get_group(root).commands[name]


def _app(place: str, name: str) -> typer.Typer:
    """The app that stands at a place; the room of all acts makes it for the name."""
    module, _, attribute = place.partition(":")
    with _nothing_collected():
        found = getattr(import_module(f"adapters.cli.{module}"), attribute)
    return found if isinstance(found, typer.Typer) else found(name)


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """No search for garbage meanwhile: nothing that is being imported is any, and looking takes a fifth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
