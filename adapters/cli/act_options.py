"""From a command's model to the options of its act, so that no field is forgotten and none is described twice."""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typer
from pydantic import AwareDatetime
from pydantic.fields import FieldInfo

from adapters.act_words import HELP, SAID, SEALED
from adapters.acts import EVIDENCE
from adapters.cli.options import moment
from domain.acting import Command

_NAMES = {
    "about": "--subject",
    "deputies": "--deputy",
    "communities": "--community",
    "joint_blowers": "--joint-blower",
    "receivers": "--to",
    "whistle": "--kind",
}


def parameter(
    name: str, kind: Any, default: Any = inspect.Parameter.empty, *flags: str, **info: Any
) -> inspect.Parameter:
    """One option of a command."""
    annotation = Annotated[kind, typer.Option(*flags, **info)]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def of_fields(
    command: type[Command], filled: frozenset[str], optional: frozenset[str] = frozenset()
) -> Iterator[inspect.Parameter]:
    """An option for each field that the act does not fill by itself; those in `optional` may be left out."""
    for name, field in command.model_fields.items():
        if name not in filled:
            yield _of_field(command, name, field, name in optional)


def _of_field(command: type[Command], name: str, field: FieldInfo, optional: bool) -> inspect.Parameter:
    kind, many = _kind(field.annotation)
    required = field.is_required() and not optional
    default: Any = inspect.Parameter.empty if required else None
    flag = "--whistle" if name == "whistle" and kind is str else _NAMES.get(name)
    flags = (flag or "--" + name.replace("_", "-"),)
    if kind is bool:
        flags = (f"{flags[0]}/--no-{flags[0][2:]}",)
    kind = list[kind] if many else kind  # type: ignore[valid-type]
    info: dict[str, Any] = {"help": HELP.get(name, "")}
    if kind is datetime:
        info |= {"parser": moment, "metavar": "TIME", "help": f"{info['help']} With offset or Z.".strip()}
    return parameter(name, kind if required else kind | None, default, *flags, **info)


def _kind(annotation: Any) -> tuple[Any, bool]:
    """What typer has to be told of an annotation, and whether it may be repeated."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _kind(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        (inner,) = (one for one in get_args(annotation) if one is not type(None))
        return _kind(inner)
    if origin is tuple:
        return str, True
    if origin is Literal or annotation in (bool, int):
        return annotation, False
    return (datetime if annotation is AwareDatetime else str), False


def of_sealed(
    command: type[Command], names: tuple[str, ...], many: frozenset[str]
) -> Iterator[inspect.Parameter]:
    """An option for each sealed value; its parameter is called `sealed_NAME`."""
    for name in names:
        flag = f"--{name}-value" if name in command.model_fields and name != EVIDENCE else f"--{name}"
        text = SEALED.get(name, SAID)
        if name == EVIDENCE:
            yield parameter(
                "sealed_evidence", list[Path] | None, None, flag, help=text, exists=True, dir_okay=False
            )
        else:
            kind: Any = list[str] | None if name in many else str | None
            yield parameter(f"sealed_{name}", kind, None, flag, help=text)


def help_of(command: type[Command]) -> str:
    """The act's help: the command's own words, without the marks of the code."""
    words = inspect.getdoc(command) or ""
    return re.sub(r"`([^`]*)`", r"\1", words)
