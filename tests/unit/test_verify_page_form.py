"""verify.html as a file: one, closed in itself, its policy fits its parts, its codes and words are those of verify.py."""

import base64
import hashlib
import re

from adapters.bundle import verify
from adapters.receipt.words import FAILURES
from tests.acceptance.page_world import PAGE

TEXT = PAGE.read_text(encoding="utf-8")
VERIFIER = PAGE.with_name("verify.py").read_text(encoding="utf-8")
ITS_OWN = {
    "browser_too_old",
    "too_large_here",
    "noted_malformed",
    "nothing_given",
    "page_failed",
    "promise_holds",
}
ITS_OWN |= {*FAILURES} - {"policy_invalid"}
"""What only a page can say, and what `huiyin receipt verify` says of a receipt without a bundle."""


def part(name: str) -> str:
    (found,) = re.findall(rf"<{name}>(.*?)</{name}>", TEXT, flags=re.DOTALL)
    return str(found)


def policy() -> dict[str, str]:
    (found,) = re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', TEXT)
    return dict(rule.strip().split(" ", 1) for rule in found.split(";"))


def digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_its_policy_lets_run_what_stands_in_it_and_nothing_else() -> None:
    assert policy() == {
        "default-src": "'none'", "script-src": digest(part("script")), "style-src": digest(part("style")),
        "worker-src": "blob:", "base-uri": "'none'", "form-action": "'none'",
    }  # fmt: skip


def test_it_names_no_other_file_and_no_way_out() -> None:
    assert re.findall(r"\b(?:src|href|action)\s*=\s*[\"']", TEXT) == []
    out = r"https?://|\bfetch\(|XMLHttpRequest|WebSocket|EventSource|sendBeacon|importScripts|import\(|@import|\burl\("
    assert re.findall(out, TEXT) == []


def test_it_makes_no_markup_and_no_code_of_texts() -> None:
    assert (
        re.findall(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|\son\w+=\"", TEXT
        )
        == []
    )


def test_every_finding_of_it_is_one_of_verify_py() -> None:
    codes = set(
        re.findall(r"(?:fail|note|Unreadable|BadLeaf|stop)\((?:\w+, \w+\.root, )?\"([a-z_]+)\"", TEXT)
    )

    assert len(codes) > 50
    assert {code for code in codes if f'"{code}"' not in VERIFIER} <= ITS_OWN


def test_it_says_what_no_log_can_show_in_the_same_words() -> None:
    for _, zh, en in verify.LIMITS:
        assert f'"{zh}"' in TEXT
        assert f'"{en}"' in TEXT


def test_the_codes_that_question_the_log_itself_are_the_same() -> None:
    listed = TEXT.split("const PROOF = new Set((")[1].split(")")[0]

    assert set(re.findall(r"[a-z_]{6,}", listed)) == set(verify.PROOF)


def test_it_says_of_receipts_what_the_command_says() -> None:
    differs = {
        "receipt_key_missing",
        "policy_missing",
        "policy_invalid",
        "leaf_missing",
    }  # these name options

    for code in FAILURES.keys() - differs:
        for said in FAILURES[code]:
            assert f'"{said}"' in TEXT
