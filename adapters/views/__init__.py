"""Read models (DESIGN.md §7): tables that answer questions, kept by the follower and rebuilt from the events.

Open cases, work lists, clocks and figures are read here; decisions never are. The tables hold public fields only,
and no row of a confidential or diverted case (law 10).
"""

from adapters.views.reader import Reader
from adapters.views.views import Views

__all__ = ["Reader", "Views"]
