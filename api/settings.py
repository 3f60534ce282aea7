"""What can be set from outside: every `DEALTRAIL_*` variable, read once at the start."""

import ipaddress
import os
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    AliasChoices,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from api.identity.issuer import ALGORITHMS, CALLBACK, Algorithm, Client, Issuer
from api.logs import LogLevel
from api.storage.roles import Addresses, Login, Role

_SCOPE: Final = r"^openid( [!#-\[\]-~]+)*$"
_SCHEMA_NAME: Final = r"^[a-z_][a-z0-9_]{0,62}$"
_DATABASE_URL: Final = ("DEALTRAIL_DATABASE_URL", "DATABASE_URL")


_BOTH: Final = (
    "DEALTRAIL_APP_URL and DEALTRAIL_PROJECTOR_URL are both needed as soon as one role has an "
    "address of its own"
)
_PARTED: Final = (
    "DEALTRAIL_APP_URL, DEALTRAIL_PROJECTOR_URL and the address that migrates must each name "
    "another user"
)


class SettingsError(Exception):
    """A setting cannot be used; the message names each one and says why."""


def default_home() -> Path:
    """Where data lie if nobody says otherwise: the system's place for root, else the user's."""
    if os.geteuid() == 0:
        return Path("/var/lib/dealtrail")
    return Path("~/.local/share/dealtrail").expanduser()


def _postgres_only(value: str | None) -> str | None:
    if value is not None and value.split("://")[0] not in {"postgresql", "postgres"}:
        raise ValueError("expected an address that begins with postgresql://")
    return value


def _https_only(value: str | None) -> str | None:
    if value is not None:
        to = urlsplit(value)
        if to.scheme != "https" or not to.hostname or "#" in value or "@" in to.netloc:
            raise ValueError("expected an address that begins with https://, without a fragment")
    return value


Address = Annotated[str | None, AfterValidator(_postgres_only)]
Endpoint = Annotated[str | None, AfterValidator(_https_only)]


