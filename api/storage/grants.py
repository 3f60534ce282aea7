"""Makes the roles of a ledger, and gives each what `rights` declares and nothing more.

Everything is compared with the catalogs first, so that doing it again changes nothing. Each half
is one transaction: whoever is killed leaves the roles and the rights as they were.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, LiteralString, NamedTuple, TypeAlias

import psycopg
from psycopg import errors, sql

from api.storage import rights
from api.storage.connections import auditing
from api.storage.errors import RolesMissingError
from api.storage.roles import Login, Role, owner_name

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

_PUBLIC: Final = "public"
"""The grantee that is everybody; no role can have this name."""

_BELONGS: Final = (
    "SELECT m.rolsuper OR pg_has_role(m.oid, r.oid, 'USAGE') FROM pg_roles m, pg_roles r"
    " WHERE m.rolname = %(member)s AND r.rolname = %(role)s"
)
_BEGINS: Final = (
    "SELECT s.setconfig FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole"
    " JOIN pg_database d ON d.oid = s.setdatabase"
    " WHERE r.rolname = %(role)s AND d.datname = %(database)s"
)
# The targets are written as GRANT and ALTER ... OWNER take them.
_OBJECTS: Final[LiteralString] = """
SELECT 'schema', n.nspname, n.nspname, format('SCHEMA %%I', n.nspname),
       pg_get_userbyid(n.nspowner)
  FROM pg_namespace n WHERE n.nspname = ANY(%(schemas)s)
 UNION ALL
SELECT 'table', n.nspname, c.relname, format('TABLE %%I.%%I', n.nspname, c.relname),
       pg_get_userbyid(c.relowner)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = ANY(%(schemas)s) AND c.relkind IN ('r', 'p', 'v', 'm')
 UNION ALL
SELECT 'function', n.nspname, p.proname, format('FUNCTION %%s', p.oid::regprocedure),
       pg_get_userbyid(p.proowner)
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE n.nspname = ANY(%(schemas)s)
"""
_HELD: Final[LiteralString] = """
WITH held AS (
    SELECT format('SCHEMA %%I', n.nspname) AS target, n.nspowner AS owner, a.*
      FROM pg_namespace n,
           aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
     WHERE n.nspname = ANY(%(schemas)s)
     UNION ALL
    SELECT format('TABLE %%I.%%I', n.nspname, c.relname), c.relowner, a.*
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,
           aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a
     WHERE n.nspname = ANY(%(schemas)s) AND c.relkind IN ('r', 'p', 'v', 'm')
     UNION ALL
    SELECT format('TABLE %%I.%%I', n.nspname, c.relname), c.relowner, a.grantor, a.grantee,
           a.privilege_type || ' of a column', a.is_grantable
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_attribute t ON t.attrelid = c.oid, aclexplode(t.attacl) a
     WHERE n.nspname = ANY(%(schemas)s)
     UNION ALL
    SELECT format('FUNCTION %%s', p.oid::regprocedure), p.proowner, a.*
      FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace,
           aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
     WHERE n.nspname = ANY(%(schemas)s)
)
SELECT h.target, coalesce(r.rolname, 'public'),
       h.privilege_type || CASE WHEN h.is_grantable THEN ' to give on' ELSE '' END
  FROM held h LEFT JOIN pg_roles r ON r.oid = h.grantee
 WHERE h.grantee <> h.owner
