"""An issuer on loopback, over https, that signs people in and can be made to misbehave."""

import base64
import hashlib
import ipaddress
import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import Any, Final
from urllib.parse import parse_qs, parse_qsl, urlsplit

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from jwt.algorithms import ECAlgorithm

from api.identity.issuer import Client, Issuer

CLIENT_ID: Final = "dealtrail-web"
REDIRECT_URI: Final = "http://localhost/sign-in/callback"
FAR: Final = 4_000_000_000

Answer = tuple[int, dict[str, str], bytes]
"""Status, headers and body."""


@cache
def key(name: str) -> ec.EllipticCurvePrivateKey:
    assert name
    return ec.generate_private_key(ec.SECP256R1())


def keys() -> dict[str, Any]:
    public = json.loads(ECAlgorithm.to_jwk(key("issuer").public_key()))
    return {"keys": [{**public, "kid": "issuer"}]}


@dataclass
class FakeIssuer:
    """What the issuer knows and does; `claims` and `signer` spoil the ID tokens it gives.

    It has signed `subject` in. `answers` takes the place of an answer at
    a path, and `padding` makes that with an ID token longer.
    """

    address: str
    subject: str = "ann"
    claims: dict[str, Any] = field(default_factory=dict)
    signer: str = "issuer"
    answers: dict[str, Answer] = field(default_factory=dict)
    dripping: bool = False
    padding: int = 0
    stopped: Flag = field(default_factory=Flag)
    asked: list[dict[str, str]] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def recover(self) -> None:
        """Forget everything, and misbehave no more."""
        for name, value in vars(FakeIssuer(self.address)).items():
            if name != "stopped":
                setattr(self, name, value)

    def settings(self, secret: str | None = None) -> Issuer:
        """Give what is set of it in the product."""
        client = Client(
            client_id=CLIENT_ID,
            secret=secret,
            authorization_endpoint=f"{self.address}/authorize",
            token_endpoint=f"{self.address}/token",
            redirect_uri=REDIRECT_URI,
            scope="openid",
        )
        return Issuer(
            issuer=self.address,
            audience="dealtrail",
            algorithm="ES256",
            keys=f"{self.address}/keys",
            member_claim="sub",
            client=client,
        )

    def signs_in(self, location: str) -> dict[str, str]:
        """Give with what a browser comes back that was sent to a location."""
        asked = dict(parse_qsl(urlsplit(location).query))
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        return {"code": code, "state": asked["state"]}

    def id_token(self, asked: dict[str, str], **spoilt: Any) -> str:
        claims: dict[str, Any] = {
            "iss": self.address,
            "aud": asked["client_id"],
            "sub": self.subject,
            "nonce": asked["nonce"],
            "iat": 1_000_000_000,
            "exp": FAR,
        } | spoilt
        told = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(told, key(self.signer), "ES256", headers={"kid": "issuer"})

    def exchange(self, form: dict[str, str]) -> Answer:
        """Answer to a code as RFC 6749 and RFC 7636 say; it is good once."""
        self.asked.append(form)
        begun = self.codes.pop(form.get("code", ""), None)
        if begun is None:
            return 400, {}, b'{"error": "invalid_grant"}'
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        proven = base64.urlsafe_b64encode(digest).decode().rstrip("=") == begun["code_challenge"]
        told = form["redirect_uri"] == begun["redirect_uri"] == REDIRECT_URI
        if not proven or not told or form["grant_type"] != "authorization_code":
            return 400, {}, b'{"error": "invalid_grant"}'
        answer = {"access_token": "opaque", "token_type": "Bearer"}
        answer["padding"] = " " * self.padding
        answer["id_token"] = self.id_token(begun, **self.claims)
        return 200, {}, json.dumps(answer).encode()


def _handler(issuer: FakeIssuer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(lambda: (200, {}, json.dumps(keys()).encode()))

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            form = {n: v[-1] for n, v in parse_qs(self.rfile.read(length).decode()).items()}
            given = self.headers.get("Authorization")
            self._answer(lambda: issuer.exchange(form | ({"by": given} if given else {})))

        def _answer(self, usual: Callable[[], Answer]) -> None:
            status, headers, body = issuer.answers.get(self.path) or usual()
            self.send_response(status)
            if issuer.dripping:  # a byte of a header every so often, for as long as one listens
                self.flush_headers()
                while not issuer.stopped.wait(0.02):
                    self.wfile.write(b"x")
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *_: object) -> None:
            """Say nothing."""

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that goes away."""


@contextmanager
def fake_issuer(folder: Path) -> Iterator[FakeIssuer]:
    """Serve an issuer; its certificate is in `certificate.pem` in the folder."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_certificate(folder))
    with _Server(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        issuer = FakeIssuer(f"https://127.0.0.1:{server.server_port}")
        server.RequestHandlerClass = _handler(issuer)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield issuer
        finally:
            issuer.stopped.set()
            server.shutdown()
            thread.join()


def _certificate(folder: Path) -> Path:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Issuer of the tests")])
    host = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    public = key("tls").public_key()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2099, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([host]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(key("tls"), SHA256())
    )
    private = key("tls").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file = folder / "certificate.pem"
    file.write_bytes(certificate.public_bytes(Encoding.PEM) + private)
    return file
