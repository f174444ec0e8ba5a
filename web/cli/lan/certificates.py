"""A certificate authority of one's own for trying the service on a real phone: good for private addresses alone."""

import os
import subprocess
from pathlib import Path

# Browsers on phones refuse longer ones.
DAYS = 397
AUTHORITY = """[req]
distinguished_name = name
prompt = no
x509_extensions = extensions
[name]
CN = 网格治理演示 (demo of the local network)
[extensions]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
nameConstraints = critical, @within
[within]
permitted;IP.1 = 10.0.0.0/255.0.0.0
permitted;IP.2 = 172.16.0.0/255.240.0.0
permitted;IP.3 = 192.168.0.0/255.255.0.0
permitted;IP.4 = 127.0.0.0/255.0.0.0
permitted;DNS.1 = localhost
"""
LEAF = """basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = IP:{address}, IP:127.0.0.1, DNS:localhost
"""
CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc")


class CertificateError(Exception):
    """No certificate can be made here."""


def authority(folder: Path) -> Path:
    """The authority's certificate, made at the first call; whoever installs it trusts this folder's key."""
    certificate, key = folder / "ca.crt", folder / "ca.key"
    if not (certificate.exists() and key.exists()):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / "ca.cnf").write_text(AUTHORITY, "utf-8")
        _openssl(
            folder, "req", "-x509", "-utf8", "-config", "ca.cnf", "-days", str(DAYS), *CURVE,
            "-keyout", "ca.key", "-out", "ca.crt",
        )  # fmt: skip
    return certificate


def issue(folder: Path, address: str) -> tuple[Path, Path]:
    """A fresh certificate of that authority for this address, and its key."""
    authority(folder)
    (folder / "web.cnf").write_text(LEAF.format(address=address), "utf-8")
    _openssl(
        folder, "req", "-new", "-subj", f"/CN={address}", *CURVE, "-keyout", "web.key", "-out", "web.csr"
    )
    _openssl(
        folder, "x509", "-req", "-in", "web.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
        "-days", str(DAYS), "-extfile", "web.cnf", "-out", "web.crt",
    )  # fmt: skip
    return folder / "web.crt", folder / "web.key"


def _openssl(folder: Path, *arguments: str) -> None:
    """Run it in the folder, where nobody else reads what it writes."""
    try:
        done = subprocess.run(
            ["openssl", *arguments], cwd=folder, capture_output=True, text=True, umask=0o077, env=os.environ
        )
    except FileNotFoundError:
        raise CertificateError("没有 openssl,做不了证书:请先安装(例如 apt-get install openssl)") from None
    if done.returncode:
        raise CertificateError(f"openssl 没有做成证书:{done.stderr.strip().splitlines()[-1]}")
