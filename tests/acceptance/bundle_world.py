"""A played district with its evidence log, its heads cosigned by three boards, and bundles taken of it."""

import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from adapters.bundle.taking import Order, Taken, take
from adapters.demo import turns
from adapters.log import open_log
from adapters.log.keys import LOG_KEY, make_log_keys, public_key
from adapters.log.role import opening_of, sealer_of
from adapters.log.sealer import nobody
from adapters.log.store import Head, LogStore
from domain.acting import Actor, Command
from domain.log.commands import adoption_of
from domain.log.notes import parse_note
from domain.log.tiles import decode_entries
from domain.log.words import LOG
from domain.register import commands as c
from tests import bundle_maker as make
from tests.story import DISTRICT, Story, eventful, story
from workflows.standing import REGISTER
from workflows.submission import Sealing, Submission


@dataclass
class Audited:
    """The story, its log, and a folder for what boards are sent."""

    tale: Story
    log: LogStore
    folder: Path

    @property
    def key(self) -> str:
        return str(public_key(self.tale.engine.settings.log_keys_folder / LOG_KEY))

    @property
    def policy(self) -> Path:
        path = self.folder / "policy"
        path.write_text(make.policy().replace(make.LOG_KEY.vkey, self.key))
        return path

    def actor(self, body: str, post: str) -> Actor:
        return self.tale.scene.actor(body, post)

    def adopt(self) -> None:
        """Let two of the three boards be enough."""
        text = self.policy.read_text()
        keeper = Actor(person=DISTRICT.security, body="system", post="security_admin")
        answer = self.tale.engine.handle(
            Submission(
                "test", uuid4().hex, LOG, adoption_of(text, 24), keeper, authority="resolution:1", texts=(text,)
            )
        )  # fmt: skip
        assert answer.accepted, answer

    def seal(self, *, cosigned: bool = True, missing: int | None = None) -> Head:
        """Seal and sign whatever the store holds, but for the event `missing`, and let the boards cosign it."""
        engine = self.tale.engine
        opening = opening_of(engine.settings, "test")
        sealer = sealer_of(engine.settings, engine.store, self.log, opening, self.tale.clock, nobody)
        after = sealer.position()
        while batch := engine.store.read(after, 1000):
            sealer.seal([row for row in batch if row.position != missing])
            after = batch[-1].position
        head = self.log.head()
        assert head is not None
        if cosigned:
            now = self.tale.clock()
            lines = [one.line(parse_note(head.note).text, now)[:-1] for one in make.BOARDS]
            self.log.add_cosignatures(head.size, lines, quorum_at=now)
        return head

    def take(self, name: str = "bundle.zip", **order: Any) -> tuple[Path, Taken]:
        """The bundle that the district's board takes, unless `order` says otherwise."""
        given = {"actor": self.actor("board", "board_member"), **order}
        path = self.folder / name
        return path, take(self.tale.engine, self.log, Order(**given), path)


@contextmanager
def audited(folder: Path, seed: int = 7) -> Iterator[Audited]:
    """A founded district whose log begins with its first event."""
    with story(folder / "data", seed) as tale:
        settings = tale.engine.settings
        make_log_keys(settings.log_keys_folder, settings.origin)
        log = open_log(settings.log_url)
        try:
            yield Audited(tale, log, folder)
        finally:
            log.close()


@contextmanager
def cosigned(folder: Path) -> Iterator[Audited]:
    """The same, with the policy of three boards adopted."""
    with audited(folder) as world:
        world.seal(cosigned=False)
        world.adopt()
        yield world


@contextmanager
def lived(folder: Path) -> Iterator[Audited]:
    """The same after one eventful case and one accusation, sealed and cosigned; only bundles are to be taken of it."""
    with cosigned(folder) as world:
        eventful(world.tale)
        turns.accusation(world.tale.scene)
        world.seal()
        yield world


def files_of(path: Path) -> dict[str, bytes]:
    """What a bundle holds."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def leaves_of(path: Path) -> list[dict[str, Any] | None]:
    """The leaves of a bundle's entries, None for one withheld."""
    bundles = [data for name, data in files_of(path).items() if name.startswith("log/tile/entries/")]
    return [json.loads(entry) if entry else None for data in bundles for entry in decode_entries(data)]


def seat_board(world: Audited, board: str, parent: str) -> Actor:
    """Another supervisory board under this body, with one member."""
    handle, person = world.tale.engine.handle, world.tale.desk.id()
    security = Actor(person=DISTRICT.security, body="system", post="security_admin")
    system = Actor(person=DISTRICT.system, body="system", post="system_admin")
    name = (Sealing("name", person, "监事庚"),)
    steps: tuple[tuple[Actor, Command, tuple[Sealing, ...]], ...] = (
        (
            system,
            c.EnterBody(
                body=board, kind="supervisory_board", parent=parent, name_zh="居务监督委员会", name_en="Board",
                district=DISTRICT.code,
            ),
            (),
        ),
        (security, c.EnterPerson(person=person), name),
        (security, c.FillPost(person=person, body=board, post="board_member"), ()),
    )  # fmt: skip
    for actor, command, sealed in steps:
        submission = Submission(
            "test", uuid4().hex, REGISTER, command, actor, authority="resolution:2", sealed=sealed
        )
        answer = handle(submission)
        assert answer.accepted, answer
    return Actor(person=person, body=board, post="board_member")
