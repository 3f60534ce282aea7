"""Settings come from `DEALTRAIL_*`, and a bad one is named in the refusal."""

from pathlib import Path

import pytest

from api.settings import Settings, SettingsError, default_home, variable_of
from api.storage.roles import Addresses, Role


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Settings.model_fields:
        monkeypatch.delenv(variable_of(field), raising=False)
    monkeypatch.delenv("DATABASE_URL", raising=False)


def test_nothing_needs_to_be_set() -> None:
    settings = Settings.read()

    assert settings.database_url is None
    assert settings.home == default_home()
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert (settings.sample, settings.schema_name) == ("company", "dealtrail")


def test_each_field_is_read_from_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {
        "DEALTRAIL_DATABASE_URL": "postgresql:///ours",
        "DEALTRAIL_MIGRATOR_URL": "postgresql://migrator@/ours",
        "DEALTRAIL_APP_URL": "postgresql://app@/ours",
        "DEALTRAIL_PROJECTOR_URL": "postgresql://projector@/ours",
        "DEALTRAIL_SEALER_URL": "postgresql://sealer@/ours",
        "DEALTRAIL_AUDITOR_URL": "postgresql://auditor@/ours",
        "DEALTRAIL_HOME": "/data",
        "DEALTRAIL_HOST": "::1",
        "DEALTRAIL_PORT": "9000",
        "DEALTRAIL_RATE_LIMIT": "120",
        "DEALTRAIL_UPLOAD_LIMIT": "64",
        "DEALTRAIL_SAMPLE": "none",
        "DEALTRAIL_PG_BIN": "/opt/pg/bin",
        "DEALTRAIL_LOG_LEVEL": "warning",
        "DEALTRAIL_SCHEMA": "acme",
        "DEALTRAIL_OIDC_ISSUER": "https://id.example",
        "DEALTRAIL_OIDC_AUDIENCE": "dealtrail",
        "DEALTRAIL_OIDC_ALGORITHM": "ES256",
        "DEALTRAIL_OIDC_KEYS": "https://id.example/keys",
        "DEALTRAIL_OIDC_MEMBER_CLAIM": "employee",
        "DEALTRAIL_OIDC_CLIENT_ID": "dealtrail-web",
        "DEALTRAIL_OIDC_CLIENT_SECRET": "hush",
        "DEALTRAIL_OIDC_AUTHORIZATION_ENDPOINT": "https://id.example/authorize",
        "DEALTRAIL_OIDC_TOKEN_ENDPOINT": "https://id.example/token",
        "DEALTRAIL_OIDC_REDIRECT_URI": "https://deals.example/sign-in/callback",
        "DEALTRAIL_OIDC_SCOPE": "openid email",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    settings = Settings.read()

    assert {variable_of(field) for field in Settings.model_fields} == set(given)
    assert settings.model_dump(mode="json") == {
        "database_url": "postgresql:///ours",
        "migrator_url": "postgresql://migrator@/ours",
        "app_url": "postgresql://app@/ours",
        "projector_url": "postgresql://projector@/ours",
        "sealer_url": "postgresql://sealer@/ours",
        "auditor_url": "postgresql://auditor@/ours",
        "home": "/data",
        "host": "::1",
        "port": 9000,
        "rate_limit": 120,
        "upload_limit": 64,
        "sample": "none",
        "pg_bin": "/opt/pg/bin",
        "log_level": "warning",
        "schema_name": "acme",
        "oidc_issuer": "https://id.example",
        "oidc_audience": "dealtrail",
        "oidc_algorithm": "ES256",
        "oidc_keys": "https://id.example/keys",
        "oidc_member_claim": "employee",
        "oidc_client_id": "dealtrail-web",
        "oidc_client_secret": "**********",
        "oidc_authorization_endpoint": "https://id.example/authorize",
        "oidc_token_endpoint": "https://id.example/token",
        "oidc_redirect_uri": "https://deals.example/sign-in/callback",
        "oidc_scope": "openid email",
    }


def test_our_own_database_variable_goes_before_the_common_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql:///common")
    assert Settings.read().database_url == "postgresql:///common"

    monkeypatch.setenv("DEALTRAIL_DATABASE_URL", "postgresql:///ours")
    assert Settings.read().database_url == "postgresql:///ours"


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "")

    assert Settings.read().database_url is None


