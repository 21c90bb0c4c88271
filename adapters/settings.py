"""Settings: one frozen model, read once from the environment (`HUIYIN_…`) and passed as arguments.

Temporal's own address, namespace, TLS and keys come from Temporal's environment configuration (`TEMPORAL_…`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

API_PORT = 8000
"""Where the API listens unless it is told otherwise."""


class Settings(BaseSettings):
    """Where things are.

    `data` is the folder of the embedded default. `store`, `keys`, `views` and `log` are URLs (`postgresql://…`) where
    the defaults, SQLite files in that folder, are not wanted; the others follow `store`. `masters` is the folder of
    the master keys, `log_keys` that of the log's signing keys; both belong on another disk than the data, and away
    from who administers the databases. `district` is the code that numbers begin with while the register names none.
    Likely duplicates of a matter are looked for among those registered up to `duplicate_weeks` before it.

    `log_origin` names the evidence log (C2SP tlog-checkpoint) and `log_delay_hours` is how soon an event is promised to
    stand under a cosigned head; both are written into the log's first leaf and mean nothing once that is written.

    `api_host` and `api_port` are where the API listens (8000 unless told otherwise), `api_url` is how browsers reach it;
    `api_processes` is how many of it `huiyin up` starts on that one port, of which the system gives each a share (Linux);
    `api_shares_port` is for `huiyin up` to say to them, once it has seen that nobody else listens there.
    `oidc_…` name the provider of signing in: its issuer, who we are to it, and the audience of the tokens that callers
    bring (the client id, if left out). `access` is where keys of systems and links to persons are kept, `deliveries`
    where subscriptions and what is to be delivered to them.

    `imports` is where tables that are being imported lie, `import_most_bytes` how large one may be, and `import_share` the
    part of the time that imports may take (the rest belongs to live matters). `attachments` is where files of cases lie,
    `attachment_most_bytes` how large one may be.

    `rate` requests a second, and `rate_burst` at once, are what one caller may send to one process; `rate_strangers…` the
    same for an address that has shown no working key; `api_at_once` is how many requests a process answers at a time.
    `api_proxies` are the addresses, with commas between, whose word on where a request came from is believed.

    `metrics_port` shows the role's figures (`GET /metrics`) at `metrics_host`, `api_metrics` the API's on its own port too;
    `traces` is the OTLP collector's address for spans. None of these is set unless the operator does.

    `smtp_…` name the mail server that notices go out through and `smtp_from` the mailbox they come from; `smtp_tls` is
    `none` for a server on this machine alone, `smtp_ca` the certificates to trust where they are the office's own.
    `notice_url` and `notice_secret` (whsec_…) name a gateway of the office's own (SMS). Without either nobody is told by
    message. `notice_texts` is a folder with texts of the office's own.
    """

    model_config = SettingsConfigDict(env_prefix="HUIYIN_", frozen=True, extra="ignore")

    data: Path = Path(".huiyin")
    store: str | None = None
    keys: str | None = None
    views: str | None = None
    log: str | None = None
    masters: Path | None = None
    log_keys: Path | None = None
    log_origin: str | None = None
    log_delay_hours: int = Field(default=24, ge=1)
    district: str = "000000"
    duplicate_weeks: int = Field(default=8, ge=1, le=520)
    task_queue: str = "huiyin"
    access: str | None = None
    deliveries: str | None = None
    imports: str | None = None
    import_most_bytes: int = Field(default=67_108_864, ge=1)
    attachments: str | None = None
    attachment_most_bytes: int = Field(default=104_857_600, ge=1)
    import_share: float = Field(default=0.25, gt=0, le=1)
    api_host: str = "127.0.0.1"
    api_port: int | None = Field(default=None, ge=0, le=65_535)
    api_processes: int = Field(default=1, ge=1, le=64)
    api_shares_port: bool = False
    api_url: str | None = None
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    oidc_audience: str | None = None
    open311_contact: str | None = None
    api_at_once: int = Field(default=512, ge=1)
    api_proxies: str = "127.0.0.1,::1"
    rate: float = Field(default=250.0, gt=0)
    rate_burst: int = Field(default=1_000, ge=1)
    rate_strangers: float = Field(default=30.0, gt=0)
    rate_strangers_burst: int = Field(default=300, ge=1)
    metrics_host: str = "127.0.0.1"
    metrics_port: int | None = Field(default=None, ge=0, le=65_535)
    api_metrics: bool = False
    traces: str | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    smtp_host: str | None = None
    smtp_port: int = Field(default=587, ge=1, le=65_535)
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    smtp_from: str | None = None
    smtp_tls: Literal["starttls", "tls", "none"] = "starttls"
    smtp_ca: Path | None = None
    notice_url: str | None = None
    notice_secret: SecretStr | None = None
    notice_texts: Path | None = None

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
    def log_url(self) -> str:
        """The evidence log."""
        return self.log or self.store or str(self.data / "log.db")

    @property
    def access_url(self) -> str:
        """Keys of systems, and which person a subject is."""
        return self.access or self.store or str(self.data / "access.db")

    @property
    def deliveries_url(self) -> str:
        """Subscriptions, and what is to be delivered to them."""
        return self.deliveries or self.store or str(self.data / "deliveries.db")

    @property
    def imports_url(self) -> str:
        """Tables that are being imported, and their reports."""
        return self.imports or self.store or str(self.data / "imports.db")

    @property
    def attachments_url(self) -> str:
        """Files of cases."""
        return self.attachments or self.store or str(self.data / "attachments.db")

    @property
    def api_address(self) -> str:
        """How browsers reach the API, without a slash at the end."""
        return (self.api_url or f"http://{self.api_host}:{self.api_port or API_PORT}").rstrip("/")

    @property
    def log_keys_folder(self) -> Path:
        """The folder of the log's signing keys."""
        return self.log_keys or self.data / "log-keys"

    @property
    def origin(self) -> str:
        """What a new log is called."""
        return self.log_origin or f"huiyin.local/{self.district}"

    @property
    def masters_folder(self) -> Path:
        """The folder of the master keys."""
        return self.masters or self.data / "masters"
