"""A rulebook as the engine asks it: which clock, which posts, which channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeVar
from zoneinfo import ZoneInfo

from domain.calendar import Calendar, Hours, Length, Notice
from domain.refusal import Refused
from domain.rulebook.sections import (
    Book,
    CallbackSection,
    CatalogueItem,
    LimitsSection,
    ReopenSection,
    RetentionSection,
    ReturnsSection,
    Step,
    Wording,
)
from domain.rulebook.words import ANY, Channel, specific

T = TypeVar("T")

ASSUMED_BEST = 5
"""No report names a scale, and rulebooks released before there was a section `rating` were held to this one."""


@dataclass(frozen=True, slots=True)
class ClockRule:
    """A clock of one stage as held for one kind.

    `remind` counts back from the due moment; `on_miss` are the steps after it, in order; it may be extended
    `extensions` times, each time by `extend_by` at most; `source` is the ground of its numbers.
    """

    stage: str
    of: str
    length: Length
    remind: Length | None
    on_miss: tuple[Step, ...]
    extensions: int
    extend_by: Length | None
    source: str


class Rulebook:
    """One version of the rules, immutable. Every access is a lookup; the most specific entry counts."""

    __slots__ = ("_authorise", "_book", "_clocks", "_hours", "_posts")

    def __init__(self, book: Book) -> None:
        self._book = book
        self._hours = Hours(**{name: getattr(book.hours, name) for name in Hours.model_fields})
        self._clocks = _clocks(book)
        self._authorise = {of: entry for entry in book.authorise for of in entry.of}
        self._posts = {
            act: {of: frozenset(posts) for of, posts in kinds.items()} for act, kinds in book.posts.items()
        }

    def __repr__(self) -> str:
        return f"Rulebook({self.name!r})"

    # -- name, place, time

    @property
    def name(self) -> str:
        """`gulou/2026.1`: the version that every decision names."""
        return self._book.name

    @property
    def use(self) -> Literal["cases", "backfill", "tables"]:
        """What it is made for; only one for `cases` can run matters."""
        return self._book.use

    @property
    def backfill(self) -> bool:
        """Marked for backfill: holds imported history, starts no clock."""
        return self._book.use == "backfill"

    @property
    def zone(self) -> str:
        """The IANA name of its time zone."""
        return self._book.zone

    @property
    def hours(self) -> Hours:
        """Its working hours."""
        return self._hours

    @property
    def holidays(self) -> tuple[Notice, ...]:
        """The notices written into the rulebook itself."""
        return self._book.holiday

    def calendar(self, notices: Sequence[Notice] = ()) -> Calendar:
        """The calendar of its zone and hours, with its own holidays and then these notices in order."""
        return Calendar(ZoneInfo(self.zone), self._hours, (*self._book.holiday, *notices))

    # -- clocks

    def clock(self, stage: str, of: str) -> ClockRule | None:
        """The clock of a stage for a kind (`whistle.service`, else `whistle`, else `*`); None: none runs."""
        return _first(self._clocks.get(stage, {}), of)

    # -- who

    @property
    def tiers(self) -> tuple[str, ...]:
        """层级: the tiers from the lowest to the highest; they bind offices, never residents."""
        return self._book.tiers

    def posts(self, act: str, of: str = ANY) -> frozenset[str]:
        """The posts that may perform an act; `requester` stands for one without post. Empty: nobody may."""
        return _first(self._posts.get(act, {}), of) or frozenset()

    def authorisers(self, of: str) -> tuple[tuple[str, ...], ...]:
        """The groups of posts that must sign for an order, one signer of each; empty: nobody needs to."""
        entry = _first(self._authorise, of)
        return entry.groups if entry else ()

    def supervisors(self, of: str) -> tuple[str, ...]:
        """The posts that supervise such an order to its end (district leader for a project whistle)."""
        entry = _first(self._authorise, of)
        return entry.supervised_by if entry else ()

    def extension_authoriser(self, of: str) -> frozenset[str]:
        """The posts that may grant an extension; never anyone below the receiver."""
        return self.posts("decide_extension", of)

    def triage_body(self, source: str) -> str:
        """The kind of body that triages what comes in from a source."""
        try:
            return self._book.triage[source]  # type: ignore[index]
        except KeyError:
            raise Refused("source_unknown", f"Name in [triage] who triages matters from {source}.") from None

    # -- how

    def channel(self, scale: str, urgent: bool) -> Channel:
        """小事线上议、急事现场议、难事会场议: urgency decides first, then the scale `minor` or `hard`."""
        channel = self._section("channel", self._book.channel)
        if urgent:
            return channel.urgent
        return channel.hard if scale == "hard" else channel.minor

    @property
    def callback(self) -> CallbackSection:
        """回访: `tries`, `gap`, `scale`, `answers`, `satisfied`, `dissatisfied`, `sampling`, `questions`."""
        return self._section("callback", self._book.callback)

    def sampling(self, scale: str) -> Fraction:
        """The share of matters of this scale that is called back."""
        return self.callback.sampling["hard" if scale == "hard" else "minor"]

    def wording(self, value: str) -> Wording:
        """The wording of a value of the satisfaction scale. Raises KeyError for another word."""
        return {answer.value: answer for answer in self.callback.answers}[value]

    @property
    def reopen(self) -> ReopenSection:
        """重办: `most` times, and only within the `window` when the requester asks."""
        return self._section("reopen", self._book.reopen)

    @property
    def returns(self) -> ReturnsSection:
        """退单: at `most` so often, within the `window` after issue."""
        return self._section("returns", self._book.returns)

    @property
    def best_score(self) -> int:
        """评: the best score of an appraisal; 1 is the worst. Where the rulebook names no scale, 5 is assumed."""
        return self._book.rating.best if self._book.rating else ASSUMED_BEST

    # -- limits

    @property
    def _limits(self) -> LimitsSection:
        return self._section("limits", self._book.limits)

    @property
    def backfill_after(self) -> Length:
        """An event recorded longer than this after it occurred is a backfill (G2)."""
        return self._limits.backfill_after.length

    @property
    def emergency_grace(self) -> Length:
        """How long after an emergency act by word of mouth it may be written down and count as of then."""
        return self._limits.emergency_grace.length

    @property
    def defer_most(self) -> Length:
        """挂账: the longest time from a deferral or a review to the next review."""
        return self._limits.defer_most.length

    @property
    def future_tolerance(self) -> Length:
        """How far an act's claimed time may lie after the recorded one, for clocks that differ."""
        return self._limits.future_tolerance.length

    @property
    def text_most(self) -> int:
        """The longest sealed text, in characters."""
        return self._limits.text_most.number

    @property
    def retention(self) -> RetentionSection | None:
        """保管期限: how long files are kept; None where this rulebook does not say, so that nobody knows when it ends."""
        return self._book.retention

    # -- lists

    @property
    def catalogue(self) -> tuple[CatalogueItem, ...]:
        """事项目录, in the order of the file."""
        return self._book.catalogue

    def item(self, code: str) -> CatalogueItem | None:
        """The item of the catalogue with this code, or None."""
        return next((item for item in self._book.catalogue if item.code == code), None)

    @property
    def due_types(self) -> Mapping[str, Length]:
        """The lengths by type for `huiyin rulebook due`.

        The types named for tables, and beside them the codes of the catalogue and the demand classes with the
        length of their finish clocks.
        """
        finish = self._clocks.get("finish", {})
        lengths = {of: rule.length for of, rule in finish.items() if of != ANY}
        for item in self._book.catalogue:
            rule = self.clock("finish", f"{item.demand}.urgent" if item.urgent else item.demand)
            if (length := item.clock or (rule.length if rule else None)) is not None:
                lengths[item.code] = length
        return lengths | {entry.type: entry.length for entry in self._book.due_type}

    def _section(self, name: str, section: T | None) -> T:
        if section is None:
            raise Refused(
                "rulebook_incomplete", f"Use a rulebook for cases: {self.name} has no section {name}."
            )
        return section


def _clocks(book: Book) -> dict[str, dict[str, ClockRule]]:
    clocks: dict[str, dict[str, ClockRule]] = {}
    for entry in book.clock:
        for of in entry.of:
            clocks.setdefault(entry.stage, {})[of] = ClockRule(
                entry.stage,
                of,
                entry.length,
                entry.remind,
                entry.on_miss,
                entry.extensions,
                entry.extend_by,
                entry.ground,
            )
    return clocks


def _first(by_kind: Mapping[str, T], of: str) -> T | None:
    for name in specific(of):
        if name in by_kind:
            return by_kind[name]
    return None
