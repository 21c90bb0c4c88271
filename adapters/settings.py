"""Settings: one frozen model, read once from the environment (`HUIYIN_…`) and passed as arguments.

Temporal's own address, namespace, TLS and keys come from Temporal's environment configuration (`TEMPORAL_…`).
"""

from __future__ import annotations

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Where things are.

    `data` is the folder of the embedded default. `store`, `keys` and `views` are URLs (`postgresql://…`) where the
    defaults, SQLite files in that folder, are not wanted; `keys` and `views` follow `store`. `masters` is the folder
    of the master keys, which belongs on another disk than the data. `district` is the code that numbers begin with.
    """

    model_config = SettingsConfigDict(env_prefix="HUIYIN_", frozen=True, extra="ignore")

    data: Path = Path(".huiyin")
    store: str | None = None
    keys: str | None = None
    views: str | None = None
    masters: Path | None = None
    district: str = "000000"
    task_queue: str = "huiyin"

    @property
    def store_url(self) -> str:
        """The event store."""
        return self.store or str(self.data / "cases.db")

    @property
    def keys_url(self) -> str:
        """The key store."""
        return self.keys or self.store or str(self.data / "keys.db")

    @property
    def views_url(self) -> str:
        """The read models."""
        return self.views or self.store or str(self.data / "views.db")

    @property
    def masters_folder(self) -> Path:
        """The folder of the master keys."""
        return self.masters or self.data / "masters"
