"""The edge: what every request passes before the application, outermost first.

watch (correlation, access line, figures) · bounds (address and header) · crowd (how many at once) · rates (how many
of one caller) · bodies (how long, how slow). Each turns away by a problem with a code of its own.
"""

from __future__ import annotations

from starlette.types import ASGIApp

from adapters.http.edge.bodies import Bodies
from adapters.http.edge.bounds import Bounds
from adapters.http.edge.crowd import Crowd
from adapters.http.edge.rates import Rates
from adapters.http.edge.watch import Watch
from adapters.settings import Settings


def edged(app: ASGIApp, settings: Settings) -> ASGIApp:
    """The application behind the edge."""
    return Watch(Bounds(Crowd(Rates(Bodies(app), settings), settings.api_at_once)))
