"""proofbundle: reads a whole .tlog-proof with its leaf, against the keys of the log and of the boards."""

import base64
import json
import sys

from proofbundle.tlogproof import verify_tlog_proof

question = json.load(sys.stdin)
found = verify_tlog_proof(
    question["proof"], base64.b64decode(question["leaf"]), question["vkey"], question["witnesses"],
    threshold=question["threshold"], expected_origin=question["origin"],
)  # fmt: skip
parts = {name: found[name] for name in ("log_ok", "witnesses_ok", "inclusion_ok")}
print(json.dumps({"ok": found["ok"], "said": str(found.get("detail", "")), **parts}))
