"""`card-terminal certificate`: HTTPS on the driver without a public name, by an authority made for it alone.

The authority signs one certificate and is then forgotten: its key is never written, and it may speak for this driver's
names only. So a machine that trusts it trusts nothing else by it. Renewed, it is trusted anew.
"""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ..configuration import ConfigurationError, load
from ..state_folder import StateFolder, write_private
from .pair import toml_table

#: Apple's systems take no longer ones from an authority that a user added.
DAYS = 825
AUTHORITY, CERTIFICATE, KEY = "authority.pem", "driver.pem", "driver.key"


def certificate(folder: StateFolder, config: Path, names: list[str]) -> str:
    """Make authority, certificate and key in `<state>/tls`, name them in the driver's file; return what to do next."""
    folder.create()
    place = StateFolder(folder.path / "tls")
    place.create()
    authority, signed, key = make(names)
    place.write(KEY, key)
    place.write(CERTIFICATE, signed + authority)
    place.write(AUTHORITY, authority)
    if not (config.exists() and load(config, folder.path).tls):
        _name_in(config, place.path, names)
    return (
        f"The driver serves HTTPS as {', '.join(names)} after its next start.\n"
        f"On each till, trust the authority {place.path / AUTHORITY}: it can speak for these names only. "
        f"It ends in {DAYS} days; make another then."
    )


def make(names: list[str]) -> tuple[bytes, bytes, bytes]:
    """Return (authority, certificate, key) as PEM for names and addresses."""
    now = datetime.now(UTC)
    subjects = [_subject(name) for name in names]
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = _called(f"Card terminal driver {names[0]}")
    permitted = [
        x509.IPAddress(ipaddress.ip_network(subject.value)) if isinstance(subject, x509.IPAddress) else subject
        for subject in subjects
    ]
    authority = (
        _builder(issuer, issuer, authority_key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_others=True), critical=True)
        .add_extension(x509.NameConstraints(permitted, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    signed = (
        _builder(_called(names[0]), issuer, key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_others=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(subjects), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return authority.public_bytes(pem), signed.public_bytes(pem), secret


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # clocks of tills are bad
        .not_valid_after(now + timedelta(days=DAYS))
    )


def _usage(*, signs_others: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_others,
        key_cert_sign=signs_others,
        crl_sign=signs_others,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _called(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])


def _subject(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        pass
    try:
        if name:
            return x509.DNSName(name)
    except ValueError:
        pass
    raise ConfigurationError(f"{name!r} is neither a name nor an address of this machine")


def _name_in(config: Path, place: Path, names: list[str]) -> None:
    """Add the table to the driver's file, which keeps all else."""
    before = config.read_text(encoding="utf-8") if config.exists() else ""
    table = {"certificate": str(place / CERTIFICATE), "key": str(place / KEY), "names": names}
    write_private(config, f"{before.rstrip()}\n{toml_table('driver.tls', table)}\n".lstrip().encode())
