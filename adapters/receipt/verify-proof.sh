#!/bin/sh
# 只用 sh、OpenSSL 3 与 coreutils 核验一份 .tlog-proof。 Check one .tlog-proof with sh, OpenSSL 3 and coreutils alone.
#
#   sh verify-proof.sh PROOF LEAF KEY...
#
# PROOF  the .tlog-proof (C2SP tlog-proof)
# LEAF   the record's bytes; or receipts.vkey, and then the leaf is the one that the promise in PROOF names
# KEY    log.vkey and any boards' keys (C2SP signed-note): all of these must have signed the head, the log's among them
#
# 公钥须从别处得知。 Know the keys from elsewhere. ML-DSA keys are not checked here.
# 退出码 exit code: 0 收录属实 included · 1 不属实 not · 2 用法或环境 wrong use
set -eu
export LC_ALL=C
unknown() { echo "用法 usage: sh verify-proof.sh PROOF LEAF KEY...  ($1)" >&2; exit 2; }
fails() { echo "不属实 FAIL $1" >&2; exit 1; }
[ $# -ge 3 ] || unknown "three files or more"
for file; do [ -r "$file" ] || unknown "$file cannot be read"; done
case $(openssl version 2>/dev/null) in "OpenSSL "[3-9]*) ;; *) unknown "OpenSSL 3 or newer is needed" ;; esac
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT

