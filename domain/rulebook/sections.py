"""The sections of a rulebook file: their shape, and what can be judged of each one alone.

Every number says where it comes from: `source`, or `assumption = true` and a `note` of what is assumed.
Every length says what nights and rest days do to it: they `run` in natural time and `stop` working time.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from domain.calendar import Hours, Length, Notice
from domain.rulebook.catalogue import CatalogueItem as CatalogueItem
from domain.rulebook.grounds import Section, Stated, Timed, Word
from domain.rulebook.words import ACTS, ANY, NAME, OF, Channel, Scale, Source, Stage


def _of(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _known_of(value: tuple[str, ...]) -> tuple[str, ...]:
    unknown = sorted(set(value) - OF)
    if unknown:
        raise ValueError(f"{unknown[0]!r} is no kind: give one of {', '.join(sorted(OF))}")
    return value


Of = Annotated[tuple[str, ...], BeforeValidator(_of), AfterValidator(_known_of), Field(min_length=1)]
"""One kind or several."""


def _before_due(length: Length) -> Length:
    if length.elapsed is None:
        raise ValueError("count a reminder back in s, min or h")
    return length


class Step(Section):
    """What follows a missed due time: so long after it, do this (G7); `level` is the tier it goes to."""

    after: Length
    do: Literal["notify", "urge", "supervise", "escalate"]
    level: Word | None = None

    @model_validator(mode="after")
    def _levelled(self) -> Step:
        if (self.do in {"escalate", "supervise"}) != (self.level is not None):
            raise ValueError("escalate and supervise name a level, notify and urge none")
        return self


class ClockEntry(Timed):
    """One or several clocks: a stage, held for these kinds."""

    APART = frozenset({"remind"})

    stage: Stage
    of: Of
    length: Length
    remind: Annotated[Length, AfterValidator(_before_due)] | None = None
    on_miss: tuple[Step, ...] = ()
    extensions: int = Field(default=0, ge=0, le=9)
    extend_by: Length | None = None

    @model_validator(mode="after")
    def _whole(self) -> ClockEntry:
        if (self.extensions > 0) != (self.extend_by is not None):
            raise ValueError("extensions and extend_by belong together")
        whole, ahead = self.length.elapsed, self.remind.elapsed if self.remind else None
        if whole is not None and ahead is not None and ahead >= whole:
            raise ValueError("remind is counted back from the due moment: make it shorter than length")
        return self


class AuthoriseEntry(Section):
    """Who authorises an order: one of each group signs; `supervised_by` also watches over it to the end."""

    of: Of
    groups: tuple[Annotated[tuple[Word, ...], Field(min_length=1)], ...]
    supervised_by: tuple[Word, ...] = ()


class ChannelSection(Section):
    """小事线上议、急事现场议、难事会场议: the channel by scale; urgency goes before it."""

    minor: Channel
    hard: Channel
    urgent: Channel


class Wording(Section):
    """A value with its wording, as the requester hears or reads it."""

    value: Word
    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


def _fraction(value: Any) -> Any:
    parts = value.split("/") if isinstance(value, str) else []
    if len(parts) != 2 or not all(part.isascii() and part.isdigit() for part in parts) or not int(parts[1]):
        raise ValueError('write a share as a fraction, such as "1/10"')
    share = Fraction(int(parts[0]), int(parts[1]))
    if share > 1:
        raise ValueError("a share is at most 1/1")
    return share


Share = Annotated[Fraction, BeforeValidator(_fraction)]


class CallbackSection(Timed):
    """回访: tries and the gap between them, the share that is called, questions and possible answers."""

    tries: int = Field(ge=1, le=20)
    gap: Length
    sampling: dict[Scale, Share]
    answers: tuple[Wording, ...] = Field(min_length=2)
    satisfied: tuple[Word, ...] = Field(min_length=1)
    dissatisfied: tuple[Word, ...] = Field(min_length=1)
    questions: tuple[Wording, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> CallbackSection:
        if set(self.sampling) != set(get_args(Scale)):
            raise ValueError("give sampling a share for minor and for hard")
        unknown = (set(self.satisfied) | set(self.dissatisfied)) - set(self.scale)
        if unknown or set(self.satisfied) & set(self.dissatisfied):
            raise ValueError("satisfied and dissatisfied name different values of answers")
        return self

    @property
    def scale(self) -> tuple[str, ...]:
        """The values of the satisfaction scale in order."""
        return tuple(answer.value for answer in self.answers)


class ReopenSection(Timed):
    """重办: how often a matter is reopened before review, and how long its requester may ask for it."""

    most: int = Field(ge=0, le=20)
    window: Length


class ReturnsSection(Timed):
    """退单: how long after issue an order may be returned, and how often."""

    most: int = Field(ge=0, le=20)
    window: Length


class RatingSection(Stated):
    """评: the scale of a department's appraisal, from 1, the worst, to `best`."""

    best: int = Field(ge=2, le=100)


