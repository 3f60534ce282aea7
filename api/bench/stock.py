"""The `eventsourcing` library as it comes, to be measured against: its own recorder and mapper."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import DomainEvent
from psycopg.conninfo import conninfo_to_dict

_WHEN: Final = datetime(2025, 3, 31, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Told(DomainEvent):
    """Something said of a deal, as small as what is appended on our side."""

    text: str


def told(deal_id: UUID) -> Told:
    """Give the first event of a deal."""
    return Told(originator_id=deal_id, originator_version=1, timestamp=_WHEN, text="Called back")


@contextmanager
def stock_application(dsn: str, *, schema: str, clients: int) -> Iterator[Application[UUID]]:
    """Give the library's application on tables of its own, with a connection for each client."""
    given = conninfo_to_dict(dsn)
    application: Application[UUID] = Application(
        env={
            "PERSISTENCE_MODULE": "eventsourcing.postgres",
            "POSTGRES_DBNAME": str(given.get("dbname") or given.get("user") or ""),
            "POSTGRES_HOST": str(given.get("host") or ""),
            "POSTGRES_PORT": str(given.get("port") or "5432"),
            "POSTGRES_USER": str(given.get("user") or ""),
            "POSTGRES_PASSWORD": str(given.get("password") or ""),
            "POSTGRES_SCHEMA": schema,
            "POSTGRES_POOL_SIZE": str(clients),
            "POSTGRES_MAX_OVERFLOW": "1",
        }
    )
    try:
        yield application
    finally:
        application.close()