class Settings(BaseSettings):
    """The settings of one process; a field `x` is read from `DEALTRAIL_X`."""

    model_config = SettingsConfigDict(
        env_prefix="DEALTRAIL_",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        validate_by_name=True,
    )

    database_url: Address = Field(
        None,
        validation_alias=AliasChoices(*_DATABASE_URL),
        description="PostgreSQL 15 or newer to use; without it an embedded server is started. "
        "`DATABASE_URL` is read too.",
    )
    migrator_url: Address = Field(
        None, description="Address for `dealtrail migrate`; default: that of the database."
    )
    app_url: Address = Field(
        None,
        description="Address of the role that may append and read, and nothing else. With it, "
        "`DEALTRAIL_PROJECTOR_URL` is needed ([docs/operations.md](docs/operations.md)).",
    )
    projector_url: Address = Field(
        None, description="Address of the role that keeps the projections."
    )
    sealer_url: Address = Field(
        None, description="Address of the role that is to seal the log; it reads the log only."
    )
    auditor_url: Address = Field(
        None, description="Address of the role that reads everything and writes nothing."
    )
    home: Path = Field(
        default_factory=default_home,
        description="Folder of the embedded database and of the token file "
        "(`~/.local/share/dealtrail`, as root `/var/lib/dealtrail`).",
    )
    host: str = Field("127.0.0.1", description="Loopback address that the server listens on.")
    port: int = Field(
        8000, ge=1, le=65535, description="Port to listen on, or the next free one after it."
    )
    sample: Literal["company", "none"] = Field(
        "company", description="What `run` puts into an empty ledger: `company` or `none`."
    )
    rate_limit: int = Field(
        600_000,
        ge=0,
        le=10**9,
        description="Requests that one credential may make in a minute (600000, more than one "
        "server answers, so that it binds only where it is set lower); 0 for no limit.",
    )
    upload_limit: int = Field(
        512,
        ge=1,
        le=1 << 20,
        description="MiB of a file that is uploaded to be imported; unpacked it may be eight times "
        "as large (512).",
    )
    pg_bin: Path | None = Field(
        None,
        description="Folder with the PostgreSQL programs for the embedded server, "
        "instead of those that come with the installation.",
    )
    log_level: LogLevel = Field(
        "info",
        description="What the server logs on standard error: `debug`, `info` (each request), "
        "`warning` or `error`, and what is graver.",
    )
    schema_name: Annotated[str, StringConstraints(pattern=_SCHEMA_NAME)] = Field(
        "dealtrail",
        validation_alias=AliasChoices("DEALTRAIL_SCHEMA"),
        description="Database schema of the ledger.",
    )

    oidc_issuer: str | None = Field(
        None, description="Issuer whose bearer tokens are taken, as their `iss` says it."
    )
    oidc_audience: str | None = Field(
        None, description="What the `aud` of such a token must name: this server."
    )
    oidc_algorithm: Algorithm = Field(
        "RS256",
        description="The one algorithm that such a token may be signed with: "
        + ", ".join(f"`{name}`" for name in ALGORITHMS)
        + ".",
    )
    oidc_keys: str | None = Field(
        None,
        description="Where the issuer's keys (JWKS) are: an `https://` address, or a file.",
    )
    oidc_member_claim: str = Field(
        "sub", description="The claim of such a token that holds the member's id."
    )
    oidc_client_id: str | None = Field(
        None,
        description="What the issuer knows this server by. With it browsers sign in there "
        "([docs/security.md](docs/security.md#signing-in-with-the-issuer)).",
    )
    oidc_client_secret: SecretStr | None = Field(
        None, description="The secret of that client, if the issuer gave it one."
    )
    oidc_authorization_endpoint: Endpoint = Field(
        None, description="The `https://` address of the issuer that browsers are sent to."
    )
    oidc_token_endpoint: Endpoint = Field(
        None, description="The `https://` address of the issuer at which codes are exchanged."
    )
    oidc_redirect_uri: str | None = Field(
        None,
        description=f"The address of this server's `{CALLBACK}` as browsers reach it, which the "
        "issuer must know.",
    )
    oidc_scope: Annotated[str, StringConstraints(pattern=_SCOPE)] = Field(
        "openid",
        description="What is asked of the issuer (`openid`); an ID token with the member's claim "
        "may need more, such as `openid profile`.",
    )

    @field_validator("oidc_keys")
    @classmethod
    def _https_or_file(cls, value: str | None) -> str | None:
        if value is not None and "://" in value and not value.startswith("https://"):
            raise ValueError("expected an address that begins with https://, or a file")
        return value

    @field_validator("oidc_redirect_uri")
    @classmethod
    def _way_back(cls, value: str | None) -> str | None:
        if value is None:
            return None
        to = urlsplit(value)
        safe = to.scheme == "https" or (to.scheme == "http" and _is_local(to.hostname or ""))
        if not safe or value != f"{to.scheme}://{to.netloc}{CALLBACK}" or "@" in to.netloc:
            raise ValueError(
                f"expected https://, or http:// and a loopback address, and then {CALLBACK}"
            )
        return value

    @model_validator(mode="after")
    def _whole_client(self) -> Self:
        told = (
            self.oidc_client_id,
            self.oidc_authorization_endpoint,
            self.oidc_token_endpoint,
            self.oidc_redirect_uri,
        )
        if (any(told) or self.oidc_client_secret) and not (all(told) and self.oidc_issuer):
            raise ValueError(
                "OIDC_CLIENT_ID, OIDC_AUTHORIZATION_ENDPOINT, OIDC_TOKEN_ENDPOINT and "
                "OIDC_REDIRECT_URI belong together, and to an issuer"
            )
        return self

    @model_validator(mode="after")
    def _whole_issuer(self) -> Self:
        told = (self.oidc_issuer, self.oidc_audience, self.oidc_keys)
        if any(told) and not all(told):
            raise ValueError("OIDC_ISSUER, OIDC_AUDIENCE and OIDC_KEYS belong together")
        return self

    @property
    def issuer(self) -> Issuer | None:
        """Whose tokens are taken; None for nobody's."""
        if self.oidc_issuer is None or self.oidc_audience is None or self.oidc_keys is None:
            return None
        return Issuer(
            issuer=self.oidc_issuer,
            audience=self.oidc_audience,
            algorithm=self.oidc_algorithm,
            keys=self.oidc_keys,
            member_claim=self.oidc_member_claim,
            client=self._client(),
        )

    def _client(self) -> Client | None:
        if (
            self.oidc_client_id is None
            or self.oidc_authorization_endpoint is None
            or self.oidc_token_endpoint is None
            or self.oidc_redirect_uri is None
        ):
            return None
        secret = self.oidc_client_secret
        return Client(
            client_id=self.oidc_client_id,
            secret=None if secret is None else secret.get_secret_value(),
            authorization_endpoint=self.oidc_authorization_endpoint,
            token_endpoint=self.oidc_token_endpoint,
            redirect_uri=self.oidc_redirect_uri,
            scope=self.oidc_scope,
        )

    @field_validator("home", "pg_bin")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return None if value is None else Path(os.path.abspath(value.expanduser()))  # noqa: PTH100

    @field_validator("host")
    @classmethod
    def _loopback(cls, value: str) -> str:
        if not _is_local(value):
            raise ValueError(
                "only a loopback address such as 127.0.0.1 or ::1 may be served, "
                "because the one token of this server is no protection on a network"
            )
        return value

    def addresses(self) -> Addresses | None:
        """Give where each role reaches the database, None if it is the embedded one.

        Raises:
            SettingsError: one of the addresses does not go with the others.
        """
        logins = {
            role: _login(f"{role}_url", url)
            for role in Role
            if (url := getattr(self, f"{role}_url")) is not None
        }
        if not logins:
            return None if self.database_url is None else Addresses.shared(self.database_url)
        if self.app_url is None or self.projector_url is None:
            raise SettingsError(_BOTH)
        migrator = self.migrator_url or self.database_url
        parted = [
            logins[Role.APP],
            logins[Role.PROJECTOR],
            *([Login.of(migrator)] if migrator else []),
        ]
        if len({login.name for login in parted if login is not None}) < len(parted):
            raise SettingsError(_PARTED)
        return Addresses(
            migrator=migrator,
            app=self.app_url,
            projector=self.projector_url,
            auditor=self.auditor_url or self.app_url,
            logins=logins,
        )

    @classmethod
    def read(cls) -> Self:
        """The settings of the environment.

        Raises:
            SettingsError: if one of them cannot be used.
        """
        try:
            return cls()
        except ValidationError as error:
            raise SettingsError("; ".join(_sentences(error))) from None


def variable_of(field: str) -> str:
    """The environment variable that a field of `Settings` is read from."""
    alias = Settings.model_fields[field].validation_alias
    if isinstance(alias, AliasChoices):
        return str(alias.choices[0])
    return f"DEALTRAIL_{field.upper()}"


def _login(field: str, url: str) -> Login:
    login = Login.of(url)
    if login is None:
        message = f"{variable_of(field)}: expected the user of its role, postgresql://user@host"
        raise SettingsError(message)
    return login


def _is_local(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _sentences(error: ValidationError) -> list[str]:
    # The value is left out: a database address holds a password.
    return [_sentence(str((*fault["loc"], "OIDC")[0]), fault["msg"]) for fault in error.errors()]


def _sentence(place: str, message: str) -> str:
    name = variable_of(place) if place in Settings.model_fields else place
    return f"{name}: {message.removeprefix('Value error, ')}"
