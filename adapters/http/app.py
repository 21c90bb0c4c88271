"""The application: acts, readings, sign-in and health under one ASGI app."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import NamedTuple

from fastapi import APIRouter, FastAPI
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp

from adapters.access import People, SystemKeys, open_access
from adapters.attachments.store import Attachments, attachments_of
from adapters.deliveries.desk import Desk, deliveries
from adapters.engine import Engine
from adapters.http import attaching, bulk, docs, events, health, listing, reading, signin
from adapters.http.acts import endpoint
from adapters.http.answers import Accepted
from adapters.http.bodies import Given, body_of
from adapters.http.document import document, extra_of
from adapters.http.documented import OF_ACTS, OF_REGISTERING
from adapters.http.edge import edged
from adapters.http.examples import add_examples
from adapters.http.limits import LARGER, MOST_BYTES
from adapters.http.oidc import Provider
from adapters.http.operations import PREFIX, Operation, operations
from adapters.http.problems import handlers
from adapters.http.session import Sessions
from adapters.http.table import Endpoint, Table
from adapters.http.who import Doors
from adapters.imports.role import imports_of
from adapters.imports.store import Imports
from adapters.open311 import app as open311
from adapters.open311 import described
from adapters.open311.spoken import Spoken
from adapters.telemetry.metrics import REGISTRY
from adapters.views import Views
from domain.matter.commands import RegisterMatter


@contextmanager
def opened(engine: Engine) -> Iterator[ASGIApp]:
    """The application over an open engine, with what it needs beside it. Raises Unavailable."""
    settings = engine.settings
    access = open_access(settings.access_url)
    try:
        views = Views(settings.views_url, engine.store)
        clock = engine.handle.clock
        provider = Provider(settings, clock) if settings.oidc_issuer else None
        doors = Doors(
            SystemKeys(access, engine.handle), People(access, engine.keys.pepper, engine.handle), provider,
            Sessions(engine.keys.pepper, clock),
        )  # fmt: skip
        asked = health.Health(engine, views.reader)
        try:
            with (
                imports_of(engine) as imports,
                deliveries(engine) as desk,
                attachments_of(engine) as attachments,
            ):
                yield application(engine, doors, views, asked, Stores(imports, desk, attachments))
        finally:
            asked.close()
            views.close()
    finally:
        access.close()


class Stores(NamedTuple):
    """What the API keeps beside the record."""

    imports: Imports
    desk: Desk
    attachments: Attachments


def application(engine: Engine, doors: Doors, views: Views, asked: health.Health, stores: Stores) -> ASGIApp:
    """The application over parts that are open already."""
    app = FastAPI(
        title="Huiyin 回音",
        version=version("huiyin"),
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    handlers(app)
    api = APIRouter(prefix=PREFIX)
    known = list[tuple[str, Endpoint]]()
    acts = [(operation, body_of(operation)) for operation in operations()]
    api.include_router(listing.router(engine, doors, views.reader))
    api.include_router(reading.router(engine, doors))
    api.include_router(bulk.router(engine, doors, stores.imports))
    api.include_router(attaching.router(engine, doors, stores.attachments))
    api.include_router(events.router(engine, doors, stores.desk))
    LARGER[f"{PREFIX}{bulk.PATH}"] = engine.settings.import_most_bytes + 2 * MOST_BYTES
    LARGER[f"{PREFIX}/matters/*/attachments"] = engine.settings.attachment_most_bytes + 2 * MOST_BYTES
    for operation, body in acts:
        known.append((f"{PREFIX}{operation.path}", endpoint(engine, doors, operation, body)))
        _add(api, operation, body, known[-1][1])
    app.include_router(api)
    app.include_router(signin.router(engine.settings, doors))
    app.include_router(health.router(asked))
    app.mount(open311.PREFIX, open311.application(engine, doors, views.reader))
    said = document(app, [body for _, body in acts])
    described.describe(said)
    add_examples(said)
    shown = docs.page(said)

    @app.get(f"{PREFIX}/openapi.json", include_in_schema=False)
    async def openapi() -> JSONResponse:
        return JSONResponse(said)

    if engine.settings.api_metrics:
        app.add_api_route("/metrics", figures, include_in_schema=False)

    @app.get("/docs", include_in_schema=False)
    async def page() -> HTMLResponse:
        return HTMLResponse(shown, headers=docs.HEADERS)

    return Spoken(edged(Table(known, app), engine.settings), open311.PREFIX)


def _add(api: APIRouter, operation: Operation, body: type[Given], answered_by: Endpoint) -> None:
    """The route of an act, with all that the document says of it."""
    opens = operation.command is RegisterMatter
    api.add_api_route(
        operation.path, answered_by, methods=["POST"], name=operation.name, operation_id=operation.name,
        tags=[operation.tag], summary=operation.name.replace("_", " ").capitalize(),
        description=(operation.command.__doc__ or "").strip(), status_code=201 if opens else 200,
        response_model=Accepted, responses=OF_REGISTERING if opens else OF_ACTS, openapi_extra=extra_of(operation, body),
    )  # fmt: skip


def figures() -> Response:
    """The figures of this process, where the operator wants them on the public port."""
    return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)
