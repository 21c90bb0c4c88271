"""metamorphic-log (Rust): checks signed heads, inclusion and consistency proofs."""

import base64
import json
import sys

import metamorphic_log as judge


def decoded(texts):
    return [base64.b64decode(text) for text in texts]


def checkpoint(question):
    head = judge.checkpoint_verify(question["note"], question["vkeys"])
    return {"origin": head.origin, "size": head.size, "root": base64.b64encode(bytes(head.root)).decode()}


def inclusion(question):
    judge.checkpoint_verify_inclusion(
        question["note"], question["vkeys"], question["index"], base64.b64decode(question["leaf_hash"]),
        decoded(question["proof"]),
    )  # fmt: skip
    return {}


def consistency(question):
    judge.checkpoint_verify_consistency(*question["notes"], question["vkeys"], decoded(question["proof"]))
    return {}


question = json.load(sys.stdin)
asked = {"checkpoint": checkpoint, "inclusion": inclusion, "consistency": consistency}[question["about"]]
try:
    answer = {"ok": True, "said": "", **asked(question)}
except judge.VerifyError as refused:
    answer = {"ok": False, "said": repr(refused)}
print(json.dumps(answer))
