"""A token of an issuer is good only if every part of it is as the settings say."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from api import clock
from api.identity import tokens
from api.identity.issuer import Algorithm, Issuer
from api.identity.tokens import (
    KEYS_AGE,
    KEYS_PAUSE,
    KEYS_STALE,
    MAX_KEYS_BYTES,
    IssuerTokens,
    KeysUnavailableError,
)

FAR = 4_000_000_000
GOOD = {"iss": "https://id.example", "aud": "dealtrail", "exp": FAR, "sub": "ann"}


@cache
def rsa_key(name: str) -> rsa.RSAPrivateKey:
    assert name
    return rsa.generate_private_key(65537, 2048)


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def jwks(*names: str) -> dict[str, Any]:
    keys = [
        {**json.loads(RSAAlgorithm.to_jwk(rsa_key(name).public_key())), "kid": name}
        for name in names
    ]
    curve = {**json.loads(ECAlgorithm.to_jwk(ec_key().public_key())), "kid": "curve"}
    return {"keys": [*keys, curve]}


def issuer(keys: Path, algorithm: Algorithm = "RS256") -> Issuer:
    return Issuer(
        issuer="https://id.example",
        audience="dealtrail",
        algorithm=algorithm,
        keys=str(keys),
        member_claim="sub",
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    place = tmp_path / "keys.json"
    place.write_text(json.dumps(jwks("one")))
    return place


@pytest.fixture
def verifier(file: Path) -> IssuerTokens:
    return IssuerTokens(issuer(file), clock=clock.now)


def signed(key: str = "one", kid: str | None = "one", **claims: Any) -> str:
    told = {name: value for name, value in {**GOOD, **claims}.items() if value is not None}
    headers = {"kid": kid} if kid else {}
    return jwt.encode(told, rsa_key(key), algorithm="RS256", headers=headers)


def text(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def test_a_good_token_names_its_member(verifier: IssuerTokens) -> None:
    found = verifier.verify(signed())

    assert found is not None
    assert found.member == "ann"
    assert found.until >= datetime.fromtimestamp(FAR, UTC)
    assert verifier.verify(signed(aud=["other", "dealtrail"])) is not None
    assert verifier.verify(signed(exp=10**30)) is not None


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "other"},
        {"aud": None},
        {"aud": ["other"]},
        {"exp": None},
        {"exp": 1_000_000_000},
        {"exp": "soon"},
        {"nbf": FAR - 10},
        {"sub": None},
        {"sub": ""},
    ],
)
def test_a_token_with_a_claim_that_is_off_is_not_good(
    verifier: IssuerTokens, claims: dict[str, Any]
) -> None:
    assert verifier.verify(signed(**claims)) is None


def test_a_token_that_another_key_signed_is_not_good(verifier: IssuerTokens) -> None:
    assert verifier.verify(signed("other")) is None
    assert verifier.verify(signed("other", kid="other")) is None
    assert verifier.verify(signed(kid=None)) is None  # there are two, and it names neither


def test_no_other_algorithm_is_taken_whatever_the_token_says(verifier: IssuerTokens) -> None:
    body = f"{text({'alg': 'none', 'kid': 'one'})}.{text(GOOD)}"
    assert verifier.verify(f"{body}.") is None
    assert verifier.verify(f"{text({'alg': 'RS256', 'kid': 'one'})}.{text(GOOD)}.") is None

    public = rsa_key("one").public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    body = f"{text({'alg': 'HS256', 'kid': 'one'})}.{text(GOOD)}"
    mac = hmac.new(pem, body.encode(), hashlib.sha256).digest()
    assert verifier.verify(f"{body}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}") is None

    headers = {"kid": "one"}
    assert verifier.verify(jwt.encode(GOOD, rsa_key("one"), "RS512", headers=headers)) is None
    assert verifier.verify(jwt.encode(GOOD, ec_key(), "ES256", headers={"kid": "curve"})) is None


def test_the_algorithm_is_the_one_that_is_set(file: Path) -> None:
    curve = IssuerTokens(issuer(file, "ES256"), clock=clock.now)

    assert curve.verify(jwt.encode(GOOD, ec_key(), "ES256", headers={"kid": "curve"})) is not None
    assert curve.verify(signed()) is None


@pytest.mark.parametrize("token", ["", "a.b.c", "..", "e30.e30.e30", "é.b.c", "x" * 9_000])
def test_what_is_no_token_is_not_good(verifier: IssuerTokens, token: str) -> None:
    assert verifier.verify(token) is None


def test_a_token_cannot_bring_its_own_key(verifier: IssuerTokens) -> None:
    own = json.loads(RSAAlgorithm.to_jwk(rsa_key("evil").public_key()))
    for more in (
        {"jwk": own},
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example"},
    ):
        token = jwt.encode(GOOD, rsa_key("evil"), "RS256", headers={"kid": "one", **more})
        assert verifier.verify(token) is None


def test_keys_are_fetched_seldom_whatever_tokens_name(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, reads = [datetime(2026, 9, 30, 12, tzinfo=UTC)], list[str]()
    really = tokens._read_keys

    def read(place: str) -> dict[str | None, jwt.PyJWK]:
        reads.append(place)
        return really(place)

    monkeypatch.setattr(tokens, "_read_keys", read)
    verifier = IssuerTokens(issuer(file), clock=lambda: now[0])

    assert verifier.verify(signed()) is not None
    for _ in range(100):
        assert verifier.verify(signed("new", kid="new")) is None
    assert len(reads) == 1

    file.write_text(json.dumps(jwks("one", "new")))
    now[0] += KEYS_PAUSE
    assert verifier.verify(signed("new", kid="new")) is not None
    assert len(reads) == 2

    file.write_text(json.dumps(jwks("new")))
    now[0] += KEYS_AGE
    assert verifier.verify(signed()) is None  # withdrawn by the issuer
    assert len(reads) == 3

    file.write_text("broken")
    now[0] += KEYS_AGE
    assert verifier.verify(signed("new", kid="new")) is not None
    now[0] += KEYS_STALE - timedelta(seconds=1) - KEYS_AGE
    assert verifier.verify(signed("new", kid="new")) is not None
    now[0] += KEYS_AGE
    assert verifier.verify(signed("new", kid="new")) is None


class _Keys(BaseHTTPRequestHandler):
    """Gives keys, points elsewhere, and never ends, by the path."""

    def do_GET(self) -> None:
        self.send_response(302 if self.path == "/moved" else 200)
        self.send_header("Location", "/keys")
        self.end_headers()
        content = b"[" * (MAX_KEYS_BYTES + 1) if self.path == "/huge" else json.dumps(jwks("one"))
        self.wfile.write(content if isinstance(content, bytes) else content.encode())

    def log_message(self, format: str, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("no_proxy", "*")
    with HTTPServer(("127.0.0.1", 0), _Keys) as serving:
        thread = Thread(target=serving.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()
        thread.join()


def test_keys_come_from_the_address_that_is_set_and_from_nowhere_else(server: str) -> None:
    assert set(tokens._read_keys(f"{server}/keys")) == {"one", "curve"}
    for path in ("moved", "huge"):
        with pytest.raises(KeysUnavailableError):
            tokens._read_keys(f"{server}/{path}")
