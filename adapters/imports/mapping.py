"""Mappings: which column of a table means what. A mapping is a TOML file.

name = "messages"              # names this kind of table; part of the commands' keys
zone = "Asia/Shanghai"         # the zone of times that are written without offset
times = ["iso", "%Y/%m/%d"]    # how times are written; the first that fits is taken
encoding = "auto"              # of CSV: "utf-8", "gb18030", or told by the file's beginning

[reference]                    # the row's id in the other system: a second import finds it again
source = "leaders-board"
column = "id"
message = "msg_id"             # optional: the id of the single message, where one id comes with several (see below)

[requester]                    # optional: a row whose cell here is filled has a requester, under a fresh id
column = "user"

[closed]                       # closed where the cell equals one of these, or, without `equals`, is filled
column = "state"
equals = ["done"]

[matter]                       # fields of BackfillMatter, each from a constant or a column
source = { value = "resident_app" }
opened_at = { column = "asked" }
code = { column = "type", map = { "Street lights" = "SL-01" } }

[sealed]                       # what nobody may read in the events: name = columns, joined by line breaks
text = { columns = ["title", "body"], about = "requester" }

A mapping serves history (mode "backfill", which needs [closed]) or live requests (mode "register"). A live request's
`opened_at` is when it was first seen; its sealed values are text, place, kind, name and contact. A row under a known id
is the same message again where `message`, or without that the whole row, is the same; else it follows the matter up.
"""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from adapters.imports.table import Encoding
from domain.refusal import Refused

_PACKAGED = resources.files("adapters.imports") / "mappings"

Target = Literal[
    "source", "opened_at", "closed_at", "due_at", "kind", "code", "demand", "host", "department", "grid", "message",
    "anonymous",
]  # fmt: skip
"""The fields that a mapping may fill; the rest is made by the import. `message` says what a row is to a known matter."""

Mode = Literal["backfill", "register"]

_NOT_IN: dict[Mode, frozenset[str]] = {
    "backfill": frozenset({"grid", "message", "anonymous"}),
    "register": frozenset({"closed_at", "due_at", "department"}),
}
_LIVE = frozenset({"text", "place", "kind", "name", "contact"})
"""The sealed values of a live request."""


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("give an IANA name such as Asia/Shanghai") from None
    return name


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ReferenceRule(_Table):
    """Where the row's id in the other system stands, and that system's name."""

    source: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")
    column: str
    message: str | None = None


class RequesterRule(_Table):
    """A row whose `column` is filled has a requester; what stands there is not used as an id."""

    column: str


class ClosedRule(_Table):
    """Closed where `column` holds one of `equals`, or anything at all where `equals` is left out."""

    column: str
    equals: tuple[str, ...] | None = None

    def holds(self, cell: str) -> bool:
        """Whether a row with this cell is closed."""
        return bool(cell) if self.equals is None else cell in self.equals


class FieldRule(_Table):
    """A field: a constant, or a column whose values may be mapped; `default` is for values not in `map`.

    An empty cell leaves the field out. Codes are written with hyphens for what a code may not hold.
    """

    value: str | None = None
    column: str | None = None
    map: dict[str, str] = Field(default_factory=dict)
    default: str | None = None

    @model_validator(mode="after")
    def _either(self) -> FieldRule:
        if (self.value is None) == (self.column is None):
            raise ValueError("give either value or column")
        if self.column is None and (self.map or self.default):
            raise ValueError("map and default belong to a column")
        if self.default is not None and not self.map:
            raise ValueError("default belongs to a map")
        return self


class SealedRule(_Table):
    """A sealed value: columns joined by line breaks. `about` says whose key it dies with."""

    columns: tuple[str, ...] = Field(min_length=1)
    about: Literal["requester", "case"] = "requester"


class Mapping(_Table):
    """A whole mapping; see the module for what each part means."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")
    zone: Annotated[str, AfterValidator(_zone)]
    times: tuple[str, ...] = ("iso",)
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    encoding: Encoding = "auto"
    reference: ReferenceRule
    requester: RequesterRule | None = None
    closed: ClosedRule | None = None
    matter: dict[Target, FieldRule]
    sealed: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")], SealedRule] = Field(
        default_factory=dict
    )

    @model_validator(mode="after")
    def _whole(self) -> Mapping:
        missing = {"source", "opened_at"} - self.matter.keys()
        if missing:
            raise ValueError(f"[matter] needs {' and '.join(sorted(missing))}")
        return self

    def columns(self) -> frozenset[str]:
        """Every column that the mapping names."""
        found = {self.reference.column, *([self.closed.column] if self.closed else ())}
        found.update([self.reference.message] if self.reference.message else ())
        found.update(rule.column for rule in self.matter.values() if rule.column is not None)
        found.update(column for rule in self.sealed.values() for column in rule.columns)
        return frozenset(found | ({self.requester.column} if self.requester else set()))

    def serves(self, mode: Mode) -> None:
        """Raises Refused `bad_mapping` where it is not one for this mode."""
        wrong = sorted(_NOT_IN[mode] & self.matter.keys())
        if mode == "register":
            wrong += sorted(self.sealed.keys() - _LIVE)
        if wrong:
            raise Refused("bad_mapping", f"Leave {', '.join(wrong)} out of the mapping: {mode} has none.")
        if mode == "backfill" and self.closed is None:
            raise Refused("bad_mapping", "Say by [closed] which rows of the history are closed.")


def packaged() -> tuple[str, ...]:
    """The names of the mappings that come with Huiyin."""
    return tuple(sorted(entry.name[:-5] for entry in _PACKAGED.iterdir() if entry.name.endswith(".toml")))


def read_mapping(name: str) -> Mapping:
    """The mapping in a TOML file, or the packaged one of that name. Raises Refused `bad_mapping`."""
    if name in packaged() and not Path(name).exists():
        return packaged_mapping(name)
    try:
        text = Path(name).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise _none(error) from None
    return mapping_of(text)


def packaged_mapping(name: str) -> Mapping:
    """The packaged mapping of that name. Raises Refused `bad_mapping`."""
    if name not in packaged():
        raise _none("there is none of this name")
    return mapping_of((_PACKAGED / f"{name}.toml").read_text(encoding="utf-8"))


def mapping_of(text: str) -> Mapping:
    """The mapping that a TOML text says. Raises Refused `bad_mapping`."""
    try:
        return Mapping.model_validate(tomllib.loads(text))
    except ValidationError as wrong:
        first = wrong.errors(include_url=False, include_input=False)[0]
        key = ".".join(str(part) for part in first["loc"]) or "the top"
        raise Refused("bad_mapping", f"Correct the mapping at {key}: {first['msg']}.") from None
    except ValueError as error:
        raise _none(error) from None


def _none(why: object) -> Refused:
    return Refused("bad_mapping", f"Give a mapping in TOML, or one of {', '.join(packaged())}: {why}.")
