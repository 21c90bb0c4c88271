"""What the sections of a rulebook share: no unknown keys, a ground for each number, nights and rest days."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.calendar import Length

Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Runs = Literal["run", "stop"]


class Section(BaseModel):
    """A table of the file; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class Stated(Section):
    """A section with numbers: it names their source, or says what it assumes."""

    source: str | None = Field(default=None, min_length=1)
    assumption: bool = False
    note: str = ""

    @model_validator(mode="after")
    def _grounded(self) -> Stated:
        if (self.source is None) != self.assumption:
            raise ValueError("give the numbers either a source, or assumption = true with a note")
        if self.assumption and not self.note:
            raise ValueError("say in note what is assumed and why")
        return self

    @property
    def ground(self) -> str:
        """The source, or the assumption in words."""
        return self.source or f"assumption: {self.note}"


class Timed(Stated):
    """A section with lengths of time: it states what nights and rest days do to them."""

    APART: ClassVar[frozenset[str]] = frozenset()
    """Lengths to which nights and rest_days do not speak."""

    nights: Runs
    rest_days: Runs

    @model_validator(mode="after")
    def _agreed(self) -> Timed:
        for name in type(self).model_fields.keys() - self.APART:
            length = getattr(self, name)
            if isinstance(length, Length):
                said = "stop" if length.working else "run"
                if (self.nights, self.rest_days) != (said, said):
                    raise ValueError(
                        f"{name} = {length} means nights = {said!r} and rest_days = {said!r}: say so"
                    )
        return self
