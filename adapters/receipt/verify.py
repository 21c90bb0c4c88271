"""What a receipt proves, found out from files alone: no server, no data folder, nobody of the office.

Trusted are only what the reader brings: a policy (which logs, which boards, how many of them), the verifier key of the
receipts, both known from elsewhere. Whatever a file says is checked against these, or not believed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from adapters.log.keys import ML_DSA_44, ed25519_verify
from adapters.receipt.promise import KIND, Promise, PromiseError, promise_of, signed_by
from adapters.receipt.words import failure
from domain.log.notes import NoteError, VerifierKey
from domain.log.policy import Accepted, Policy, PolicyError
from domain.log.proof import Proof, parse_proof, verify_proof
from domain.log.tree import ProofError, leaf_hash

_OF_A_HEAD = {"log_unknown": "unknown_log", "quorum_missing": "policy_unsatisfied"}


@dataclass(frozen=True, slots=True)
class Trusted:
    """What the reader brings: texts as read, None for what there is not.

    `promise` is the note handed out at intake, `leaf` the bytes of the leaf, for whoever holds them.
    """

    policy: str | None = None
    receipt_keys: tuple[str, ...] = ()
    promise: str | None = None
    leaf: bytes | None = None


@dataclass(frozen=True, slots=True)
class Included:
    """A leaf's proven place: which log, by which key, under which head, and which boards cosigned that when (UTC)."""

    index: int
    size: int
    root: bytes
    origin: str
    boards: dict[str, datetime]
    needed: int


@dataclass(frozen=True, slots=True)
class Proven:
    """What was proven: a promise, a place in the log, or both. `leaf_hash` is what both speak of."""

    leaf_hash: bytes
    promise: Promise | None
    included: Included | None


def verify_receipt(file: str, trusted: Trusted) -> Proven:
    """Check a `.tlog-proof` or a promise. Raises Refused with the first thing that does not hold.

    `proof_invalid`, `promise_invalid`, `promise_forged`, `leaf_differs`, `unknown_log`, `policy_unsatisfied`; and for
    what the reader has to bring: `receipt_key_missing`, `policy_missing`, `policy_invalid`, `leaf_missing`.
    """
    text = whole(file)
    brought = [] if trusted.promise is None else [_promise(whole(trusted.promise), trusted)]
    if text.startswith(f"{KIND}\n"):
        promise = _the_one([_promise(text, trusted), *brought])
        assert promise is not None
        return Proven(promise.leaf_hash, promise, None)
    proof = _parsed(text)
    promise = _the_one([*_carried(proof, trusted), *brought])
    hashed = _hash_of(trusted, promise)
    return Proven(hashed, promise, _included(proof, hashed, trusted))


def whole(text: str) -> str:
    """The text as it was written: a scanner or a mailer may have changed line ends, or taken away the last one."""
    return text.replace("\r\n", "\n").strip("\n") + "\n"


# -- the promise ------------------------------------------------------------------------------------------------------


def _carried(proof: Proof, trusted: Trusted) -> list[Promise]:
    """The promise of the extra line; nobody needs to believe it who holds the leaf itself and no receipt key."""
    if proof.extra is None or not proof.extra.startswith(f"{KIND}\n".encode()):
        return []
    if trusted.leaf is not None and not trusted.receipt_keys:
        return []
    try:
        return [_promise(proof.extra.decode("utf-8"), trusted)]
    except UnicodeDecodeError as error:
        raise failure("promise_invalid") from error


def _promise(text: str, trusted: Trusted) -> Promise:
    try:
        promise, note = promise_of(text)
    except PromiseError as error:
        raise failure("promise_invalid") from error
    if not trusted.receipt_keys:
        raise failure("receipt_key_missing")
    try:
        keys = tuple(VerifierKey.parse(one.strip()) for one in trusted.receipt_keys)
    except NoteError as error:
        raise failure("receipt_key_invalid") from error
    if not signed_by(note, promise, keys, ed25519_verify):
        raise failure("promise_forged")
    return promise


def _the_one(promises: list[Promise]) -> Promise | None:
    """The promise that all of them are, None for none."""
    if len({(one.number, one.leaf_hash) for one in promises}) > 1:
        raise failure("leaf_differs")
    return promises[0] if promises else None


# -- the place in the log ---------------------------------------------------------------------------------------------


def _parsed(text: str) -> Proof:
    try:
        return parse_proof(text)
    except (ProofError, NoteError) as error:
        raise failure("proof_invalid", error.advice) from error


def _hash_of(trusted: Trusted, promise: Promise | None) -> bytes:
    """The leaf hash that the proof is about: never the proof's own word."""
    found = [leaf_hash(trusted.leaf)] if trusted.leaf is not None else []
    found += [promise.leaf_hash] if promise is not None else []
    if not found:
        raise failure("leaf_missing")
    if len(set(found)) > 1:
        raise failure("leaf_differs")
    return found[0]


def _included(proof: Proof, hashed: bytes, trusted: Trusted) -> Included:
    policy = _policy(trusted)
    try:
        accepted = verify_proof(proof, hashed, policy, ed25519_verify, ML_DSA_44)
    except NoteError as error:
        raise failure(_OF_A_HEAD.get(error.code, "proof_invalid"), error.advice) from error
    except ProofError as error:
        raise failure("proof_invalid", error.advice) from error
    return _told(proof, accepted, policy)


def _policy(trusted: Trusted) -> Policy:
    if trusted.policy is None:
        raise failure("policy_missing")
    try:
        return Policy.parse(trusted.policy)
    except PolicyError as error:
        raise failure("policy_invalid", error.advice) from error


def _told(proof: Proof, accepted: Accepted, policy: Policy) -> Included:
    head = accepted.checkpoint
    try:
        boards = {name: datetime.fromtimestamp(at, UTC) for name, at in sorted(accepted.cosigned.items())}
    except (ValueError, OverflowError, OSError) as error:  # a board's clock beyond all calendars
        raise failure("proof_invalid") from error
    return Included(proof.index, head.size, head.root, head.origin, boards, policy.fewest)
