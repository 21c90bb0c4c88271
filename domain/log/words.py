"""Constants of the evidence log: the two streams that belong to the log itself."""

from __future__ import annotations

from typing import Final

GENESIS: Final = "5e91a2d4-0f3c-5f5e-9b1a-6c1f3a7d2e05"
"""The stream of leaf 0, which the sealer writes itself: who seals, under which keys, within what delay."""

LOG: Final = "5e91a2d4-0f3c-5f5e-9b1a-6c1f3a7d2e06"
"""The stream of events about the log: policies adopted, witnesses silent and back, keys changed."""
