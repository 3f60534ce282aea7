"""Makes keys only for what the organisation says of their members."""

from collections.abc import Iterable
from datetime import timedelta

from api.identity.access import Access
from api.identity.keys import Keys, NewKey
from domain.errors import OrganisationRefusedError


def create_key(
    keys: Keys,
    access: Access,
    *,
    member: str,
    role: str | None,
    scopes: Iterable[str] | None,
    name: str,
    lifetime: timedelta,
    by: str,
) -> NewKey:
    """Make a key for a member; without a role, in the one that the organisation has them in.

    Who is in no team, such as a service, may be given any role.

    Raises:
        OrganisationRefusedError: it has the member in another role, or in none and none is named.
        MalformedRequestError: something of the key cannot be.
    """
    known = access.role(member)
    wanted = role or known
    if wanted is None:
        message = f"role: name one, because {member!r} is in no team"
        raise OrganisationRefusedError(message, field="role")
    if known not in (None, wanted):
        message = f"role: {member!r} is {known} in the organisation, and not {wanted}"
        raise OrganisationRefusedError(message, field="role")
    return keys.create(
        member=member, role=wanted, scopes=scopes, name=name, lifetime=lifetime, by=by
    )
