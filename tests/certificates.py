"""Certificates for tests: an authority that nobody trusts, and what it signs for this machine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

SIGNS = x509.KeyUsage(
    key_cert_sign=True, crl_sign=True, digital_signature=False, content_commitment=False, key_encipherment=False,
    data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
)  # fmt: skip
"""What an authority's key is for: Python 3.13 believes none that does not say so."""
NAMES = (x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1")))


class Certificates(NamedTuple):
    """Files: the authority's certificate, a certificate for 127.0.0.1 and localhost, its key."""

    authority: Path
    certificate: Path
    key: Path


def made(folder: Path) -> Certificates:
    """Make them in a folder; they hold for a day."""
    signing, own = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer, subject = (
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("authority", "localhost")
    )
    root = _begun(issuer, issuer, signing, signing).add_extension(x509.BasicConstraints(True, None), critical=True)
    root = root.add_extension(SIGNS, critical=True)
    leaf = _begun(subject, issuer, own, signing).add_extension(x509.SubjectAlternativeName(NAMES), critical=False)
    files = Certificates(*(folder / name for name in ("authority.pem", "certificate.pem", "key.pem")))
    for file, begun in ((files.authority, root), (files.certificate, leaf)):
        file.write_bytes(begun.sign(signing, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    files.key.write_bytes(
        own.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, signing: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    begun = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    begun = begun.serial_number(x509.random_serial_number())
    # Python 3.13 asks for who signed.
    begun = begun.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key())
    begun = begun.add_extension(signer, critical=False)
    return begun.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))
