"""Fixtures of the attacks: the trail played once on each store, the boards' witnesses, an office for each test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from psycopg import sql

from adapters.log.keys import LOG_KEY, RECEIPT_KEY, public_key, receipts_of
from adapters.settings import Settings
from domain.log.notes import ED25519, SignerKey, VerifierKey
from tests.attacks.world import Board, Office, played
from tests.contract.board_world import WitnessProcess, policy_of
from tests.servers import create_database, drop_database

MOST = 300
"""Offices at most: the witnesses are told all their log keys when they start."""

_taken = count()


@pytest.fixture(scope="session")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Folders of log keys, one for each office to come."""
    folder = tmp_path_factory.mktemp("keys")
    made = [folder / f"{n}" for n in range(MOST)]
    for n, room in enumerate(made):
        write_keys(room, f"huiyin.test/{n}")
    return made


def write_keys(room: Path, origin: str) -> None:
    """What `make_log_keys` writes, without waiting for the disk each time."""
    room.mkdir(mode=0o700)
    for file, name in ((LOG_KEY, origin), (RECEIPT_KEY, receipts_of(origin))):
        private = Ed25519PrivateKey.generate()
        public, seed = private.public_key().public_bytes_raw(), private.private_bytes_raw()
        (room / file).with_suffix(".pub").write_text(
            f"{VerifierKey.of(name, ED25519, public)}\n", encoding="ascii"
        )
        (room / file).write_text(f"{SignerKey.of(name, ED25519, public, seed)}\n", encoding="ascii")
        (room / file).chmod(0o600)


@pytest.fixture(scope="session")
def boards(
    rooms: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[WitnessProcess, ...]]:
    """Three boards' witnesses, each a process with a key and a state of its own."""
    folder, keys = tmp_path_factory.mktemp("boards"), [public_key(room / LOG_KEY) for room in rooms]
    with ExitStack() as running:
        yield tuple(
            running.enter_context(WitnessProcess(folder / name, name, *keys))
            for name in ("audit", "council", "court")
        )


@pytest.fixture(scope="session")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The trail in a data folder; never written to again."""
    folder = tmp_path_factory.mktemp("trail") / "data"
    played(Settings(data=folder))
    return folder


@pytest.fixture(scope="session")
def on_postgres(postgres_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """The trail in a PostgreSQL database, and the data folder with its master keys; never written to again."""
    folder, name = tmp_path_factory.mktemp("trail") / "data", f"huiyin_trail_{uuid4().hex}"
    dsn = create_database(postgres_dsn, name)
    played(Settings(data=folder, store=dsn))
    yield folder, dsn
    drop_database(postgres_dsn, name)


def copied(postgres_dsn: str, dsn: str) -> str:
    """A copy of a database that nobody is connected to; returns its DSN."""
    name, model = f"huiyin_{uuid4().hex}", urlsplit(dsn).path[1:]
    with psycopg.connect(postgres_dsn, autocommit=True) as connection:
        made = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        connection.execute(made.format(sql.Identifier(name), sql.Identifier(model)))
    return urlsplit(dsn)._replace(path=f"/{name}").geturl()


@pytest.fixture
def trail(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Path, str | None]]:
    """A copy of the trail of the test's own: SQLite, unless the test asks for PostgreSQL."""
    data = tmp_path / "data"
    if getattr(request, "param", "sqlite") == "sqlite":
        shutil.copytree(request.getfixturevalue("on_sqlite"), data)
        yield data, None
        return
    folder, model = request.getfixturevalue("on_postgres")
    shutil.copytree(folder, data)
    server = request.getfixturevalue("postgres_dsn")
    dsn = copied(server, model)
    yield data, dsn
    drop_database(server, urlsplit(dsn).path[1:])


@pytest.fixture
def unsealed(
    trail: tuple[Path, str | None], rooms: list[Path], boards: tuple[WitnessProcess, ...], tmp_path: Path
) -> Office:
    """The office with its trail, before its log is opened."""
    data, store = trail
    n = next(_taken)
    keys = shutil.copytree(rooms[n], tmp_path / "log-keys")
    return Office(data, keys, f"huiyin.test/{n}", boards, store)


@pytest.fixture
def office(unsealed: Office) -> Office:
    """The office with its trail sealed and cosigned by all three boards; two of them are a quorum."""
    unsealed.adopts()
    unsealed.seals()
    unsealed.asks()
    return unsealed


@pytest.fixture
def board(unsealed: Office, tmp_path: Path) -> Board:
    """A board's desk, with the policy as the board has it from its own resolution."""
    folder = tmp_path / "board"
    folder.mkdir()
    return Board(folder, policy_of(unsealed.log_key, *unsealed.boards, k=2))
