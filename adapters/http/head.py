"""HEAD: answered wherever GET is, as GET is, but for the content (RFC 9110, sections 9.1 and 9.3.2).

The server itself leaves the content out. An answer that comes in pieces ends with its head, as if the client were gone.
"""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send


def headed(app: ASGIApp) -> ASGIApp:
    """What answers a HEAD by what `app` answers to a GET."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        del receive  # what is sent along with a HEAD says nothing
        asked, over = {**scope, "method": "GET"}, asyncio.Event()

        async def gone() -> Message:
            await over.wait()
            return {"type": "http.disconnect"}

        async def told(message: Message) -> None:
            if over.is_set() or message.get("more_body", False):
                over.set()
            else:
                await send(message)

        try:
            await app(asked, gone, told)
        finally:
            scope.update(asked, method="HEAD")  # with the route that was found: the access line names it
        if over.is_set():
            await send({"type": "http.response.body"})

    return answer
