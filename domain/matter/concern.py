"""Concern: whose matter it is. A district system is told of the matters of its own body alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from domain.matter.state import Matter


def concerns(state: Matter, body: str, source: str | None = None) -> bool:
    """Whether the matter is the body's own, as it stands in `state`.

    It wrote it down or graded it, hosts it (community, sub-district), was handed it, issued an order in it, or was
    summoned to it: an order that is only drafted concerns nobody yet. With `source` also every matter that came in by
    it, whoever wrote it down. Whether the body may see it is asked elsewhere (domain.visibility).
    """
    if source is not None and state.source == source:
        return True
    here = {state.registrar, state.graded_by, state.host, state.subdistrict, state.diverted_to}
    if body in here or body in state.communities:
        return True
    issued = ({order.issuer, *order.joint_blowers} for order in state.orders.values())
    return any(body in bodies for bodies in issued) or any(leg.body == body for leg in state.legs())
