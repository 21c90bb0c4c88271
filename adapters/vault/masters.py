"""Master keys: files of their owner alone, under which the data keys are wrapped.

`master.key` is for the ordinary holder, `discipline.key` for cases diverted to discipline inspection. Who
copies the databases without these files has nothing; who loses them has lost every sealed value.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.refusal import Refused

HOLDERS = {"ordinary": "master.key", "discipline": "discipline.key"}
NONCE_BYTES = 12
KEY_BYTES = 32


def create_masters(folder: Path) -> tuple[str, ...]:
    """Make the master keys that do not exist yet, and return their file names. Raises OSError.

    Only at the first start, and explicitly: a lost key must be brought back from its copy, never made anew.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = tuple(name for name in HOLDERS.values() if not (folder / name).exists())
    for name in made:
        _write_durably(folder / name, secrets.token_hex(KEY_BYTES))
    return made


class Masters:
    """The master keys of a folder, by holder; they wrap and unwrap small secrets."""

    def __init__(self, folder: Path) -> None:
        """Read the key files. Raises Refused("master_key_missing" or "…_open" or "…_damaged", …).

        `discipline.key` may be absent: then this process cannot open diverted cases, nor divert one.
        """
        self._ciphers: dict[str, AESGCM] = {}
        self._prints: dict[str, str] = {}
        for holder, name in HOLDERS.items():
            if holder != "ordinary" and not (folder / name).exists():
                continue
            key = _read(folder / name)
            self._ciphers[holder] = AESGCM(key)
            self._prints[holder] = hashlib.sha256(b"huiyin master key\x00" + key).hexdigest()[:16]

    def fingerprint(self, holder: str) -> str:
        """What tells one master key from another without giving it away."""
        self._cipher(holder)
        return self._prints[holder]

    def has(self, holder: str) -> bool:
        """Whether this process holds the holder's master key."""
        return holder in self._ciphers

    def wrap(self, holder: str, secret: bytes, label: str) -> bytes:
        """The secret, encrypted under the holder's master key and bound to its label."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher(holder).encrypt(nonce, secret, label.encode())

    def unwrap(self, holder: str, wrapped: bytes, label: str) -> bytes:
        """The secret of `wrap`. Raises Refused("master_key_differs", …) if this key did not wrap it."""
        try:
            return self._cipher(holder).decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], label.encode())
        except InvalidTag as error:
            raise master_key_differs(HOLDERS[holder]) from error

    def _cipher(self, holder: str) -> AESGCM:
        if holder not in HOLDERS:
            raise ValueError(f"no such holder of keys: {holder}")
        cipher = self._ciphers.get(holder)
        if cipher is None:
            raise _missing(HOLDERS[holder])
        return cipher


def master_key_differs(name: str) -> Refused:
    """The refusal for a master key that is not the one of this key store."""
    return Refused("master_key_differs", f"Bring back the {name} that this key store was made with.")


def _missing(name: str) -> Refused:
    return Refused(
        "master_key_missing", f"Bring back {name} from its copy, or create the master keys at a first start."
    )


def _read(path: Path) -> bytes:
    try:
        mode, text = path.stat().st_mode, path.read_text("ascii")
    except FileNotFoundError as error:
        raise _missing(path.name) from error
    if stat.S_IMODE(mode) & 0o077:
        raise Refused("master_key_open", f"Let nobody but its owner read {path.name}: chmod 600.")
    try:
        key = bytes.fromhex(text.strip())
    except ValueError as error:
        raise _damaged(path.name) from error
    if len(key) != KEY_BYTES:
        raise _damaged(path.name)
    return key


def _damaged(name: str) -> Refused:
    return Refused(
        "master_key_damaged", f"Bring back {name} from its copy: it must hold 64 hexadecimal digits."
    )


def _write_durably(path: Path, text: str) -> None:
    # Written beside and renamed, so that a power cut leaves the whole key or none.
    fresh = path.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
