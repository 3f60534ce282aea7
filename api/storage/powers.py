"""What a login could do to the log past the one way to append: nothing, if privileges separate."""

from typing import Final, LiteralString

from api.storage.log_reader import LogReader

_POWERS: Final[LiteralString] = """
SELECT array_remove(ARRAY[
    CASE WHEN r.rolsuper THEN 'is a superuser' END,
    CASE WHEN r.rolcreaterole AND NOT r.rolsuper THEN 'may make roles and join them' END,
    CASE WHEN pg_has_role(r.oid, c.relowner, 'MEMBER') AND NOT r.rolsuper
         THEN 'may act as the owner of the log' END,
    CASE WHEN has_table_privilege(r.oid, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER')
           OR has_table_privilege(r.oid, h.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER')
         THEN 'may write to the log by itself' END,
    CASE WHEN has_schema_privilege(r.oid, c.relnamespace, 'CREATE')
         THEN 'may put its own things beside the log' END
], NULL)
  FROM pg_roles r, pg_class c, pg_class h
 WHERE r.rolname = current_user AND c.oid = 'events'::regclass AND h.oid = 'log_head'::regclass
"""


def powers(store: LogReader) -> list[str]:
    """Give what the login of a store could do to the log; empty if it can only append and read.

    Raises:
        LogUnavailableError: the database went away.
    """
    ((found,),) = store.rows(_POWERS, {})
    return list(found)