class LengthLimit(Timed):
    """One length with its ground."""

    length: Length


class NumberLimit(Stated):
    """One number with its ground."""

    number: int = Field(ge=1)


class LimitsSection(Section):
    """Limits that no report names: see the properties of `Rulebook` for each."""

    backfill_after: LengthLimit
    emergency_grace: LengthLimit
    defer_most: LengthLimit
    future_tolerance: LengthLimit
    text_most: NumberLimit


class TermEntry(Timed):
    """保管期限: how long a file of a retention class is kept once its matter has ended.

    So many `years`, counted from the end of the year in which it ended; or a `length` from that moment; or `permanent`.
    """

    code: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,19}$")
    years: int | None = Field(default=None, ge=1, le=100)
    length: Length | None = None
    permanent: bool = False

    @model_validator(mode="after")
    def _one_of_them(self) -> TermEntry:
        if (self.years is not None) + (self.length is not None) + self.permanent != 1:
            raise ValueError("give either years, or a length, or permanent = true")
        return self


class RetentionSection(Section):
    """保管期限: the terms by class; the class of a file that was not archived yet; who is shown what is locked.

    `locked_for`: the kinds of body for which a case with locked values is opened all the same.
    """

    unarchived: str
    locked_for: tuple[Word, ...] = ()
    term: tuple[TermEntry, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _known(self) -> RetentionSection:
        codes = [entry.code for entry in self.term]
        if len(set(codes)) < len(codes):
            raise ValueError("state each class of retention once")
        if self.unarchived not in codes:
            raise ValueError(f"unarchived names one of the classes: {', '.join(codes)}")
        return self


class DueType(Section):
    """A type of a table of requests and its length, for `huiyin rulebook due`."""

    type: str = Field(min_length=1)
    length: Length


class HoursSection(Hours, Stated):
    """Working hours with their ground."""


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{name!r} is no time zone: give an IANA name such as Asia/Shanghai") from None
    return name


def _by_kind(value: Any) -> Any:
    return {ANY: value} if isinstance(value, list | tuple) else value


def _known_act(value: str) -> str:
    if value not in ACTS:
        raise ValueError(f"unknown act: give one of {', '.join(sorted(ACTS))}")
    return value


def _one_of(value: str) -> str:
    return _known_of((value,))[0]


Act = Annotated[str, AfterValidator(_known_act)]
PostsByKind = Annotated[
    dict[Annotated[str, AfterValidator(_one_of)], tuple[Word, ...]], BeforeValidator(_by_kind)
]


class Book(Section):
    """The whole file.

    `use`: a rulebook for `cases` runs matters and needs every section; one for `backfill` holds imported
    history and starts no clock; one for `tables` only computes due times for tables of requests.
    """

    name: str = Field(pattern=NAME)
    title: str = ""
    use: Literal["cases", "backfill", "tables"] = "cases"
    zone: Annotated[str, AfterValidator(_zone)]
    tiers: tuple[Word, ...] = ()
    hours: HoursSection
    holiday: tuple[Notice, ...] = ()
    clock: tuple[ClockEntry, ...] = ()
    posts: dict[Act, PostsByKind] = Field(default_factory=dict)
    authorise: tuple[AuthoriseEntry, ...] = ()
    triage: dict[Source, Word] = Field(default_factory=dict)
    channel: ChannelSection | None = None
    callback: CallbackSection | None = None
    reopen: ReopenSection | None = None
    returns: ReturnsSection | None = None
    rating: RatingSection | None = None
    limits: LimitsSection | None = None
    retention: RetentionSection | None = None
    catalogue: tuple[CatalogueItem, ...] = ()
    due_type: tuple[DueType, ...] = ()
