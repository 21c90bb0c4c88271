"""Channels: the ways a message goes out, as a small port, and where a contact leads."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, Protocol

from adapters.notices.wording import Words

Kind = Literal["email", "phone"]

_EMAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)
_PHONE = re.compile(r"\+?[0-9]{5,20}")
_SIGNS = re.compile(r"[ ()-]")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a message goes: one mailbox (ASCII, RFC 5321) or one telephone number (digits, perhaps a plus)."""

    kind: Kind
    value: str

    def __repr__(self) -> str:
        """Never the address: a repr may end up in a log (law 9)."""
        return f"Address({self.kind})"


def address_of(contact: object) -> Address | None:
    """Where a sealed contact leads, None where it is neither one mailbox nor one telephone number.

    Strict: nothing that could add a second recipient or a header gets through.
    """
    if not isinstance(contact, str) or len(contact) > 254:
        return None
    given = contact.strip(" ")
    if _EMAIL.fullmatch(given) and len(given.partition("@")[0]) <= 64:
        return Address("email", given)
    number = _SIGNS.sub("", given)
    return Address("phone", number) if _PHONE.fullmatch(number) else None


@dataclass(frozen=True, slots=True)
class Notice:
    """One message. `id` is the same at every try, so that a receiving side can tell a repeat.

    `number` and `moment` say what it is about, `words` say it; `fields` are those of the words, for a gateway that has
    templates of its own.
    """

    id: str
    to: Address
    moment: str
    number: str
    words: Words
    fields: dict[str, dict[str, str]]


class NotTaken(Exception):
    """The receiving side will never take this message; `code` is one word, without its own words (law 9)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Away(Exception):
    """The receiving side takes nothing at the moment; `code` is one word, `wait` the seconds that it asked for."""

    def __init__(self, code: str, wait: float | None = None) -> None:
        super().__init__(code)
        self.code, self.wait = code, wait


class Channel(Protocol):
    """A way out. Safe for several at once."""

    name: str
    address: str
    """`host:port` of the receiving side, for whoever looks whether it answers."""

    def carries(self, to: Address) -> bool:
        """Whether an address is one that this way leads to."""
        ...

    async def send(self, notice: Notice) -> None:
        """Hand it over: returning means that the receiving side has taken it. Raises NotTaken, Away."""
        ...
