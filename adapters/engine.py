"""The engine: settings become an event store, a vault and `handle`. Nothing connects at import."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from adapters.duplicates.door import Door
from adapters.log.keys import make_log_keys
from adapters.numbers import begins_numbers
from adapters.replay import replay_missed
from adapters.settings import Settings
from adapters.store import open_store
from adapters.telemetry.observed import ObservedHandle
from adapters.vault import open_keys
from adapters.vault.keys import Keys
from adapters.vault.masters import create_masters
from adapters.vault.vault import Vault
from workflows.handle import Handle
from workflows.ports import EventStore


def now() -> datetime:
    """The present moment in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Engine:
    """The open parts. Close it when done."""

    settings: Settings
    store: EventStore
    keys: Keys
    vault: Vault
    handle: Handle
    likeness: Door

    def district(self, at: datetime | None = None) -> str:
        """The code that the numbers of that moment (else of now) begin with, and that Open311 calls the jurisdiction.

        It is what the register says of its one district; of a time before that was entered, what it says today. Where it
        knows none, or several codes, it is the setting.
        """
        register, now = self.handle.standing.caught_up().register, self.handle.clock()
        districts = register.bodies("district", at or now) or register.bodies("district", now)
        codes = {body.district for body in districts}
        code = codes.pop() if len(codes) == 1 else self.settings.district
        return code if begins_numbers(code) else self.settings.district

    def close(self) -> None:
        """Let go of the databases."""
        self.likeness.close()
        self.store.close()
        self.keys.close()


def open_engine(settings: Settings, clock: Callable[[], datetime] = now) -> Engine:
    """Open everything that the settings name, making what is missing of the embedded default.

    Whatever the key store has missed of the record (erasures above all) is done again first: no backup resurrects data.

    Raises domain.refusal.Unavailable when a database cannot be reached, Refused for wrong master keys.
    """
    settings.data.mkdir(parents=True, exist_ok=True)
    if settings.masters is None:
        create_masters(settings.masters_folder)
    if settings.log_keys is None and settings.store is None:
        make_log_keys(settings.log_keys_folder, settings.origin)
    store = open_store(settings.store_url)
    keys = open_keys(settings.keys_url, settings.masters_folder)
    try:
        replay_missed(store, keys)
    except BaseException:
        store.close()
        keys.close()
        raise
    vault = Vault(store, keys)
    handle = ObservedHandle(store, vault, keys, clock, code_release())
    return Engine(settings, store, keys, vault, handle, Door(settings.keys_url, keys))


def code_release() -> str:
    """What the envelopes name as the code: the distribution's version and a digest of its sources."""
    root = Path(__file__).resolve().parent.parent
    digest = hashlib.sha256()
    for folder in ("domain", "workflows"):
        for path in sorted((root / folder).rglob("*.py")) + sorted((root / folder).rglob("*.toml")):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return f"{version('huiyin')}+{digest.hexdigest()[:16]}"
