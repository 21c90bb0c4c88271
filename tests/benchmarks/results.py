"""What a run has measured: figures with the limit measured beside them, as JSON and as a table to read."""

import json
import os
import platform
import sqlite3
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / ".bench"


@dataclass(frozen=True)
class Figure:
    """One figure: what, how much of which unit, the limit of this machine for it, and what was aimed at.

    `aim` is a least ratio to the limit where there is a limit, else a bound on the value itself, which is a most
    one where `less` is set.
    """

    group: str
    what: str
    value: float
    unit: str
    limit: float | None = None
    aim: float | None = None
    less: bool = False
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """The value as a part of the limit."""
        return None if self.limit is None else self.value / self.limit

    @property
    def met(self) -> bool | None:
        """Whether the aim was met; None where there is none."""
        if self.aim is None:
            return None
        reached = self.value if self.ratio is None else self.ratio
        return reached < self.aim if self.less else reached >= self.aim


@dataclass
class Results:
    """All figures of a run."""

    begun: datetime = field(default_factory=lambda: datetime.now(UTC))
    figures: list[Figure] = field(default_factory=list)

    def add(self, figure: Figure) -> None:
        """Keep a figure and show it at once."""
        self.figures.append(figure)
        print(f"\n  {figure.group}: {figure.what}: {_cells(figure)}")

    def write(self) -> Path:
        """Write the JSON and, beside it, the page to read; returns the page's path."""
        FOLDER.mkdir(parents=True, exist_ok=True)
        self.figures = [*of_the_stores(FOLDER / "store.json", self.begun), *self.figures]
        page = FOLDER / f"results-{self.begun:%Y%m%dT%H%M%SZ}.md"
        rows = [{**asdict(figure), "ratio": figure.ratio, "met": figure.met} for figure in self.figures]
        said = {"begun": self.begun.isoformat(), "machine": machine(), "figures": rows}
        page.with_suffix(".json").write_text(json.dumps(said, indent=1, ensure_ascii=False))
        page.write_text(self.page())
        return page

    def page(self) -> str:
        """The figures as Markdown, the missed aims first."""
        lines = ["# Measured", "", f"{self.begun:%Y-%m-%d}, {machine()}.", ""]
        missed = [f for f in self.figures if f.met is False]
        lines += [f"Missed: {f.group}, {f.what}: {_cells(f)}." for f in missed] or ["No aim was missed."]
        for group in dict.fromkeys(figure.group for figure in self.figures):
            lines += [
                "",
                f"## {group}",
                "",
                "| what | measured | limit | ratio | aim | |",
                "|---|--:|--:|--:|--:|---|",
            ]
            lines += [_row(figure) for figure in self.figures if figure.group == group]
        return "\n".join(lines) + "\n"


def of_the_stores(path: Path, begun: datetime) -> list[Figure]:
    """The figures that `test_bench_store` has written in this run, if it was part of it."""
    if not path.exists() or path.stat().st_mtime < begun.timestamp():
        return []
    said, figures = json.loads(path.read_text()), []
    for row in said.get("append", ()):
        name, ours, raw = f"{row['name']}, {row['writers']} threads", row["store"], row["raw"]
        aim = 0.5 if (row["name"], row["writers"]) == ("postgres", 16) else None
        times = f"p99 {ours['p99_ms']:.1f} ms; raw {raw['p99_ms']:.1f}"
        figures.append(
            Figure("Commands into the store alone", name, ours["per_s"], "commands/s", raw["per_s"], aim=aim, note=times)
        )  # fmt: skip
    read = [
        Figure("Reading the log", row["name"], row["events_per_s"], "events/s")
        for row in said.get("read", ())
    ]
    return figures + read


def machine() -> str:
    """What this was measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()},"
        f" Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    )


def number(value: float) -> str:
    """With as many digits as can be trusted."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _cells(figure: Figure) -> str:
    said = f"{number(figure.value)} {figure.unit}"
    if figure.limit is not None and figure.ratio is not None:
        said += f", limit {number(figure.limit)}, ratio {figure.ratio:.2f}"
    if figure.aim is not None:
        said += f", aim {'below' if figure.less else 'at least'} {figure.aim:g}, {'met' if figure.met else 'missed'}"
    return said


def _row(figure: Figure) -> str:
    limit = "" if figure.limit is None else number(figure.limit)
    ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
    aim = "" if figure.aim is None else f"{'<' if figure.less else '≥'} {figure.aim:g}"
    verdict = {None: "", True: "met", False: "**missed**"}[figure.met]
    said = "; ".join(part for part in (verdict, figure.note) if part)
    return f"| {figure.what} | {number(figure.value)} {figure.unit} | {limit} | {ratio} | {aim} | {said} |"
