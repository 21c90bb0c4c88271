"""What `huiyin receipt verify` says, in Chinese and in English, without a word that only the office understands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from domain.instant import written
from domain.log.texts import to_base64
from domain.refusal import Refused

if TYPE_CHECKING:
    from adapters.receipt.verify import Proven

FAILURES: Final = {
    "proof_invalid": ("证明文件无效，不要采信。", "The proof does not hold; do not believe it."),
    "promise_invalid": ("这不是完整的回执承诺。", "This is no promise, or not a whole one."),
    "promise_forged": (
        "回执承诺不是由您所信任的回执密钥签署的：可能是伪造的。",
        "The promise is not signed by a receipt key that you trust: it may be forged.",
    ),
    "leaf_differs": (
        "承诺与证明所指的不是同一条记录。",
        "The promise and the proof do not speak of the same record.",
    ),
    "unknown_log": (
        "证明出自您的信任规则未列入的日志，或者未经该日志签名。",
        "The head is of a log that your policy does not name, or that log has not signed it.",
    ),
    "policy_unsatisfied": (
        "会签的监督方不够：请稍后索取新的证明。",
        "Too few of your policy's boards have cosigned: ask for a newer proof later.",
    ),
    "receipt_key_missing": (
        "请用 --receipt-key 给出回执验证密钥（应从公告栏等别处得知）。",
        "Give the verifier key of the receipts with --receipt-key, known from elsewhere, such as the notice board.",
    ),
    "receipt_key_invalid": (
        "回执验证密钥抄写有误。",
        "Copy the receipt key whole: it is not a verifier key.",
    ),
    "policy_missing": (
        "请用 --policy 给出您的信任规则：哪个日志、哪些监督方、至少几家。",
        "Give your policy with --policy: which log, which boards, and how many of them at the least.",
    ),
    "policy_invalid": ("信任规则文件有误。", "The policy file is wrong."),
    "leaf_missing": (
        "证明里没有回执承诺：请用 --promise 或 --leaf 给出所证明的记录。",
        "The proof carries no promise: give the promise with --promise, or the record itself with --leaf.",
    ),
}


def failure(code: str, detail: str = "") -> Refused:
    """The refusal of this code, in both languages; `detail` says what exactly."""
    return Refused(code, " ".join(filter(None, (*FAILURES[code], detail))))


def sentences(proven: Proven) -> list[tuple[str, str]]:
    """What was proven, sentence by sentence, in Chinese and English."""
    said = []
    if promise := proven.promise:
        recorded, due = written(promise.recorded_at), written(promise.due)
        said.append((
            f"承诺属实：事项 {promise.number} 于 {recorded} 登记，办理方签名承诺最迟 {due} 列入日志 {promise.origin} 并经会签。",
            f"The promise holds: matter {promise.number}, recorded {recorded}, was promised a cosigned place in the log"
            f" {promise.origin} by {due}.",
        ))  # fmt: skip
    if place := proven.included:
        said.append((
            f"收录属实：该记录是日志 {place.origin} 第 {place.index} 号（从 0 起），日志共 {place.size} 条，由日志签名。",
            f"The inclusion holds: the record is number {place.index} (from 0) of the log {place.origin}, whose"
            f" {place.size} records the log has signed.",
        ))  # fmt: skip
        boards = ", ".join(f"{name} ({written(at)})" for name, at in place.boards.items()) or "-"
        said.append((
            f"会签属实：{len(place.boards)} 家（至少须 {place.needed} 家）：{boards}。",
            f"The cosignatures hold: {len(place.boards)} boards, at least {place.needed} being asked for: {boards}.",
        ))  # fmt: skip
        said.append((
            "这证明该记录至迟在会签之时已经存在并且此后未被更改，不证明其内容属实。",
            "It proves that the record existed by the time of the cosignatures and has not changed since, not that what"
            " it says is true.",
        ))  # fmt: skip
    elif proven.promise:
        said.append((
            f"尚未证明收录：请在 {written(proven.promise.due)} 之后索取证明；拿不到，这份承诺就是证据。",
            f"Inclusion is not proven yet: ask for the proof after {written(proven.promise.due)}; if there is none"
            " then, this promise is your evidence.",
        ))  # fmt: skip
    return said


def as_body(proven: Proven) -> dict[str, object]:
    """The same for a program."""
    promise, place = proven.promise, proven.included
    return {
        "outcome": "proven",
        "leaf_hash": to_base64(proven.leaf_hash),
        "promise": promise
        and {
            "origin": promise.origin, "number": promise.number, "recorded_at": written(promise.recorded_at),
            "delay_hours": promise.delay_hours, "due": written(promise.due),
        },
        "included": place
        and {
            "origin": place.origin, "index": place.index, "size": place.size, "root": to_base64(place.root),
            "boards": {name: written(at) for name, at in place.boards.items()}, "boards_needed": place.needed,
        },
    }  # fmt: skip
