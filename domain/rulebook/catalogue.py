"""The catalogue of matters (事项目录): what people bring, who answers for it, and what they are asked besides."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from domain.calendar import Length
from domain.rulebook.grounds import Section, Word
from domain.rulebook.words import Demand, Kind, Scale

Datatype = Literal["string", "number", "datetime", "text", "singlevaluelist", "multivaluelist"]
"""How a question is answered (GeoReport v2, service definitions)."""

LISTS = frozenset({"singlevaluelist", "multivaluelist"})


class Choice(Section):
    """One of the answers to choose from."""

    key: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$")
    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


class Question(Section):
    """What is asked of who brings such a matter, beside what and where."""

    code: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$")
    datatype: Datatype = "string"
    required: bool = False
    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)
    values: tuple[Choice, ...] = ()

    @model_validator(mode="after")
    def _choices(self) -> Question:
        if (self.datatype in LISTS) != bool(self.values):
            raise ValueError("give values for singlevaluelist and multivaluelist, and for these alone")
        if len({one.key for one in self.values}) < len(self.values):
            raise ValueError("state each key of values once")
        return self


class CatalogueItem(Section):
    """事项目录: a kind of request that people bring, who answers for it and how it usually goes.

    `clock` replaces the length of the finish clock for this item and then needs a source or an assumption.
    `public`: that there is such a matter, and how it stands, may be shown to everybody; no for a person's own affairs.
    `ask`: what is asked besides.
    """

    code: str = Field(pattern=r"^[A-Z0-9][A-Z0-9.-]{0,19}$")
    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)
    kind: Kind
    demand: Demand
    body: Word
    scale: Scale = "minor"
    urgent: bool = False
    public: bool = True
    ask: tuple[Question, ...] = ()
    clock: Length | None = None
    source: str | None = None
    assumption: bool = False
    note: str = ""

    @model_validator(mode="after")
    def _grounded(self) -> CatalogueItem:
        if self.clock is not None and (self.source is None) != self.assumption:
            raise ValueError("give clock either a source, or assumption = true with a note")
        if len({one.code for one in self.ask}) < len(self.ask):
            raise ValueError("ask each question once: two have the same code")
        return self