def test_a_relative_home_does_not_move_with_the_working_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DEALTRAIL_HOME", "data")

    assert Settings.read().home == tmp_path / "data"


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("DEALTRAIL_HOST", "0.0.0.0", "only a loopback address"),
        ("DEALTRAIL_HOST", "example.com", "only a loopback address"),
        ("DEALTRAIL_PORT", "99999", "less than or equal to 65535"),
        ("DEALTRAIL_SCHEMA", "Robert'); --", "match pattern"),
        ("DEALTRAIL_SAMPLE", "acme", "'company' or 'none'"),
        ("DATABASE_URL", "mysql://root:secret@host/db", "begins with postgresql://"),
        ("DEALTRAIL_APP_URL", "mysql://root:secret@host/db", "begins with postgresql://"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_and_its_value_is_not(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, reason: str
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(SettingsError) as refused:
        Settings.read()

    assert variable in str(refused.value)
    assert reason in str(refused.value)
    assert value not in str(refused.value)


APP, PROJECTOR = "postgresql://app@host/db", "postgresql://projector@host/db"


def test_one_address_serves_all_and_migrates_at_the_start() -> None:
    addresses = Settings(database_url="postgresql://us@host/db").addresses()

    assert addresses == Addresses.shared("postgresql://us@host/db")
    assert addresses.migrates_at_start


def test_without_an_address_the_database_is_the_embedded_one() -> None:
    assert Settings().addresses() is None


def test_roles_with_addresses_of_their_own_are_apart() -> None:
    auditor = "postgresql://auditor:secret@host/db"
    settings = Settings(
        database_url="postgresql://us@host/db",
        app_url=APP,
        projector_url=PROJECTOR,
        auditor_url=auditor,
    )

    addresses = settings.addresses()

    assert addresses is not None
    assert (addresses.migrator, addresses.app) == ("postgresql://us@host/db", APP)
    assert not addresses.migrates_at_start
    assert {role: login.name for role, login in addresses.logins.items()} == {
        Role.APP: "app",
        Role.PROJECTOR: "projector",
        Role.AUDITOR: "auditor",
    }
    assert "secret" not in str(addresses.logins)


def test_a_serving_process_need_not_know_how_to_migrate() -> None:
    addresses = Settings(app_url=APP, projector_url=PROJECTOR).addresses()

    assert addresses is not None
    assert addresses.migrator is None


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"app_url": APP}, "DEALTRAIL_PROJECTOR_URL are both needed"),
        ({"auditor_url": APP}, "DEALTRAIL_PROJECTOR_URL are both needed"),
        ({"app_url": APP, "projector_url": APP}, "another user"),
        ({"app_url": APP, "projector_url": PROJECTOR, "database_url": APP}, "another user"),
        ({"app_url": "postgresql://host/db", "projector_url": PROJECTOR}, "DEALTRAIL_APP_URL: "),
    ],
)
def test_addresses_that_do_not_go_together_are_refused(given: dict[str, str], reason: str) -> None:
    with pytest.raises(SettingsError, match=reason):
        Settings.model_validate(given).addresses()


def test_every_setting_is_described() -> None:
    assert all(field.description for field in Settings.model_fields.values())


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"OIDC_ISSUER": "https://id.example"}, "belong together"),
        ({"OIDC_ALGORITHM": "HS256"}, "RS256"),
        ({"OIDC_ALGORITHM": "none"}, "RS256"),
        ({"OIDC_KEYS": "http://id.example/keys"}, "https://"),
    ],
)
def test_an_issuer_is_told_whole_and_with_a_public_key(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], word: str
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(f"DEALTRAIL_{name}", value)

    with pytest.raises(SettingsError, match=word):
        Settings.read()


ISSUER = {
    "OIDC_ISSUER": "https://id.example",
    "OIDC_AUDIENCE": "dealtrail",
    "OIDC_KEYS": "https://id.example/keys",
}
CLIENT = {
    "OIDC_CLIENT_ID": "dealtrail-web",
    "OIDC_AUTHORIZATION_ENDPOINT": "https://id.example/authorize",
    "OIDC_TOKEN_ENDPOINT": "https://id.example/token",
    "OIDC_REDIRECT_URI": "https://deals.example/sign-in/callback",
}


def test_browsers_sign_in_with_an_issuer_that_knows_this_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in (ISSUER | CLIENT).items():
        monkeypatch.setenv(f"DEALTRAIL_{name}", value)
    for way_back in ("http://localhost:8000", "http://127.0.0.1", "http://[::1]:8001"):
        monkeypatch.setenv("DEALTRAIL_OIDC_REDIRECT_URI", f"{way_back}/sign-in/callback")
        assert Settings.read().issuer is not None
    monkeypatch.setenv("DEALTRAIL_OIDC_CLIENT_SECRET", "hush")

    issuer = Settings.read().issuer

    assert issuer is not None
    assert issuer.client is not None
    assert (issuer.client.client_id, issuer.client.secret) == ("dealtrail-web", "hush")
    assert "hush" not in repr(issuer) + repr(Settings.read())


@pytest.mark.parametrize(
    ("given", "word"),
    [
        (CLIENT, "belong together, and to an issuer"),
        *(
            (ISSUER | {name: value for name, value in CLIENT.items() if name != missing}, "belong")
            for missing in CLIENT
        ),
        (ISSUER | {"OIDC_CLIENT_SECRET": "hush"}, "belong together"),
        *(
            (
                ISSUER | CLIENT | {f"OIDC_{end}_ENDPOINT": address},
                f"OIDC_{end}_ENDPOINT: .*https://",
            )
            for end in ("AUTHORIZATION", "TOKEN")
            for address in (
                "http://id.example/x",
                "id.example/x",
                "https:///x",
                "https://id.example/x#y",
                "https://me@id.example/x",
            )
        ),
        *(
            (ISSUER | CLIENT | {"OIDC_REDIRECT_URI": address}, "OIDC_REDIRECT_URI: .*callback")
            for address in (
                "http://deals.example/sign-in/callback",
                "http://localhost.evil.example/sign-in/callback",
                "https://deals.example/",
                "https://deals.example/sign-in/callback?next=x",
                "https://deals.example/sign-in/callback#x",
                "https://me@deals.example/sign-in/callback",
                "/sign-in/callback",
            )
        ),
        (ISSUER | CLIENT | {"OIDC_SCOPE": "email"}, "OIDC_SCOPE"),
        (ISSUER | CLIENT | {"OIDC_SCOPE": 'openid "'}, "OIDC_SCOPE"),
    ],
)
def test_a_client_of_an_issuer_is_told_whole_and_over_https(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], word: str
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(f"DEALTRAIL_{name}", value)

    with pytest.raises(SettingsError, match=word) as refused:
        Settings.read()

    assert "hush" not in str(refused.value)
