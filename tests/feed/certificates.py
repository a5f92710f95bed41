"""Certificates for tests of TLS, good and bad."""

import ssl
from datetime import UTC, datetime
from pathlib import Path

import trustme


class Authority:
    """A certificate authority and a certificate of its own for these names."""

    def __init__(self, names: tuple[str, ...] = ("127.0.0.1",), not_after: datetime | None = None) -> None:
        self._ca = trustme.CA()
        self._certificate = self._ca.issue_cert(*names, not_after=not_after)

    def server(self) -> ssl.SSLContext:
        """What a server shows the certificate with."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._certificate.configure_cert(context)  # pyright: ignore[reportUnknownMemberType]  # its types name pyOpenSSL, which is not installed
        return context

    def client(self) -> ssl.SSLContext:
        """What a client trusts this authority with, and no other."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._ca.configure_trust(context)  # pyright: ignore[reportUnknownMemberType]  # as above
        return context

    def write_to(self, file: Path) -> None:
        """Write the authority's certificate to a file, as the environment variable SSL_CERT_FILE names one."""
        self._ca.cert_pem.write_to_path(str(file))


EXPIRED = datetime(2020, 1, 1, tzinfo=UTC)
