"""Who signs: the log's key and the receipts' key, files of their owner alone, away from the databases.

`log.key` is the sealer's and signs heads; `receipt.key` is the edge's and signs the promises given to residents. Both
are plain Ed25519 keys in the text form of C2SP signed-note (`PRIVATE+KEY+…`); beside each lies `….pub`, its verifier
key, for whoever needs only that. A process gets the one file that it needs.

**An HSM** plugs in as a `Signer`: an object with the verifier key (`VerifierKey.of(origin, ED25519, public)`) and a
method `sign` that hands the message to the module (PKCS#11: CKM_EDDSA, key type CKK_EC_EDWARDS) and returns the 64
bytes of the signature. The sealer takes any such object; `open_signer` is the one place where the roles get theirs. How far
the key has signed (adapters.log.mark) stays a file in the folder of the log's keys, on a disk of the machine that asks
the module.
"""

from __future__ import annotations

import secrets
import stat
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from adapters.put import put
from domain.log.notes import (
    ED25519,
    ML_DSA_44_COSIGNATURE,
    SEED_BYTES,
    NoteError,
    Sign,
    SignerKey,
    VerifierKey,
    Verify,
)
from domain.log.policy import Policy
from domain.refusal import Refused

LOG_KEY, RECEIPT_KEY = "log.key", "receipt.key"


class Signer(Protocol):
    """Who signs: a verifier key and what makes its signatures. Raises domain.refusal.Unavailable if it is out of reach."""

    @property
    def vkey(self) -> VerifierKey:
        """By which everybody verifies."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of an Ed25519 signature (RFC 8032)."""
        ...


class FileSigner:
    """A key held in memory."""

    def __init__(self, key: SignerKey) -> None:
        """Raises NoteError for a key whose id is not its own."""
        self._private = Ed25519PrivateKey.from_private_bytes(key.seed)
        self.vkey = key.verifier(_public(self._private))

    def sign(self, message: bytes) -> bytes:
        """The signature."""
        return self._private.sign(message)


def ed25519_sign(seed: bytes) -> Sign:
    """What signs with the key of this 32-byte seed."""
    return Ed25519PrivateKey.from_private_bytes(seed).sign


def ed25519_verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether an Ed25519 signature holds (RFC 8032); False as well for a malformed key or signature."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def ml_dsa_44_verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether an ML-DSA-44 signature holds (FIPS 204); False as well for a malformed key or signature.

    Only where `ML_DSA_44` is not None.
    """
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey  # not in every build

    try:
        MLDSA44PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _known_here() -> bool:
    """Whether this build of cryptography, and the OpenSSL under it, knows ML-DSA."""
    try:
        from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

        MLDSA44PrivateKey.from_seed_bytes(bytes(SEED_BYTES))
    except (ImportError, UnsupportedAlgorithm):
        return False
    return True


ML_DSA_44: Verify | None = ml_dsa_44_verify if _known_here() else None
"""What verifies the lines of boards with a key of type 6, None where this build cannot."""


def check_verifiable(policy: Policy) -> None:
    """Every board's line can be counted here. Raises Refused "ml_dsa_missing"."""
    wanting = [one.name for one in policy.witnesses if one.vkey.algorithm == ML_DSA_44_COSIGNATURE]
    if wanting and ML_DSA_44 is None:
        raise Refused(
            "ml_dsa_missing",
            f"Install a build of cryptography that knows ML-DSA-44 first: no line of {', '.join(wanting)} would ever be"
            " counted here.",
        )


def receipts_of(origin: str) -> str:
    """The name of the key that signs the receipts of the log of this origin."""
    return f"{origin}/receipts"


def make_log_keys(folder: Path, origin: str) -> tuple[str, ...]:
    """Make the keys that do not exist yet; returns the names of their files. Raises OSError, Unavailable, NoteError.

    Only at the first start, and explicitly: a lost key must be brought back from its copy, never made anew.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    names = {LOG_KEY: origin, RECEIPT_KEY: receipts_of(origin)}
    made = tuple(name for name in names if not (folder / name).exists())
    for name in made:
        make_key(folder / name, names[name])
    return made


def make_key(path: Path, name: str, algorithm: int = ED25519) -> VerifierKey:
    """A new key under this name, and its verifier key beside it as `….pub`. What stood there is replaced.

    `algorithm` is ED25519 for who signs notes, ED25519_COSIGNATURE for a board. Raises NoteError, Unavailable.
    """
    seed = secrets.token_bytes(SEED_BYTES)
    public = _public(Ed25519PrivateKey.from_private_bytes(seed))
    vkey = VerifierKey.of(name, algorithm, public)
    put(path.with_suffix(".pub"), f"{vkey}\n".encode())
    put(path, f"{SignerKey.of(name, algorithm, public, seed)}\n".encode(), mode=0o600)
    return vkey


def open_signer(path: Path, algorithm: int = ED25519) -> Signer:
    """The key of this file, which must be of this type.

    Raises Refused "signing_key_missing", "signing_key_open", "signing_key_damaged".
    """
    try:
        mode, text = path.stat().st_mode, path.read_text("ascii")
    except FileNotFoundError as error:
        raise _missing(path) from error
    except (OSError, UnicodeError) as error:
        raise _damaged(path) from error
    if stat.S_IMODE(mode) & 0o077:
        raise Refused("signing_key_open", f"Let nobody but its owner read {path.name}: chmod 600.")
    try:
        key = SignerKey.parse(text.strip())
        if key.algorithm != algorithm:
            raise _damaged(path)
        return FileSigner(key)
    except NoteError as error:
        raise _damaged(path) from error


def public_key(path: Path) -> VerifierKey:
    """The verifier key of a key file, for who need not sign: from `….pub`, or from the key itself."""
    try:
        return VerifierKey.parse(path.with_suffix(".pub").read_text("ascii").strip())
    except FileNotFoundError:
        return open_signer(path).vkey
    except (OSError, UnicodeError, NoteError) as error:
        raise _damaged(path.with_suffix(".pub")) from error


def _public(private: Ed25519PrivateKey) -> bytes:
    return private.public_key().public_bytes_raw()


def _missing(path: Path) -> Refused:
    return Refused(
        "signing_key_missing", f"Bring back {path.name} from its copy, or run huiyin init at a first start."
    )


def _damaged(path: Path) -> Refused:
    return Refused("signing_key_damaged", f"Bring back {path.name} from its copy: it holds no Ed25519 key.")
