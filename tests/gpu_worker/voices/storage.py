"""A storage on loopback as strict as S3: presigned URLs that expire, and every way of failing."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import ipaddress
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

_SIGNING_KEY = b"the storage's own"


class Storage:
    """Files by name; `asked` lists the paths of all requests that came. With a certificate it speaks TLS."""

    def __init__(self, certificate: Path | None = None) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.stopped = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        scheme = "https" if certificate else "http"
        self.origin = f"{scheme}://127.0.0.1:{self._server.server_address[1]}"

    def url(self, name: str, *, expires_in: float = 300) -> str:
        """A presigned URL, good for that many seconds."""
        expires = str(int(time.time() + expires_in))
        return f"{self.origin}/bucket/{name}?X-Amz-Expires={expires}&X-Amz-Signature={sign(name, expires)}"

    def close(self) -> None:
        """Ends what still answers, too."""
        self.stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def sign(name: str, expires: str) -> str:
    """As the storage checks it."""
    return hmac.new(_SIGNING_KEY, f"{name}\n{expires}".encode(), hashlib.sha256).hexdigest()


@contextlib.contextmanager
def running_storage(certificate: Path | None = None) -> Iterator[Storage]:
    """A storage, gone afterwards."""
    storage = Storage(certificate)
    try:
        yield storage
    finally:
        storage.close()


def self_signed(path: Path) -> Path:
    """Writes a key and a certificate for 127.0.0.1 that nobody else vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private + certificate.public_bytes(encoding))
    return path


def _handler(storage: Storage) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            storage.asked.append(self.path)
            with contextlib.suppress(OSError):
                self._answer()

        def _answer(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            name = parts.path.removeprefix("/bucket/")
            expires = query.get("X-Amz-Expires", "0")
            if not hmac.compare_digest(query.get("X-Amz-Signature", ""), sign(name, expires)):
                self._send(403, b"<Error><Code>SignatureDoesNotMatch</Code></Error>")
            elif int(expires) < time.time():
                self._send(403, b"<Error><Code>AccessDenied</Code></Error>")
            elif name.startswith("odd/"):
                getattr(self, f"_{name.removeprefix('odd/')}")()
            elif name in storage.files:
                self._send(200, storage.files[name])
            else:
                self._send(404, b"<Error><Code>NoSuchKey</Code></Error>")

        def _send(self, status: int, body: bytes, **headers: str) -> None:
            self.send_response(status)
            if "Transfer-Encoding" not in headers:
                headers.setdefault("Content-Length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def _redirect(self) -> None:
            self._send(307, b"", Location=storage.url("voice"))

        def _fault(self) -> None:
            self._send(503, b"<Error><Code>SlowDown</Code></Error>")

        def _short(self) -> None:
            self._send(200, storage.files["voice"][:1000], **{"Content-Length": "2000"})
            self.close_connection = True

        def _endless(self) -> None:
            self._send(200, b"", **{"Transfer-Encoding": "chunked"})
            while not storage.stopped.is_set():
                self.wfile.write(b"10000\r\n" + bytes(65_536) + b"\r\n")

        def _announced(self) -> None:
            self._send(200, bytes(10), **{"Content-Length": "20000001"})
            storage.stopped.wait(60)

        def _silent(self) -> None:
            storage.stopped.wait(60)

        def _trickle(self) -> None:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not storage.stopped.wait(0.5):
                self.wfile.write(b".")

        def _garbage(self) -> None:
            self.wfile.write(b"\x00\x01 not HTTP at all\r\n\r\n")
            self.close_connection = True

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    return Handler
