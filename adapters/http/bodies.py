"""The bodies of the acts: the command's public fields, the ground, and the sealed values by name.

Made from the commands' own models, so that no field is forgotten and none is described twice. What an edge derives
(ids, numbers, how many proofs there are) is not asked for.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, create_model
from pydantic.fields import FieldInfo

from adapters.act_words import HELP, SEALED
from adapters.acts import EVIDENCE, filled_in
from adapters.http.operations import Operation
from domain.instant import Instant
from domain.matter.commands import AddSupplement, RegisterMatter
from domain.matter.words import Body, Role
from domain.register.commands import EnterPerson

MOST_TEXT = 200_000
"""Characters; the rulebook's own bound is far lower."""

Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/#-]{0,119}$")]
Sealed = Annotated[str, StringConstraints(max_length=MOST_TEXT)]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Message = Literal["supplement", "urging", "reopening"]

CASES = ("master", "repeat_of")
PERSONS = ("witness", "person", "deputies")
_CLOSED = ConfigDict(extra="forbid")


class Requester(BaseModel):
    """One who asks: sealed, each under a fresh id of this matter alone."""

    model_config = _CLOSED
    name: Sealed | None = Field(default=None, examples=["王某某"])
    contact: Sealed | None = Field(default=None, examples=["13800000000"])


class Outside(BaseModel):
    """The number that another system gave it."""

    model_config = _CLOSED
    source: Code = Field(examples=["hotline_12345"])
    number: Name = Field(examples=["GL20261123-00017"])


class ToSummon(BaseModel):
    """A body to be summoned."""

    model_config = _CLOSED
    body: Body = Field(examples=["dept-housing"])
    role: Role = Field(default="lead", examples=["lead"])
    mandatory: bool = True
    measured_as: Literal["territory", "trade"] | None = None


class Given(BaseModel):
    """What every act may say beside its own fields."""

    model_config = _CLOSED
    authority: Code | None = Field(
        default=None, description="The ground: a power item, law, mandate or resolution, as a code.",
        examples=["law:subdistrict-office-ordinance"],
    )  # fmt: skip
    occurred_at: Instant | None = Field(
        default=None, description="When it happened, if earlier than now, with its offset.",
    )  # fmt: skip


def body_of(operation: Operation) -> type[Given]:
    """The model of an operation's body."""
    left_out = filled_in(operation.act) | operation.where
    fields = {
        name: _field(operation, name, field)
        for name, field in operation.command.model_fields.items()
        if name not in left_out
    }
    if operation.act.sealed:
        fields["sealed"] = (
            _sealed(operation) | None,
            Field(default=None, description="What is sealed, by name."),
        )
    fields |= _beside(operation)
    made: type[Given] = create_model(
        _title(operation.name), __base__=Given, __doc__=operation.command.__doc__, **fields
    )
    return made


def _title(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _field(operation: Operation, name: str, field: FieldInfo) -> Any:
    """A field of the command as it is asked for: its type, and what is said of it."""
    needed = field.is_required()
    described, default = HELP.get(name, ""), ... if needed else field.default
    if name == "receivers":
        return list[ToSummon], Field(description="The bodies that are summoned.", min_length=1, max_length=50)
    if name == "deputies":
        return list[Name], Field(default=[], description=described, max_length=20)
    annotation: Any = Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
    if name in CASES or name in PERSONS:
        annotation = Name
        needed = needed and operation.command is not EnterPerson
        default = ... if needed else None
    if name == "requester":
        needed, default = False, None
    return annotation if needed else annotation | None, Field(default=default, description=described)


def _beside(operation: Operation) -> dict[str, Any]:
    """What registering and supplementing take along."""
    found: dict[str, Any] = {}
    if operation.command is RegisterMatter:
        found["requesters"] = (
            list[Requester],
            Field(default=[], max_length=50, description="Who asks; sealed, each under a fresh id."),
        )
        found["message"] = (
            Message | None,
            Field(
                default=None,
                description="What this is to a matter that is known by an outside number already.",
            ),
        )
    if operation.command in (RegisterMatter, AddSupplement):
        said = "The numbers that other systems gave it."
        found["outside"] = (list[Outside], Field(default=[], max_length=10, description=said))
    return found


def _sealed(operation: Operation) -> type[BaseModel]:
    names = [
        one
        for one in operation.act.sealed
        if not (operation.command is RegisterMatter and one in _OF_REQUESTERS)
    ]
    fields: dict[str, Any] = {
        name: (
            (
                list[Digest],
                Field(default=[], max_length=1000, description="The SHA-256 of each file, in hex."),
            )
            if name == EVIDENCE
            else (
                Sealed | None,
                Field(default=None, description=SEALED.get(name, "Sealed."), examples=[_said(name)]),
            )
        )
        for name in names
    }
    title = f"{_title(operation.name)}Sealed"
    return create_model(
        title, __config__=_CLOSED, __doc__="Sealed values: they never stand in an event.", **fields
    )


_OF_REQUESTERS = ("name", "contact")
_WORDS = {
    "text": "3栋电梯坏了两天，老人上下楼不便",
    "place": "桂花路12号3栋",
    "reply": "电梯已修复",
    "note": "已到现场",
}


def _said(name: str) -> str:
    return _WORDS.get(name, "原话")
