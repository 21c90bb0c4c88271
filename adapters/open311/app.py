"""The application below `/open311`: every operation of GeoReport v2, and service request updates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.engine import Engine
from adapters.http.who import Doors
from adapters.open311.desk import Desk
from adapters.open311.fields import Fields, form_of, query_of
from adapters.open311.formats import TYPES, written
from adapters.open311.listing import MOST_CODES, MOST_IDS, statuses_of, window_of
from adapters.open311.posting import post_request, post_update
from adapters.open311.problems import handlers
from adapters.open311.services import definition, item_of, service
from adapters.open311.words import CONTACT, KEY_SERVICE
from adapters.views.reader import Reader
from domain.refusal import NotFound, Refused

PREFIX = "/open311"
SPECIFICATION = "http://wiki.open311.org/GeoReport_v2"
DEMO = "demo/"
"""Rulebooks of this name are for trying things out."""

Reading = Callable[[Desk, Fields, dict[str, str]], Any]
Posting = Callable[[Desk, Request, bytes], Any]


class Operation(NamedTuple):
    """One operation: its path below PREFIX without the format, its root element, and what answers it."""

    name: str
    path: str
    root: str
    reading: Reading | None = None
    posting: Posting | None = None

    @property
    def method(self) -> str:
        """GET or POST."""
        return "GET" if self.posting is None else "POST"


def discovery(desk: Desk, fields: Fields, _: dict[str, str]) -> dict[str, Any]:
    """Where the endpoint is, what it can, and when what it offers last changed."""
    present, settings = desk.now(fields), desk.engine.settings
    releases = present.standing.releases
    begun = [one.in_force_from for one in releases.released] + [one.in_force_from for one in releases.maps]
    newest = max((one for one in begun if one <= present.moment), default=present.moment)
    changed = f"{newest:%Y-%m-%d %H:%M}"
    release = releases.in_force(present.moment)
    endpoint = {
        "specification": SPECIFICATION, "url": f"{settings.api_address}{PREFIX}/v2", "changeset": changed,
        "type": "test" if release is not None and release.name.startswith(DEMO) else "production",
        "formats": [one.partition(";")[0] for one in TYPES.values()],
    }  # fmt: skip
    contact = settings.open311_contact or CONTACT
    return {"changeset": changed, "contact": contact, "key_service": KEY_SERVICE, "endpoints": [endpoint]}


def services(desk: Desk, fields: Fields, _: dict[str, str]) -> list[dict[str, Any]]:
    """The catalogue in force, as far as it is for everybody."""
    return [service(item) for item in desk.now(fields).services]


def service_definition(desk: Desk, fields: Fields, where: dict[str, str]) -> dict[str, Any]:
    """What a service asks besides what and where."""
    return definition(item_of(desk.now(fields).book, where["service_code"]))


def requests(desk: Desk, fields: Fields, _: dict[str, str]) -> list[dict[str, Any]]:
    """Requests, the newest first: of a window of time, or those of some ids, which override all else."""
    present = desk.now(fields)
    numbers = fields.many("service_request_id")
    if len(numbers) > MOST_IDS:
        raise Refused("too_many_ids", f"Ask for {MOST_IDS} requests by their ids at most.")
    if numbers:
        return [present.teller.request(row) for row in desk.find(numbers, present)]
    codes = fields.many("service_code")
    if not present.codes.issuperset(codes) or len(codes) > MOST_CODES:
        raise Refused("unknown_service", f"Give service codes that GET services names, {MOST_CODES} at most.")
    window, statuses = window_of(fields, present.moment), statuses_of(fields)
    found = desk.requests.within(window, statuses, codes, present.withheld)
    return [present.teller.request(row) for row in found]


def request(desk: Desk, fields: Fields, where: dict[str, str]) -> list[dict[str, Any]]:
    """One request, in a list. One that may not be shown is answered as one that is not there."""
    present = desk.now(fields)
    found = desk.find([where["service_request_id"]], present)
    if not found:
        raise NotFound("There is no such service_request_id.")
    return [present.teller.request(row) for row in found]


def token(desk: Desk, fields: Fields, where: dict[str, str]) -> list[dict[str, Any]]:
    """The id behind a token. Every request has its id at once, so that no other tokens than the ids are given out."""
    present = desk.now(fields)
    found = desk.find([where["token"]], present)
    if not found:
        raise NotFound("There is no such token.")
    return [{"service_request_id": row["number"], "token": where["token"]} for row in found]


def updates(desk: Desk, fields: Fields, _: dict[str, str]) -> list[dict[str, Any]]:
    """What happened to requests, the earliest first: of a window of time, or of one request in it."""
    present = desk.now(fields)
    number = fields.one("service_request_id")
    window = window_of(fields, present.moment)
    found = desk.requests.steps(window, number.upper() if number else None, present.withheld)
    return [present.teller.update(row) for row in found]


OPERATIONS = (
    Operation("discovery", "/discovery", "discovery", discovery),
    Operation("discovery_v2", "/v2/discovery", "discovery", discovery),
    Operation("services", "/v2/services", "services", services),
    Operation("service_definition", "/v2/services/{service_code}", "service_definition", service_definition),
    Operation("requests", "/v2/requests", "service_requests", requests),
    Operation("post_request", "/v2/requests", "service_requests", posting=post_request),
    Operation("request", "/v2/requests/{service_request_id}", "service_requests", request),
    Operation("token", "/v2/tokens/{token}", "service_requests", token),
    Operation("updates", "/v2/servicerequestupdates", "service_request_updates", updates),
    Operation("post_update", "/v2/servicerequestupdates", "service_request_updates", posting=post_update),
)


class _Format(Convertor[str]):
    """The ending of a path."""

    regex = "|".join(TYPES)

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("open311", _Format())


def application(engine: Engine, doors: Doors, reader: Reader) -> Starlette:
    """The application over open parts, to be mounted at PREFIX."""
    desk = Desk(engine, doors, reader)
    paths = dict.fromkeys(one.path for one in OPERATIONS)
    return Starlette(
        routes=[_route(desk, path, [one for one in OPERATIONS if one.path == path]) for path in paths],
        exception_handlers=handlers(),
    )


def _route(desk: Desk, path: str, of: list[Operation]) -> Route:
    """One path, with what answers each of its methods."""
    by_method = {one.method: one for one in of}

    def read(operation: Operation, request: Request) -> Response:
        assert operation.reading is not None
        where = dict(request.path_params)
        form = where.pop("format")
        return written(form, operation.root, operation.reading(desk, query_of(request), where))

    def post(operation: Operation, request: Request, sent: bytes) -> Response:
        assert operation.posting is not None
        told = operation.posting(desk, request, sent)
        return written(request.path_params["format"], operation.root, told)

    async def answer(request: Request) -> Response:
        if request.method == "POST":
            return await run_in_threadpool(post, by_method["POST"], request, await form_of(request))
        return await run_in_threadpool(read, by_method["GET"], request)

    return Route(f"{path}.{{format:open311}}", answer, methods=list(by_method))