bytes() { printf %s "$1" | openssl base64 -d -A; }
text() { openssl base64 -A; }
sha256() { openssl dgst -sha256 -binary; }
number() { case $1 in '' | *[!0-9]* | 0?* | ???????????????????*) fails "$2" ;; esac; }
hash32() { [ ${#1} -eq 44 ] && [ "$(bytes "$1" | wc -c)" -eq 32 ] && [ "$(bytes "$1" | text)" = "$1" ] || fails "$2"; }
plain() { [ "$(tr -d '\000-\011\013-\037' <"$1" | wc -c)" -eq "$(wc -c <"$1")" ] || fails "proof_invalid: a control character"; }

# note FILE: $work/text gets what was signed, $work/lines the signatures (C2SP signed-note)
note() {
  plain "$1"
  tail -n 1 "$1" | grep -q '^— ' || fails "proof_invalid: no signature"
  sed '/^— /,$d' "$1" | sed '$d' >"$work/text"
  sed -n '/^— /,$p' "$1" >"$work/lines"
  ! grep -qv '^— ' "$work/lines" && [ -z "$(sed '/^— /,$d' "$1" | tail -n 1)" ] || fails "proof_invalid: no note"
}

# signed VKEY: whether the note bears this key's signature (0x01), or its cosignature (0x04)
signed() {
  name=${1%%+*} material=${1#*+}
  material=${material#*+}
  bytes "$material" >"$work/public"
  { printf '%s\n' "$name"; cat "$work/public"; } | sha256 | head -c 4 >"$work/id"
  [ "$name+$(od -An -v -tx1 "$work/id" | tr -d ' \n')+$material" = "$1" ] || unknown "a key is written name+hash+base64"
  [ "$(wc -c <"$work/public")" -eq 33 ] || unknown "only Ed25519 keys are checked here"
  kind=$(head -c 1 "$work/public" | od -An -tu1 | tr -d ' ')
  { printf '\060\052\060\005\006\003\053\145\160\003\041\000'; tail -c 32 "$work/public"; } >"$work/key"  # RFC 8410
  while read -r dash who blob; do
    [ "$dash $who" = "— $name" ] || continue
    bytes "$blob" >"$work/blob"
    head -c 4 "$work/blob" | cmp -s - "$work/id" || continue
    tail -c 64 "$work/blob" >"$work/signature"
    case $kind/$(wc -c <"$work/blob" | tr -d ' ') in
      1/68) cp "$work/text" "$work/message" ;;
      4/76)
        time=0
        for byte in $(tail -c 72 "$work/blob" | head -c 8 | od -An -v -tu1); do time=$((time * 256 + byte)); done
        { printf 'cosignature/v1\ntime %s\n' "$time"; cat "$work/text"; } >"$work/message" ;;
      *) continue ;;
    esac
    openssl pkeyutl -verify -pubin -keyform DER -inkey "$work/key" -rawin -in "$work/message" \
      -sigfile "$work/signature" >/dev/null 2>&1 && return 0
  done <"$work/lines"
  return 1
}

# ---- the proof: extra line, index, path; after an empty line the head -------------------------------------------------
proof=$1 leaf=$2
shift 2
plain "$proof"
sed '/^$/,$d' "$proof" >"$work/top"
sed '1,/^$/d' "$proof" >"$work/head"
[ "$(head -n 1 "$work/top")" = "c2sp.org/tlog-proof@v1" ] || fails "proof_invalid: not a .tlog-proof"
extra=$(sed -n '2s/^extra //p' "$work/top")
sed -e 1d -e '2{/^extra /d;}' "$work/top" >"$work/rest"
index=$(sed -n '1s/^index //p' "$work/rest")
number "$index" "proof_invalid: no index"

# ---- the leaf's hash: never the proof's own word (RFC 9162 section 2.1.1) --------------------------------------------
if grep -qE '^[^+ ]+/receipts\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+$' "$leaf"; then
  [ -n "$extra" ] || fails "leaf_missing: the proof carries no promise"
  bytes "$extra" >"$work/promise"
  note "$work/promise"
  [ "$(head -n 1 "$work/text")" = "huiyin-receipt/v1" ] || fails "promise_invalid"
  promised=$(sed -n 2p "$work/text")
  signed "$(cat "$leaf")" && [ "$name" = "$promised/receipts" ] || fails "promise_forged"
  hash=$(sed -n 4p "$work/text")
else
  hash=$({ printf '\000'; cat "$leaf"; } | sha256 | text)
fi
hash32 "$hash" "promise_invalid"

# ---- the head, and who signed it ---------------------------------------------------------------------------------------
note "$work/head"
origin=$(sed -n 1p "$work/text") size=$(sed -n 2p "$work/text") root=$(sed -n 3p "$work/text")
number "$size" "proof_invalid: no size"
hash32 "$root" "proof_invalid: no root"
[ "${promised:-$origin}" = "$origin" ] || fails "unknown_log: the promise is another log's"
log=no
for file; do
  key=$(cat "$file")
  signed "$key" || fails "policy_unsatisfied: not signed by ${key%%+*}"
  [ "$kind" = 4 ] || [ "$name" != "$origin" ] || log=yes
done
[ $log = yes ] || fails "unknown_log: no key of $origin was given"

# ---- the way from the leaf to the root (RFC 9162 section 2.1.3.2) ------------------------------------------------------
[ "$index" -lt "$size" ] || fails "proof_invalid: the index lies outside the tree"
inner=$index last=$((size - 1))
for step in $(sed 1d "$work/rest"); do
  hash32 "$step" "proof_invalid: a step that is no hash"
  [ "$last" -ne 0 ] || fails "proof_invalid: the path is too long"
  if [ $((inner & 1)) -eq 1 ] || [ "$inner" -eq "$last" ]; then
    hash=$({ printf '\001'; bytes "$step"; bytes "$hash"; } | sha256 | text)
    while [ $((inner & 1)) -eq 0 ] && [ "$inner" -ne 0 ]; do inner=$((inner >> 1)) last=$((last >> 1)); done
  else
    hash=$({ printf '\001'; bytes "$hash"; bytes "$step"; } | sha256 | text)
  fi
  inner=$((inner >> 1)) last=$((last >> 1))
done
[ "$last" -eq 0 ] && [ "$hash" = "$root" ] || fails "proof_invalid: the path does not lead to the signed root"
echo "收录属实 INCLUDED: $origin, leaf $index of $size, under $# keys"
