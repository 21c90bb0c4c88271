"""Wires settings to adapters, and adapters to the roles: `python -m worker ROLE`. Nothing else.

Each role runs until SIGTERM or SIGINT, then lets go of what it holds and ends with 0; 1 when it could not start.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, closing, suppress
from typing import Any

import structlog
import uvloop

from adapters import exit_guard, logs
from adapters.attachments.store import attachments_of
from adapters.attachments.sweeping import sweep_attachments
from adapters.blinder import Blinder
from adapters.bundle.publishing import publish_rules
from adapters.deliveries.desk import deliveries
from adapters.deliveries.observed import of_outbox
from adapters.deliveries.role import delivering, outbox_consumer
from adapters.deliveries.waker import Waker
from adapters.duplicates.filling import Filler
from adapters.engine import Engine, code_release, now, open_engine
from adapters.follower import Consumer, Follower
from adapters.http.app import opened
from adapters.http.front import Front
from adapters.http.serve import listener, serve
from adapters.imports.role import imports_of, turns_of
from adapters.keeper import Keeper
from adapters.log import open_log
from adapters.log.counting import keep_counting
from adapters.log.role import mark_of, opening_of, sealer_of
from adapters.log.sealer import BATCH
from adapters.resetter import Resetter
from adapters.settings import Settings
from adapters.settled import settle
from adapters.store.positions import StoredPositions
from adapters.telemetry.figures import figures, of_followers, of_log, of_pools, of_views
from adapters.telemetry.serving import shown
from adapters.telemetry.traces import tracing
from adapters.temporal.client import connect, passing_runner, prepare_namespace
from adapters.temporal.import_worker import bring_up_imports, bringing_in
from adapters.temporal.open_cases import open_cases
from adapters.temporal.process_worker import working
from adapters.temporal.reconciler import reconcile
from adapters.temporal.starter import ProcessStarter
from adapters.views.views import Views
from adapters.witness.ahead import boards_ahead
from adapters.witness.cosigner import Cosigner
from domain.refusal import Refused, Unavailable

log = structlog.get_logger("worker")

SEAL_BUSY_EVENTS, SEAL_BUSY_SECONDS = 20, 0.1
"""Events that come faster than they are sealed one by one gather for a moment: the next head is one for many."""
PAUSE_SECONDS = 1.0
"""Between two tries to reach the store or Temporal when a role starts before them."""


async def pause(stop: asyncio.Event) -> None:
    """Wait a little before the next try, or until told to stop."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), PAUSE_SECONDS)


async def work(engine: Engine, stop: asyncio.Event) -> None:
    """The role `worker`: runs the processes of matters and summonses, and sends what waits in the outbox."""
    while not stop.is_set():
        try:
            client = await connect(runner=passing_runner())
            await prepare_namespace(client)
        except Unavailable as error:
            log.warning("waiting_for_temporal", why=str(error))
            await pause(stop)
            continue
        queue = engine.settings.task_queue
        async with AsyncExitStack() as held:
            turns = held.enter_context(turns_of(engine))
            await held.enter_async_context(working(client, engine.handle, queue))
            await held.enter_async_context(delivering(engine, client))
            await held.enter_async_context(bringing_in(client, turns, queue))
            log.info("working", task_queue=queue, namespace=client.namespace)
            await stop.wait()


async def following(follower: Follower, stop: asyncio.Event, *beside: Coroutine[Any, Any, None]) -> None:
    """Follow, with these rounds beside it, until told to stop or one of them has ended."""
    rounds = [asyncio.create_task(each) for each in beside]
    running, stopping = asyncio.create_task(follower.run()), asyncio.create_task(stop.wait())
    await asyncio.wait({*rounds, running, stopping}, return_when=asyncio.FIRST_COMPLETED)
    follower.stop()
    for each in rounds:
        each.cancel()
    await running
    for each in rounds:
        with suppress(asyncio.CancelledError):
            await each
    stopping.cancel()


