"""Backup and restore (DESIGN.md §9): the record and its keys apart, and a restore that forgets nothing it must not.

A backup of the record holds ciphertexts; a backup of the keys makes them readable, so that it lies in a folder of
its own and is kept for a short time only: what was erased since is erased in it when it is thrown away. The master
keys are in neither.

A restore makes a new life of the store (epoch), which every consumer notices; it never brings back a key that was
destroyed, locked or handed to discipline inspection, as far as the key store in place, the backup, the restored events
or the evidence log in place know of it: see adapters.replay. That is done before anything takes its place.
The evidence log comes back with the record; what the record holds beyond it is sealed again, the same. Whether newer
leaves were lost only the boards know: the sealer asks them before it signs. The log's keys are in no backup.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from adapters.engine import code_release, now
from adapters.log import open_log
from adapters.log.rejoin import rejoin
from adapters.replay import Replayed, replay_log, replay_record
from adapters.settings import Settings
from adapters.store import open_store
from adapters.store.file_lock import FileLock
from adapters.store.out_of_reach import reported
from adapters.store.positions import StoredPositions
from adapters.store.postgres_link import is_postgres
from adapters.store.sqlite_files import open_sqlite, sqlite_path
from adapters.vault import open_keys
from adapters.vault.keys import LOCKED
from adapters.views.sql import Sql
from adapters.whole_files import copy, digest, remove, settle, staged, take_place
from domain.instant import written
from domain.refusal import Refused
from workflows.key_duties import Duty
from workflows.ports import EventStore, KeyStore

MANIFEST = "manifest.json"
RECORD, KEYS, LOG, FILES = "cases.db", "keys.db", "log.db", "attachments.db"


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did: the new epoch, how many keys were brought back, what was done to keys again (how often a
    diversion, a lock, an erasure), and what became of the evidence log."""

    epoch: str
    head: int
    keys_added: int
    again: dict[str, int]
    replaced: str | None
    log: str


# -- backup -----------------------------------------------------------------------------------------------------------


def external_commands(settings: Settings, folder: Path) -> list[str]:
    """The commands by which PostgreSQL backs the stores up; they take their connections from the settings' variables."""
    record = f'pg_dump --format=custom --schema=cases --file {folder}/cases.dump "$HUIYIN_STORE"'
    source = "$HUIYIN_KEYS" if settings.keys else "$HUIYIN_STORE"
    keys = f'pg_dump --format=custom --schema=keys --file {folder}/keys/keys.dump "{source}"'
    where = "$HUIYIN_LOG" if settings.log else "$HUIYIN_STORE"
    # The log first, as below: what the record has beyond it is sealed again, the same, after a restore.
    log = f'pg_dump --format=custom --schema=log --file {folder}/log.dump "{where}"'
    held = "$HUIYIN_ATTACHMENTS" if settings.attachments else "$HUIYIN_STORE"
    files = f'pg_dump --format=custom --schema=attachments --file {folder}/attachments.dump "{held}"'
    return [f"mkdir -p -m 700 {folder}/keys", log, record, files, keys]