"""


class _Object(NamedTuple):
    """A schema, table or function, and who owns it now."""

    kind: str
    schema: str
    name: str
    target: LiteralString
    owner: str


@dataclass(frozen=True, slots=True)
class Separation:
    """The roles of one ledger, as a migrator sets them up on its connection."""

    connection: Connection
    schema: str
    logins: Mapping[Role, Login]

    @property
    def owner(self) -> str:
        """Who owns the log: a role of this ledger alone, as which nobody logs in."""
        return owner_name(database=self.connection.info.dbname, schema=self.schema)

    @property
    def projector(self) -> str:
        return self.logins[Role.PROJECTOR].name

    def make_roles(self) -> None:
        """Make the roles and schemas that are missing; comes before there is anything to own.

        Raises:
            RolesMissingError: this login may not; the error holds what somebody else must run.
        """
        try:
            with self.connection.transaction():
                for statement in self.missing(secret=True):
                    self.connection.execute(statement)
        except errors.InsufficientPrivilege as error:
            told = [one.as_string(self.connection) for one in self.missing(secret=False)]
            raise RolesMissingError(told, error.diag.message_primary or str(error)) from error

    def settle(self) -> None:
        """Give every object its owner and every role its rights; the caller has a transaction."""
        for change in list(self._owners()):
            self.connection.execute(change)
        for change in self._rights():
            self.connection.execute(change)

    def differences(self) -> list[sql.Composed]:
        """Give the statements that bring owners and rights to what is declared; none if so."""
        return [*self._owners(), *self._rights()]

    def _rights(self) -> list[sql.Composed]:
        held: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for target, grantee, privilege in self._ask(_HELD, schemas=list(self._schemas())):
            held[target][grantee].add(privilege)
        found: list[sql.Composed] = []
        for one in self._objects():
            found += self._regrants(one, held[one.target])
        return found

    def _regrants(self, one: _Object, held: Mapping[str, set[str]]) -> Iterator[sql.Composed]:
        wanted = self._wanted(one)
        for grantee in sorted({_PUBLIC, *(login.name for login in self.logins.values())}):
            has, shall = held.get(grantee, set()), wanted.get(grantee, set())
            if grantee == one.owner or has == shall:
                continue
            whom = sql.SQL("PUBLIC") if grantee == _PUBLIC else sql.Identifier(grantee)
            target = sql.SQL(one.target)
            if has:
                yield sql.SQL("REVOKE ALL ON {} FROM {} CASCADE").format(target, whom)
            if shall:
                privileges = sql.SQL(", ").join(sql.SQL(name) for name in sorted(shall))
                yield sql.SQL("GRANT {} ON {} TO {}").format(privileges, target, whom)

    def _wanted(self, one: _Object) -> dict[str, set[str]]:
        """Give what each login shall hold on an object; one login may play several roles."""
        declared = self._declared(one)
        wanted: defaultdict[str, set[str]] = defaultdict(set)
        for role, login in self.logins.items():
            wanted[login.name] |= declared.get(role, frozenset())
        return wanted

    def _declared(self, one: _Object) -> rights.Rights:
        if one.schema == rights.audit_schema(self.schema):
            return rights.AUDIT[one.kind]
        if one.schema != self.schema:
            return {}
        return {
            "schema": lambda _: rights.SCHEMA,
            "table": rights.of_table,
            "function": rights.of_function,
        }[one.kind](one.name)

    def missing(self, *, secret: bool) -> Iterator[sql.Composed]:
        """Give what makes the roles, memberships and schemas that are not there.

        `secret` says whether new logins get the passwords of their addresses.
        """
        roles = {str(row[0]) for row in self._ask("SELECT rolname FROM pg_roles")}
        if self.owner not in roles:
            yield sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(self.owner))
        for login in {login.name: login for login in self.logins.values()}.values():
            if login.name not in roles:
                made = sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(login.name))
                yield made + self._password(login) if secret else made
        ((migrator,),) = self._ask("SELECT current_user")
        for member, role in (
            (migrator, self.owner),
            (migrator, self.projector),
            (self.owner, self.projector),  # so that the owner's function may swap its tables
        ):
            if self._ask(_BELONGS, member=member, role=role) != [(True,)]:
                names = map(sql.Identifier, (role, member))
                yield sql.SQL("GRANT {} TO {}").format(*names)
        found = {row[0] for row in self._ask("SELECT nspname FROM pg_namespace")}
        for schema, owner in self._schemas().items():
            if schema not in found:
                names = map(sql.Identifier, (schema, owner))
                yield sql.SQL("CREATE SCHEMA {} AUTHORIZATION {}").format(*names)
        yield from self._reading()

    def _reading(self) -> Iterator[sql.Composed]:
        """Give what makes the sessions of auditors begin read-only, in UTC and with a deadline.

        Not where the same login has another part to play.
        """
        auditor = self.logins.get(Role.AUDITOR)
        others = {login.name for role, login in self.logins.items() if role is not Role.AUDITOR}
        if auditor is None or auditor.name in others:
            return
        database = self.connection.info.dbname
        found = self._ask(_BEGINS, role=auditor.name, database=database)
        held = {text for (texts,) in found for text in texts}
        for name, value in auditing(self.schema).items():
            if f"{name}={value}" not in held:
                yield sql.SQL("ALTER ROLE {} IN DATABASE {} SET {} = {}").format(
                    sql.Identifier(auditor.name),
                    sql.Identifier(database),
                    sql.Identifier(name),
                    sql.Literal(value),
                )

    def _password(self, login: Login) -> sql.Composed:
        """Give the clause that sets a password, as a verifier that no log of the server betrays."""
        if login.password is None:
            return sql.Composed([])
        verifier = self.connection.pgconn.encrypt_password(
            login.password.encode(), login.name.encode(), b"scram-sha-256"
        )
        return sql.SQL(" PASSWORD {}").format(sql.Literal(verifier.decode()))

    def _schemas(self) -> dict[str, str]:
        """Give the schemas of ledger, auditors and rebuilds, with who shall own them."""
        return {
            self.schema: self.owner,
            rights.audit_schema(self.schema): self.owner,
            rights.next_schema(self.schema): self.projector,
            rights.previous_schema(self.schema): self.projector,
        }

    def _owners(self) -> Iterator[sql.Composed]:
        """Give the statements that hand each object to its owner, schemas first."""
        moved = [
            (one, shall) for one in self._objects() if one.owner != (shall := self._owner(one))
        ]
        if any(one.schema == self.schema and owner == self.projector for one, owner in moved):
            # Who gets a table must be able to create one there; taken back with the differences.
            yield sql.SQL("GRANT CREATE ON SCHEMA {} TO {}").format(
                sql.Identifier(self.schema), sql.Identifier(self.projector)
            )
        for one, owner in moved:
            target = sql.SQL(one.target)
            yield sql.SQL("ALTER {} OWNER TO {}").format(target, sql.Identifier(owner))

    def _owner(self, one: _Object) -> str:
        schemas = self._schemas()
        projected = one.kind == "table" and one.name in rights.PROJECTED
        if projected and one.schema != rights.audit_schema(self.schema):
            return self.projector
        return schemas[one.schema]

    def _objects(self) -> list[_Object]:
        return [_Object(*row) for row in self._ask(_OBJECTS, schemas=list(self._schemas()))]

    def _ask(self, query: LiteralString, **given: object) -> list[tuple[Any, ...]]:
        return self.connection.execute(query, given).fetchall()