async def follow(engine: Engine, stop: asyncio.Event) -> None:
    """The role `follow`: tells processes, read models and keepers of every event, in order."""
    with (
        closing(StoredPositions(engine.settings.views_url)) as positions, deliveries(engine) as desk,
        imports_of(engine) as imports, attachments_of(engine) as attachments,
    ):  # fmt: skip
        client = await connect(lazy=True)
        starter = ProcessStarter(
            client, engine.handle, positions, lambda: open_cases(engine.store), engine.settings.task_queue
        )
        views = Views(engine.settings.views_url, engine.store, positions)
        resetter = Resetter(engine.handle, positions, lambda: open_cases(engine.store))
        waker = Waker(client, desk.outbox, engine.settings.task_queue)
        outbox = outbox_consumer(engine, desk, waker.news)
        consumers: list[Consumer] = [
            starter, views, Keeper(engine.store, engine.keys, positions), resetter, outbox,
            Filler(engine, positions), Blinder(engine.store, positions),
        ]  # fmt: skip
        log.info("following", namespace=client.namespace)
        follower = Follower(engine.store, consumers, positions)
        with figures(
            of_followers(follower.positions, engine.store, now), of_views(views.reader, now), of_pools,
            of_outbox(desk.outbox),
        ):  # fmt: skip
            await following(
                follower, stop, reconcile(starter, positions), waker.run(positions),
                bring_up_imports(client, imports, positions, engine.settings.task_queue),
                sweep_attachments(attachments, positions),
            )  # fmt: skip


async def seal(engine: Engine, stop: asyncio.Event) -> None:
    """The role `seal`: seals every event into the log, signs its heads, has the boards cosign them, counts every month."""
    settings, store = engine.settings, engine.store
    evidence = await asyncio.to_thread(open_log, settings.log_url)
    try:
        await asyncio.to_thread(publish_rules, engine.handle)
        ahead = boards_ahead(evidence, engine.handle, mark_of(settings))
        sealer = sealer_of(settings, store, evidence, opening_of(settings, code_release()), now, ahead)
        log.info("sealing", origin=settings.origin)
        # An event is sealed at once; a round costs much and an event more in it little.
        follower = Follower(
            store,
            [sealer],
            evidence,
            batch=BATCH,
            gather=0.0,
            busy=SEAL_BUSY_SECONDS,
            busy_from=SEAL_BUSY_EVENTS,
        )
        with figures(of_followers(follower.positions, store, now), of_log(evidence, now), of_pools):
            cosigner = Cosigner(evidence, engine.handle)
            await following(follower, stop, cosigner.run(stop), keep_counting(engine.handle, stop))
    finally:
        evidence.close()


async def api(settings: Settings, stop: asyncio.Event) -> None:
    """The role `api`: answers over HTTP. It needs neither Temporal nor a follower to take requests.

    It listens before the store is open, so that who asks meanwhile is told to come again.
    """
    front = Front()
    with listener(settings, shared=settings.api_shares_port) as at:
        serving = asyncio.create_task(
            serve(front, at, stop, lambda url: log.info("listening", url=url), settings.api_proxies)
        )
        serving.add_done_callback(lambda _: stop.set())

        async def answer(engine: Engine, stop: asyncio.Event) -> None:
            with opened(engine) as app, figures(of_pools):
                settle()
                front.app = app
                await stop.wait()
                await serving  # the requests under way still need the store

        try:
            await over_the_store(answer, settings, stop)
        finally:
            stop.set()
            await serving


Role = Callable[[Engine, asyncio.Event], Awaitable[None]]
ROLES: dict[str, Role] = {"worker": work, "follow": follow, "seal": seal}


async def over_the_store(role: Role, settings: Settings, stop: asyncio.Event) -> None:
    """Run it over the open stores until told to stop; while they are out of reach, try again."""
    while not stop.is_set():
        try:
            engine = await asyncio.to_thread(open_engine, settings)
            settle()
            try:
                await role(engine, stop)
            finally:
                engine.close()
        except Unavailable as error:
            log.warning("waiting_for_the_store", why=str(error))
            await pause(stop)


async def run(role: str, settings: Settings) -> None:
    """Run one role until told to stop. Raises Refused when it cannot start."""
    log.debug("starting", role=role, code=code_release())
    stop = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    with tracing(settings, role), shown(settings) as port:
        if port is not None:
            log.info("figures_shown", host=settings.metrics_host, port=port)
        if role == "api":
            await api(settings, stop)
        else:
            await over_the_store(ROLES[role], settings, stop)
    log.info("stopped", role=role)


def main(arguments: Sequence[str] | None = None) -> int:
    """The entry point; returns the exit code."""
    exit_guard.install()
    parser = argparse.ArgumentParser(
        prog="python -m worker", description="Run one role until SIGTERM or SIGINT."
    )
    parser.add_argument("role", choices=sorted({"api", *ROLES}))
    role = parser.parse_args(arguments).role
    settings = Settings()
    logs.to_json(getattr(logging, settings.log_level.upper()))
    logs.forward_temporal()
    try:
        uvloop.run(run(role, settings))
    except Refused as error:
        log.error("not_started", role=role, why=str(error))
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
