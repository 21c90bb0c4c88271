"""tlog-scales: reads a log's tiles from a folder or a web server, and checks heads and proofs against them."""

import base64
import json
import sys

from tlog_scales import backend, tiles, tlog
from tlog_scales.reader import TilesReader
from tlog_scales.signing import Vkey, VkeySet
from tlog_scales.utils import sha256


def decoded(texts):
    return [base64.b64decode(text) for text in texts]


def signers(question):
    """Whose signature lines on a checkpoint hold: the names of the keys given."""
    checkpoint = tlog.Checkpoint.from_text(question["note"])
    keys = VkeySet(*map(Vkey.from_string, question["vkeys"]))
    return {"names": sorted(key.name for key, _ in keys.verify(checkpoint.signatures, checkpoint))}


def whole_tree(question):
    """Every hash of every tile follows from the leaf hashes, and all make the root that the log signed beside them."""
    reader = TilesReader(backend.make_backend(question["location"]))
    checkpoint = reader.get_checkpoint()
    checkpoint.verify(Vkey.from_string(question["vkeys"][0]))
    leaves = row = [reader.mth(index, index + 1) for index in range(checkpoint.size)]
    span = 1
    while len(row) >= 256:
        span *= 256
        row = [folded(row[at : at + 256]) for at in range(0, len(row) - 255, 256)]
        if row != [reader.mth(index * span, (index + 1) * span) for index in range(len(row))]:
            raise ValueError("the tiles make another tree than the checkpoint names")
    if not folded(leaves) == checkpoint.root_hash == reader.calculate_root_hash():
        raise ValueError("the tiles make another tree than the checkpoint names")
    return {"size": checkpoint.size}


def folded(hashes):
    """The root over every leaf hash (RFC 9162 section 2.1.2)."""
    stack = []
    for count, one in enumerate(hashes, 1):
        stack.append(one)
        while count % 2 == 0:
            stack[-2:] = [sha256(b"\x01" + stack[-2] + stack[-1])]
            count //= 2
    while len(stack) > 1:
        stack[-2:] = [sha256(b"\x01" + stack[-2] + stack[-1])]
    return stack[0]


def from_tiles(question):
    """A proof made by tlog-scales from the tiles leads from this leaf hash to the checkpoint's root."""
    reader = TilesReader(backend.make_backend(question["location"]))
    checkpoint = reader.get_checkpoint()
    proof = reader.get_inclusion_proof(question["index"], checkpoint.size)
    proof.check(base64.b64decode(question["leaf_hash"]), checkpoint.root_hash)
    return {"proof": [base64.b64encode(one).decode() for one in proof.node_hashes]}


def inclusion(question):
    """A proof of ours holds."""
    proof = tlog.InclusionProof(question["index"], question["size"], decoded(question["proof"]))
    leaf_hash = tiles.leaf_hash(base64.b64decode(question["leaf"]))
    proof.check(leaf_hash, base64.b64decode(question["root"]))
    return {}


def consistency(question):
    """A proof of ours holds between two roots."""
    proof = tlog.ConsistencyProof(question["old"], question["new"], decoded(question["proof"]))
    proof.check(*decoded(question["roots"]))
    return {}


question = json.load(sys.stdin)
asked = {
    "signers": signers, "whole_tree": whole_tree, "from_tiles": from_tiles,
    "inclusion": inclusion, "consistency": consistency,
}[question["about"]]  # fmt: skip
try:
    answer = {"ok": True, "said": "", **asked(question)}
except Exception as refused:  # noqa: BLE001 - whatever it raises is its answer
    answer = {"ok": False, "said": f"{type(refused).__name__}: {refused}"}
print(json.dumps(answer))
