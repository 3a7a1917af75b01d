"""Certificates of an authority of our own."""

from __future__ import annotations

import datetime
import ssl
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)


class Authority:
    """Keeps what it issues in `folder`, from where OpenSSL reads it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("an authority")
        self._certificate = (
            _builder(self._name, self._name, self._key.public_key(), valid_until=_now() + DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )

    @staticmethod
    def nobody() -> ssl.SSLContext:
        """For clients that believe no authority."""
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    def pem(self) -> bytes:
        return _pem(self._certificate)

    def trusting(self) -> ssl.SSLContext:
        """For clients that believe this authority alone."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=_pem(self._certificate).decode())
        return context

    def serving(self, *names: str, is_expired: bool = False, is_self_signed: bool = False) -> ssl.SSLContext:
        """For a server with a certificate for these names and addresses."""
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = _name(names[0]) if is_self_signed else self._name
        until = _now() - DAY if is_expired else _now() + DAY
        certificate = (
            _builder(_name(names[0]), issuer, key.public_key(), valid_until=until)
            .add_extension(x509.SubjectAlternativeName([_alternative(name) for name in names]), False)
            .sign(key if is_self_signed else self._key, hashes.SHA256())
        )
        path = self._folder / f"{certificate.serial_number}.pem"
        path.write_bytes(_private(key) + _pem(certificate))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, *, valid_until: datetime.datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(valid_until - 10 * DAY)
        .not_valid_after(valid_until)
    )


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
