"""`huiyin subscription` and `huiyin delivery`: which systems are told of what, and what could not be delivered.

Exit codes: 0 done · 1 refused · 2 usage · 3 no such subscription, delivery or system · 4 a database is out of reach.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated

import typer

from adapters.access.recording import Giver
from adapters.cli.door import identify, opened
from adapters.cli.keys import entered, said
from adapters.cli.options import Json
from adapters.cli.people import As, Authority, acting
from adapters.cli.tables import print_json, print_table, zone_of
from adapters.deliveries.desk import Desk, deliveries
from adapters.deliveries.keeping import check_may_keep
from adapters.deliveries.outbox import Count
from adapters.deliveries.subscriptions import CHANNELS, WEBHOOK, Subscription, Wanted
from adapters.deliveries.telling import parked_row, subscription_row
from adapters.engine import Engine

app = typer.Typer()
delivery = typer.Typer()
_Id = Annotated[str, typer.Argument(metavar="ID", help="编号 as huiyin subscription list prints it.")]


@app.command()
def create(
    person: Annotated[
        str,
        typer.Argument(
            help="系统 the system, by its reference or id: entered in the register like a person."
        ),
    ],
    body: Annotated[str, typer.Option(help="单位 the body whose matters it hears of.")],
    post: Annotated[
        str, typer.Option(help="岗位 the post that it holds there: what that may see, it is told.")
    ],
    url: Annotated[str, typer.Option(help="地址 where it is called, http:// or https://.")],
    types: Annotated[
        list[str],
        typer.Option("--type", help="事件 a type, a pattern such as 'leg_*' or a group; may be repeated."),
    ],
    as_: As,
    authority: Authority = None,
    source: Annotated[
        str | None, typer.Option(help="来源 also the matters that came in by it, such as hotline_12345.")
    ] = None,
    ground: Annotated[
        str | None,
        typer.Option(help="个人信息依据 on what ground personal data may leave; without it none ever do."),
    ] = None,
    channel: Annotated[str, typer.Option(help=f"渠道 one of {', '.join(CHANNELS)}.")] = WEBHOOK,
    as_json: Json = False,
) -> None:
    """Subscribe a system to events of its own matters, from now on, and show the secret, this once."""
    if channel not in CHANNELS:
        raise typer.BadParameter(f"one of {', '.join(CHANNELS)}", param_hint="--channel")
    with _desk(as_json) as (engine, desk):
        wanted = Wanted(entered(engine, person), body, post, url, types, source, ground, channel)
        made, secret = desk.subscriptions.make(_giver(engine, as_, authority), wanted, engine.store.head())
        _show(made, secret, as_json)


@app.command()
def rotate(
    subscription: _Id,
    as_: As,
    authority: Authority = None,
    hours: Annotated[
        int, typer.Option(min=0, max=720, help="For how long messages are signed by the old secret as well.")
    ] = 24,
    as_json: Json = False,
) -> None:
    """Make a new secret and show it, this once; the old one signs beside it for a while."""
    with _desk(as_json) as (engine, desk):
        by = _giver(engine, as_, authority)
        secret = desk.subscriptions.change_secret(by, subscription, timedelta(hours=hours))
        _show(desk.subscriptions.get(subscription), secret, as_json)


@app.command()
def pause(subscription: _Id, as_: As, authority: Authority = None, as_json: Json = False) -> None:
    """Send nothing until it is resumed; what happens meanwhile is kept for then."""
    with _desk(as_json) as (engine, desk):
        desk.subscriptions.hold(_giver(engine, as_, authority), subscription)
        said("paused 已暂停", {"id": subscription}, as_json)


@app.command()
def resume(subscription: _Id, as_: As, authority: Authority = None, as_json: Json = False) -> None:
    """Send what waits, from now on; a receiver that was away is tried at once."""
    with _desk(as_json) as (engine, desk):
        desk.subscriptions.go_on(_giver(engine, as_, authority), subscription)
        said("resumed 已恢复", {"id": subscription}, as_json)


@app.command()
def end(subscription: _Id, as_: As, authority: Authority = None, as_json: Json = False) -> None:
    """End it for good; what waits stays unsent."""
    with _desk(as_json) as (engine, desk):
        desk.subscriptions.close(_giver(engine, as_, authority), subscription)
        said("ended 已终止", {"id": subscription}, as_json)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List all subscriptions there ever were, and how their deliveries stand; never their secrets."""
    with _desk(as_json) as (engine, desk):
        counts = desk.outbox.counts()
        rows = [subscription_row(one, counts.get(one.id, Count())) for one in desk.subscriptions.known()]
        if as_json:
            print_json({"subscriptions": rows})
            return
        columns = (
            "id", "state", "why", "channel", "body", "post", "url", "types", "source", "ground", "waiting", "parked",
            "failures", "failing_since",
        )  # fmt: skip
        print_table(f"{len(rows)} 订阅 subscriptions", rows, columns, zone_of(engine))


@delivery.command("list")
def list_parked(
    subscription: Annotated[str | None, typer.Option(help="Of this subscription alone.")] = None,
    as_json: Json = False,
) -> None:
    """List what is parked: it failed for too long, and holds back what comes after it in its matter."""
    with _desk(as_json) as (engine, desk):
        rows = [parked_row(one) for one in desk.outbox.parked(subscription)]
        if as_json:
            print_json({"parked": rows})
            return
        columns = (
            "id",
            "subscription",
            "type",
            "what",
            "position",
            "code",
            "attempts",
            "failing_since",
            "held_back",
        )
        print_table(f"{len(rows)} 搁置 parked", rows, columns, zone_of(engine))


@delivery.command()
def resend(
    as_: As,
    which: Annotated[
        str | None, typer.Argument(metavar="ID", help="编号 as huiyin delivery list prints it.")
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="全部 everything that is parked.")] = False,
    subscription: Annotated[str | None, typer.Option(help="With --all: of this subscription alone.")] = None,
    authority: Authority = None,
    as_json: Json = False,
) -> None:
    """Send again what is parked; it goes out within seconds, and what it held back after it."""
    if (which is None) != all_:
        raise typer.BadParameter("name a delivery, or say --all")
    with _kept(as_, authority, as_json) as desk:
        count = 1
        if which is None:
            count = desk.outbox.resend_all(subscription)
        else:
            desk.outbox.resend(which)
        said("sent again 重新投递", {"count": count}, as_json)


@contextmanager
def _desk(as_json: bool) -> Iterator[tuple[Engine, Desk]]:
    with opened(as_json) as engine, deliveries(engine) as desk:
        yield engine, desk


@contextmanager
def _kept(as_: str, authority: str | None, as_json: bool) -> Iterator[Desk]:
    """The outbox, for who may change it."""
    with _desk(as_json) as (engine, desk):
        check_may_keep(engine, acting(as_, identify(engine)), authority)
        yield desk


def _giver(engine: Engine, as_: str, authority: str | None) -> Giver:
    """Who opens, changes or closes a channel: it goes on record."""
    return Giver(acting(as_, identify(engine)), authority)


def _show(made: Subscription, secret: str, as_json: bool) -> None:
    shown = subscription_row(made, Count())
    said("subscription 订阅", {**shown, "types": ", ".join(made.types), "secret": secret}, as_json)
    if not as_json:
        typer.echo("Keep the secret now: it is not shown again. 请立即妥善保存密钥，此后不再显示。", err=True)
