"""A time stamp authority (RFC 3161) made by the `openssl` program: its root certificate, and real tokens."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

CONFIG = """
[req]
distinguished_name = name
prompt = no
[name]
CN = {name}
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
[stamping]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[tsa]
serial = {folder}/serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
ess_cert_id_chain = no
ordering = no
tsa_name = no
crypto_device = builtin
"""


def missing() -> str:
    """Why no authority can be made here; empty where one can."""
    if shutil.which("openssl") is None:
        return "no openssl on PATH"
    told = subprocess.run(["openssl", "version"], capture_output=True, text=True, check=True).stdout
    return (
        "" if re.match(r"OpenSSL ([3-9]|\d\d)\.", told) else f"OpenSSL 3 or newer is needed, this is {told}"
    )


class Authority:
    """An authority in a folder of its own."""

    def __init__(self, folder: Path, name: str = "time.example") -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self._config = folder / "openssl.cnf"
        self._config.write_text(CONFIG.format(name=name, folder=folder))
        (folder / "serial").write_text("01\n")
        self.root = folder / "root.pem"
        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        self._openssl("req", "-x509", *key, "-config", self._config, "-extensions", "root", "-days", "3650",
                      "-keyout", folder / "root.key", "-out", self.root)  # fmt: skip
        self._openssl(
            "req", *key, "-config", self._config, "-keyout", folder / "tsa.key", "-out", folder / "tsa.csr"
        )
        self._openssl("x509", "-req", "-in", folder / "tsa.csr", "-CA", self.root, "-CAkey", folder / "root.key",
                      "-CAcreateserial", "-extfile", self._config, "-extensions", "stamping", "-days", "3650",
                      "-out", folder / "tsa.pem")  # fmt: skip

    def stamps(self, data: bytes, digest: str = "sha256") -> bytes:
        """The token over these bytes, with the authority's certificate in it."""
        (self.folder / "data").write_bytes(data)
        self._openssl(
            "ts", "-query", "-data", self.folder / "data", f"-{digest}", "-cert", "-out", self.folder / "tsq"
        )
        self._openssl("ts", "-reply", "-config", self._config, "-section", "tsa", "-queryfile", self.folder / "tsq",
                      "-signer", self.folder / "tsa.pem", "-inkey", self.folder / "tsa.key",
                      "-out", self.folder / "tsr")  # fmt: skip
        return (self.folder / "tsr").read_bytes()

    @staticmethod
    def _openssl(*arguments: object) -> None:
        done = subprocess.run(
            ["openssl", *(str(one) for one in arguments)],
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, done.stderr
