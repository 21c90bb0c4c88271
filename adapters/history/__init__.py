"""The history of a case, and the auditor's questions that it answers (domain.md E)."""

from adapters.history.questions import NUMBERS, Answered, answer
from adapters.history.trail import Fact, Trail, as_of

__all__ = ["NUMBERS", "Answered", "Fact", "Trail", "answer", "as_of"]
