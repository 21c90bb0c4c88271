"""Signing in by a browser: OpenID Connect's code flow with PKCE (RFC 7636), then a session cookie."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from adapters.http.documented import problems
from adapters.http.oidc import Provider
from adapters.http.session import LASTS
from adapters.http.who import SESSION, Doors
from adapters.settings import Settings
from domain.refusal import Refused

STEP, STEP_LASTS = "huiyin_signin", timedelta(minutes=10)
CALLBACK = "/auth/callback"


def router(settings: Settings, doors: Doors) -> APIRouter:
    """`/auth/login`, where the provider sends people back to, and `/auth/logout`."""
    made = APIRouter(prefix="/auth", tags=["sign-in"], responses=problems(400, 501))
    secure = urlsplit(settings.api_address).scheme == "https"
    redirect_uri = f"{settings.api_address}{CALLBACK}"

    def provider() -> Provider:
        if doors.provider is None or not doors.provider.signs_in:
            raise Refused(
                "not_signed_up", "Name a provider first: HUIYIN_OIDC_ISSUER and HUIYIN_OIDC_CLIENT_ID."
            )
        return doors.provider

    def kept(response: Response, name: str, value: str, lasts: timedelta, path: str) -> None:
        response.set_cookie(
            name,
            value,
            max_age=int(lasts.total_seconds()),
            path=path,
            secure=secure,
            httponly=True,
            samesite="lax",
        )

    @made.get(
        "/login", name="sign_in", summary="Sign in 登录", status_code=303, response_class=RedirectResponse
    )
    def sign_in(
        after: Annotated[
            str, Query(alias="next", max_length=500, description="A path here to go on to.")
        ] = "/",
    ) -> RedirectResponse:
        """Send the browser to the provider."""
        asked = provider()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        response = RedirectResponse(asked.authorization_url(redirect_uri, state, nonce, verifier), 303)
        step = {"state": state, "nonce": nonce, "verifier": verifier, "next": _here(after)}
        kept(response, STEP, doors.sessions.seal("signin", step, STEP_LASTS), STEP_LASTS, "/auth")
        return response

    @made.get(
        "/callback", name="signed_in", summary="Come back", status_code=303, response_class=RedirectResponse
    )
    def signed_in(
        request: Request,
        code: Annotated[str, Query(max_length=4096)] = "",
        state: Annotated[str, Query(max_length=500)] = "",
    ) -> RedirectResponse:
        """The provider has sent the browser back: check its word, and begin a session."""
        step = doors.sessions.open("signin", request.cookies.get(STEP, ""))
        if step is None or not code or not secrets.compare_digest(state.encode(), step["state"].encode()):
            raise Refused("sign_in_failed", "Sign in again from the beginning: /auth/login.")
        subject = provider().signed_in(code, redirect_uri, step["nonce"], step["verifier"])
        response = RedirectResponse(step["next"], 303)
        kept(response, SESSION, doors.sessions.of(subject), LASTS, "/")
        response.delete_cookie(STEP, path="/auth")
        return response

    @made.post("/logout", name="sign_out", summary="Sign out 退出", status_code=204, response_class=Response)
    def sign_out() -> Response:
        """End the session of this browser."""
        response = Response(status_code=204)
        response.delete_cookie(SESSION, path="/")
        return response

    return made


def _here(path: str) -> str:
    """A path on this very server; anything else becomes the front page, so that nobody is sent elsewhere."""
    plain = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if plain and path.isascii() else "/"
