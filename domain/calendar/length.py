"""Lengths of clocks: `3s`, `30min`, `24h`, `15d` in natural time, `3wd`, `2wh`, `90wmin` in working time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, cast

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

LengthUnit = Literal["s", "min", "h", "d", "wd", "wh", "wmin"]

MOST = 100_000_000
_WRITTEN = re.compile(r"(\d{1,9})(s|min|h|d|wd|wh|wmin)", re.ASCII)
_ELAPSED = {"s": timedelta(seconds=1), "min": timedelta(minutes=1), "h": timedelta(hours=1)}
_WORKED = {"wmin": timedelta(minutes=1), "wh": timedelta(hours=1)}


@dataclass(frozen=True, slots=True)
class Length:
    """So many units of natural or working time; what they mean is written in `domain.calendar`.

    As a pydantic field it reads and writes its short form, so events keep `"3wd"`.
    """

    amount: int
    unit: LengthUnit

    @classmethod
    def parse(cls, text: str) -> Length:
        """The length that `str()` wrote. Raises ValueError with a sentence for anything else."""
        found = _WRITTEN.fullmatch(text)
        if found is None:
            raise ValueError(
                f"{text!r} is no length: write 3s, 30min, 24h, 15d, or in working time 3wd, 2wh, 90wmin"
            )
        amount = int(found[1])
        if amount > MOST:
            raise ValueError(f"{text!r} is too long: at most {MOST} of a unit")
        return cls(amount, cast("LengthUnit", found[2]))

    def __str__(self) -> str:
        return f"{self.amount}{self.unit}"

    @property
    def working(self) -> bool:
        """Whether it counts working time only: nights and rest days stop it."""
        return self.unit in {"wd", "wh", "wmin"}

    @property
    def elapsed(self) -> timedelta | None:
        """The exact elapsed time of `s`, `min` and `h`; None for the others, which need a calendar."""
        unit = _ELAPSED.get(self.unit)
        return None if unit is None else self.amount * unit

    @property
    def worked(self) -> timedelta | None:
        """The working time of `wh` and `wmin`; None for the others."""
        unit = _WORKED.get(self.unit)
        return None if unit is None else self.amount * unit

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        written = core_schema.no_info_after_validator_function(cls.parse, core_schema.str_schema())
        return core_schema.json_or_python_schema(
            json_schema=written,
            python_schema=core_schema.no_info_plain_validator_function(_read),
            serialization=core_schema.plain_serializer_function_ser_schema(str),
        )


def _read(value: object) -> Length:
    if isinstance(value, Length):
        return value
    if not isinstance(value, str):
        raise ValueError(f'{value!r} is no length: write it as text, such as "3wd"')
    return Length.parse(value)
