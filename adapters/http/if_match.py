"""If-Match: at which versions of its case an act counts (RFC 9110, section 13.1.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from domain.refusal import Refused

_TAG = r'(W/)?"[!#-~]*"'
PATTERN = rf"^(\*|{_TAG}([ \t]*,[ \t]*{_TAG})*)$"
"""What it looks like, for the document."""
_LIST = re.compile(rf"([ \t]*,)*[ \t]*{_TAG}(([ \t]*,)+[ \t]*{_TAG})*([ \t]*,)*[ \t]*")
"""The same as it is read: a list may have empty places (RFC 9110, section 5.6.1.2)."""
_OURS = re.compile(r'(?<!W/)"(0|[1-9][0-9]{0,8})"')


def expected_of(lines: Sequence[str]) -> int | tuple[int, ...] | None:
    """The version that the sender saw, or those; None for any. A tag that is weak, or none of ours, is that of no version.

    `lines` are the header's, which count as one list. Raises Refused "if_match_malformed".
    """
    said = ", ".join(lines).strip()
    if not lines or said == "*":
        return None
    if not _LIST.fullmatch(said):
        raise Refused("if_match_malformed", 'Give If-Match as the ETag of a reading, such as "7".')
    versions = tuple(sorted({int(one) for one in _OURS.findall(said)}))
    return versions[0] if len(versions) == 1 else versions
