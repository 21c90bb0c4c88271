"""Exit codes of `huiyin`, the same for every command."""

from __future__ import annotations

from typing import Final

ACCEPTED: Final = 0
"""It was done, or nothing was left to do."""

REFUSED: Final = 1
"""The rules do not allow it, or a part of it; the answer says why and what to do."""

USAGE: Final = 2
"""The command was not understood: an option, a file or a time is not what it has to be."""

NOT_FOUND: Final = 3
"""There is no such case, or none that you may know of."""

UNAVAILABLE: Final = 4
"""A database cannot be reached; nothing was done, try again."""
