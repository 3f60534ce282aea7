"""Why quarters end as they do: four kinds of company, alike but for one cause."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Profile:
    """What the end of a quarter means in a company; every number is a share or a chance.

    `rushes`: a rep who is behind pushes an open deal through. `timed`: a decision is left for
    the last day of its quarter. `held`: a rep who has made the quota keeps what is ready on that
    day for the next quarter. `deadlines`: a customer's own deadline is the end of a quarter.
    `harder`: a rep who is behind works a deal that is nearly decided until it is.

    Of one who pushes: `hugs`: an offer that would need approval stays just under it. `early`: an
    order that does not come on the last day is booked all the same. `parks`: a deal that slips
    is called lost until the quarter is over. Of any: `divides`: an order is divided over three
    deals, since its discount would need approval. `chases`: a rep who is behind opens a deal that
    does not fit.
    """

    name: str
    rushes: float = 0.0
    timed: float = 0.0
    held: float = 0.0
    deadlines: float = 0.0
    harder: float = 0.0
    hugs: float = 0.0
    early: float = 0.0
    parks: float = 0.0
    divides: float = 0.0
    chases: float = 0.0


PROFILES: Final[Mapping[str, Profile]] = {
    profile.name: profile
    for profile in (
        Profile(
            "gaming",
            rushes=0.8,
            timed=0.78,
            held=0.9,
            deadlines=0.05,
            hugs=0.12,
            early=0.08,
            parks=0.12,
            divides=0.02,
            chases=0.3,
        ),
        Profile("customers", deadlines=0.6),
        Profile("effort", deadlines=0.05, harder=0.9),
        Profile("quiet", deadlines=0.05),
    )
}