def backup(settings: Settings, folder: Path, keys_folder: Path | None = None) -> dict[str, object]:
    """Copy the record into `folder` and the keys into `keys_folder` (`folder/keys`), while everything runs.

    Returns the manifest. Raises Refused `external_backup` for PostgreSQL, `folder_not_empty`, `nothing_there`;
    Unavailable.
    """
    record, keys = _sqlite(settings.store_url, RECORD), _sqlite(settings.keys_url, KEYS)
    if not record.exists():
        raise Refused("nothing_there", f"There is no {record.name} to back up; check HUIYIN_DATA.")
    apart = keys_folder or folder / "keys"
    for each in (folder, apart):
        _empty(each)
    with reported():
        # The log before the record, so that it never holds an event that the record's copy lacks; and the record
        # before its keys: a key is durable before the value that it seals, so that no value lacks its key. Between
        # them the attachments: each is there before the act that names it.
        log, files = _log_file(settings), _files(settings)
        copies = {LOG: copy(log, folder / LOG)} if log is not None and log.exists() else {}
        copies[RECORD] = copy(record, folder / RECORD)
        copies |= {FILES: copy(files, folder / FILES)} if files is not None and files.exists() else {}
        copies[KEYS] = copy(keys, apart / KEYS)
        manifest = _manifest(folder / RECORD, copies)
        (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return manifest


def _manifest(record: Path, copies: dict[str, Path]) -> dict[str, object]:
    with sqlite3.connect(f"file:{record}?mode=ro", uri=True) as connection:
        (epoch,) = connection.execute("SELECT value FROM meta WHERE name = 'epoch'").fetchone()
        (head,) = connection.execute("SELECT COALESCE(max(rowid), 0) FROM stored_events").fetchone()
    connection.close()
    files = {name: {"bytes": path.stat().st_size, "sha256": digest(path)} for name, path in copies.items()}
    return {"at": written(now()), "release": code_release(), "epoch": epoch, "head": head, "files": files}


# -- restore ----------------------------------------------------------------------------------------------------------


def restore(
    settings: Settings, folder: Path, keys_folder: Path | None = None, *, replace: bool = False
) -> Restored:
    """Put a backup in place. Stop every role and program first.

    The new life is made beside the old one and takes its place in one step, when nothing is left to be forgotten.
    Raises Refused `backup_damaged`, `data_present`, `still_running`, `external_restore`, and for master keys that are
    not those of the backup; Unavailable.
    """
    record, keys = _sqlite(settings.store_url, RECORD), _sqlite(settings.keys_url, KEYS)
    saved_keys = (keys_folder or folder / "keys") / KEYS
    _check(folder, saved_keys)
    if record.exists() and not replace:
        raise Refused("data_present", f"There is a {record.name} already; say --replace to set it aside.")
    log, files = _log_file(settings), _files(settings)
    for each in (record, log, files):
        if each is not None:
            _nobody_works(each)
    with reported():
        staged_keys, added = _staged_keys(keys, saved_keys)
        new = staged(folder / RECORD, record)
        new_log = staged(folder / LOG, log) if log is not None and (folder / LOG).exists() else None
        store, table = open_store(str(new)), open_keys(str(staged_keys), settings.masters_folder)
        try:
            again, head = _again(settings, store, table), store.head()
            epoch = store.renew_epoch()
            sealed = _rejoined(str(new_log or settings.log_url), store)
        finally:
            store.close()
            table.close()
        forget_positions(settings.views_url)
        if log is not None and new_log is not None:
            take_place(new_log, log)
        if files is not None and (folder / FILES).exists():
            take_place(staged(folder / FILES, files), files)
        settle(staged_keys)
        # Never set aside: a key that was destroyed just now is in no file that is left.
        staged_keys.replace(keys)
        replaced = take_place(new, record)
    return Restored(epoch, head, added, again, replaced, sealed)


def after_external(settings: Settings) -> Restored:
    """After PostgreSQL's own restore: a new life of the store, its keys as the events say. Before any role is started."""
    store, keys = open_store(settings.store_url), open_keys(settings.keys_url, settings.masters_folder)
    try:
        again, head = _again(settings, store, keys), store.head()
        forget_positions(settings.views_url)
        epoch = store.renew_epoch()
        return Restored(epoch, head, 0, again, None, _rejoined(settings.log_url, store))
    finally:
        store.close()
        keys.close()


def _again(settings: Settings, store: EventStore, keys: KeyStore) -> dict[str, int]:
    """Do to the keys again what the restored events say, and the leaves of the log in place, which may be ahead.

    The record comes last: of a lock that was lifted since it does not know, and what it says of locks is what counts.
    What it knows of erased cases by their commands' digests goes with their keys, whoever told of the erasure.
    """
    log, told = _log_file(settings), Replayed()
    if log is None or log.exists():
        told = replay_log(settings.log_url, keys)
    done = replay_record(store, keys) | told  # of each the greater count: they are the same events
    store.blind(keys.erased())
    return {duty.value: done[duty] for duty in Duty}


def forget_positions(url: str) -> None:
    """Let every consumer of the read models' database begin again: positions of another life mean nothing."""
    positions = StoredPositions(url)
    try:
        with positions.transaction() as connection:
            Sql(connection).run("DELETE FROM positions")
    finally:
        positions.close()


def _staged_keys(place: Path, saved: Path) -> tuple[Path, int]:
    """The keys in place and those of the backup that are missing there, in a file beside; and how many came back."""
    beside = place.with_name(f"{KEYS}.restoring")
    remove(beside)
    if not place.exists():
        remove(place)  # what a lost file may have left beside it
        return (staged(saved, place), _living(saved)) if saved.exists() else (beside, 0)
    settle(place)
    staged(place, place)
    if not saved.exists():
        return beside, 0
    connection = open_sqlite(beside)
    try:
        return beside, _merged(connection, saved)
    finally:
        connection.close()


def _living(saved: Path) -> int:
    with sqlite3.connect(f"file:{saved}?mode=ro", uri=True) as connection:
        (count,) = connection.execute("SELECT count(*) FROM data_keys WHERE wrapped IS NOT NULL").fetchone()
    connection.close()
    return int(count)


def _merged(connection: sqlite3.Connection, saved: Path) -> int:
    connection.execute("ATTACH DATABASE ? AS saved", (f"{saved}",))
    other = connection.execute(
        "SELECT count(*) FROM saved.secrets s JOIN main.secrets m ON m.name = s.name AND m.wrapped <> s.wrapped"
        " WHERE s.name LIKE 'fingerprint%'"
    ).fetchone()
    if other != (0,):
        raise Refused(
            "master_key_differs", "The keys in place were made under other master keys; move them away first."
        )
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(
        "UPDATE main.data_keys SET wrapped = NULL WHERE wrapped IS NOT NULL AND EXISTS (SELECT 1 FROM saved.data_keys s"
        " WHERE s.stream = data_keys.stream AND s.subject = data_keys.subject AND s.wrapped IS NULL)"
    )
    connection.execute(
        f"UPDATE main.data_keys SET holder = holder || '{LOCKED}' WHERE holder NOT LIKE '%{LOCKED}' AND EXISTS (SELECT 1"
        " FROM saved.data_keys s WHERE s.stream = data_keys.stream AND s.subject = data_keys.subject"
        f" AND s.holder LIKE '%{LOCKED}')"
    )
    connection.execute("INSERT OR IGNORE INTO main.secrets SELECT * FROM saved.secrets")
    added = connection.execute("INSERT OR IGNORE INTO main.data_keys SELECT * FROM saved.data_keys").rowcount
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return added


# -- files ------------------------------------------------------------------------------------------------------------


def _sqlite(url: str, name: str) -> Path:
    if is_postgres(url):
        raise Refused(
            "external_backup", "PostgreSQL backs up and restores with its own programs; see the commands."
        )
    return sqlite_path(url, name)


def _empty(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise Refused(
            "folder_not_empty", f"Name a new or empty folder for the backup: {folder.name} holds something."
        )


def _check(folder: Path, saved_keys: Path) -> None:
    """The files are those that the manifest speaks of."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        files = {str(name): str(file["sha256"]) for name, file in manifest["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused(
            "backup_damaged", f"{folder.name} holds no readable {MANIFEST}; take another backup."
        ) from error
    for name, wanted in files.items():
        path = saved_keys if name == KEYS else folder / name
        if name == KEYS and not path.exists():
            continue  # kept elsewhere, or thrown away: the keys in place are used
        if not path.exists() or digest(path) != wanted:
            raise Refused("backup_damaged", f"{name} is not what the manifest says; take another backup.")


def _nobody_works(place: Path) -> None:
    """No role leads a consumer beside this file, and nobody has it open."""
    for lock in place.parent.glob("leader-*.lock"):
        with FileLock(lock).tried() as free:
            if not free:
                raise Refused("still_running", f"Stop every role first: somebody holds {lock.name}.")
    if place.exists():
        try:
            settle(place)
        except sqlite3.OperationalError as error:
            raise Refused(
                "still_running", f"Stop every program first: somebody has {place.name} open."
            ) from error


def _files(settings: Settings) -> Path | None:
    """The attachments' file, None where it is PostgreSQL's."""
    return None if is_postgres(settings.attachments_url) else sqlite_path(settings.attachments_url, FILES)


def _log_file(settings: Settings) -> Path | None:
    """The log's file, None where it is PostgreSQL's."""
    return None if is_postgres(settings.log_url) else sqlite_path(settings.log_url, LOG)


def _rejoined(url: str, store: EventStore) -> str:
    log = open_log(url)
    try:
        return rejoin(store, log)
    finally:
        log.close()
