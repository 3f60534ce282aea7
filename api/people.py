"""What people are called: a register beside the log, which holds ids only."""

from collections.abc import Mapping

from api.storage.log_reader import LogReader


class People:
    """Names by person id; a name can be changed or removed without touching the log."""

    def __init__(self, store: LogReader) -> None:
        self._store = store

    def names(self) -> dict[str, str]:
        """Give every known name by its id."""
        return {row[0]: row[1] for row in self._store.rows("SELECT id, name FROM people", {})}

    def ids_of(self, told: str) -> list[str]:
        """Give the ids of all who are called so; an id, and what names nobody, stays as told."""
        names = self.names()
        found = sorted(who for who, name in names.items() if name.casefold() == told.casefold())
        return found if found and told not in names else [told]

    def remember(self, names: Mapping[str, str]) -> None:
        """Add names, or put them in place of older ones."""
        with self._store.connection() as connection:
            connection.execute(
                "INSERT INTO people (id, name) SELECT i, n"
                " FROM unnest(%s::text[], %s::text[]) AS u(i, n)"
                " ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name",
                (list(names), list(names.values())),
            )
