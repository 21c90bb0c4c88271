"""The acts' table: where a path leads is found by its parts, one look a part, however many acts there are.

FastAPI tries its routes one after the other, which of a hundred acts costs more than deciding one. It still documents
them, and answers whatever is not in the table, a wrong method included.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from types import SimpleNamespace
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from adapters.http.head import headed

Endpoint = Callable[[Request], Awaitable[Response]]
ANY, HERE = "{}", ""
"""Keys of a branch: any part at all, and what is at its end. No part of a path is either of them."""


class Table:
    """Answers the acts itself and hands everything else on."""

    def __init__(self, acts: Iterable[tuple[str, Endpoint]], beside: FastAPI) -> None:
        """`acts` are paths as templates, with what answers a POST to them; `beside` answers errors too."""
        self._beside, self._headed, self._root = beside, headed(beside), dict[str, Any]()
        for path, endpoint in acts:
            branch, names = self._root, list[str]()
            for part in path.split("/")[1:]:
                if part.startswith("{"):
                    names.append(part[1:-1])
                branch = branch.setdefault(ANY if part.startswith("{") else part, {})
            branch[HERE] = (endpoint, tuple(names), SimpleNamespace(path=path))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        method = scope.get("method")
        found = self._found(scope["path"]) if method == "POST" else None
        if found is None:
            await (self._headed if method == "HEAD" else self._beside)(scope, receive, send)
            return
        (endpoint, names, route), values = found
        scope["path_params"], scope["route"] = dict(zip(names, values, strict=True)), route
        request = Request(scope, receive)
        try:
            response = await endpoint(request)
        except Exception as error:
            told = next(kind for kind in type(error).__mro__ if kind in self._beside.exception_handlers)
            response = await self._beside.exception_handlers[told](request, error)  # type: ignore[misc]
            await response(scope, receive, send)
            if told is Exception:
                raise  # nobody expected it: it was answered, and is named at the last door
            return
        await response(scope, receive, send)

    def _found(self, path: str) -> tuple[Any, list[str]] | None:
        branch: Any = self._root
        values: list[str] = []
        for part in path.split("/")[1:]:
            named = branch.get(part) if part != HERE else None
            if named is None:
                named = branch.get(ANY) if part != HERE else None
                values.append(part)
            if named is None:
                return None
            branch = named
        return (branch[HERE], values) if HERE in branch else None
