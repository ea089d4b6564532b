"""Certificates that tests show to services: from the lab's CA, or from a stranger's."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.testinfra.conftest import LAB, ROOT, SCENARIO, group

AUTHORITY = ROOT / ".lab" / LAB / (f"pki-{group('scenario')[0]}" if SCENARIO else "pki")
CA = AUTHORITY / "ca.crt"


class Certificate(NamedTuple):
    """Files in PEM: the certificate and its private key."""

    certificate: Path
    key: Path


def make(directory: Path, name: str, *, stranger: bool = False) -> Certificate:
    """A certificate for `name`, signed by the lab's CA, or by itself for a stranger."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    if stranger:
        issuer, signer = subject, key
    else:
        issuer = x509.load_pem_x509_certificate(CA.read_bytes()).subject
        signer = serialization.load_pem_private_key((AUTHORITY / "ca.key").read_bytes(), password=None)
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(signer, hashes.SHA256())
    )
    files = Certificate(directory / f"{name}.crt", directory / f"{name}.key")
    files.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return files
