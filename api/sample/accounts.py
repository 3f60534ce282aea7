"""The customers of the sample company, all invented, and the people who work there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from api.sample.chance import Chance

_NAMES: Final = {
    "food": (
        "Brackwell Dairy",
        "Tannerby Mills",
        "Merrowdale Foods",
        "Oatridge Bakeries",
        "Pellingham Confectionery",
        "Saltmarsh Seafoods",
        "Hollins Vale Beverages",
        "Cresswick Farms",
        "Juniper Hollow Foods",
        "Wexcombe Cereals",
        "Larkfield Frozen",
        "Ambleford Poultry",
        "Dunmarrow Brewing",
        "Thistlecote Snacks",
    ),
    "parts": (
        "Quillmont Plastics",
        "Harrowgate Castings",
        "Stavell Precision",
        "Ironlea Forge",
        "Kestrelworth Gears",
        "Nordhaven Hydraulics",
        "Ravensby Tooling",
        "Ellerbrock Motors",
        "Fallowtree Stampings",
        "Coppermere Cables",
        "Aldersgate Springs",
        "Veldtmann Bearings",
        "Tarnbrook Valves",
        "Osterholt Pumps",
    ),
    "health": (
        "Linden Bay Hospital Group",
        "Marrow Creek Clinics",
        "Saint Orla Medical Center",
        "Fernhollow Diagnostics",
        "Brightwater Surgical Supply",
        "Calloway Ridge Health",
        "Northmere Laboratories",
        "Eastwick Care Network",
        "Hazelmoor Pharmacy Services",
        "Rowanfield Implants",
        "Silverlake Imaging",
        "Ashdown Sterile Products",
        "Peverell Blood Services",
        "Glenhaven Orthopedics",
    ),
    "process": (
        "Morwenna Coatings",
        "Basalt Point Chemicals",
        "Greyling Resins",
        "Tidewell Paper",
        "Calder Ness Adhesives",
        "Winterbourne Glass",
        "Sandmere Minerals",
        "Orrin Valley Textiles",
        "Blackthorn Polymers",
        "Pinecliff Packaging",
        "Hearthstone Ceramics",
        "Umberfield Dyes",
        "Lowmoor Industrial Gases",
        "Redcastle Membranes",
    ),
}
FIRST_NAMES: Final = (
    "Lena", "Marcus", "Ingrid", "Paul", "Aisha", "Robert", "Claire", "Diego", "Hannah", "Samuel",
    "Yuki", "Peter", "Miriam", "Anton", "Rachel", "Kofi", "Julia", "Stefan", "Nora", "Graham",
)  # fmt: skip
LAST_NAMES: Final = (
    "Holt", "Abara", "Svensson", "Keller", "Duarte", "Whitcombe", "Iyer", "Novak", "Farrell",
    "Okoye", "Lindgren", "Moreau", "Castellano", "Byrne", "Hoffman", "Sato", "Pruitt", "Vance",
)  # fmt: skip
_ROLES: Final = {
    "food": ("Plant manager", "Head of operations", "Finance director", "IT manager"),
    "parts": ("Production manager", "Operations director", "Chief financial officer",
              "Head of IT"),
    "health": ("Laboratory manager", "Chief operating officer", "Procurement lead",
               "Information security officer"),
    "process": ("Site manager", "Supply chain director", "Finance controller", "IT architect"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Contact:
    """A person at a customer; the first one met has the problem, the second one decides."""

    id: str
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Customer:
    """A company that may buy."""

    id: str
    name: str
    segment: str
    contacts: tuple[Contact, ...]

    @property
    def user(self) -> Contact:
        return self.contacts[0]

    @property
    def sponsor(self) -> Contact:
        return self.contacts[1]

    @property
    def buyer(self) -> Contact:
        return self.contacts[2]

    @property
    def gatekeeper(self) -> Contact:
        return self.contacts[3]


def slug(name: str) -> str:
    return name.lower().replace(" ", "-")


def customer_named(name: str) -> Customer:
    """Give the customer with its people, who are the same in every deal."""
    segment = next(one for one, names in _NAMES.items() if name in names)
    chance, contacts, taken = Chance("people", name), list[Contact](), set[str]()
    for role in _ROLES[segment]:
        person = f"{chance.one_of(FIRST_NAMES)} {chance.one_of(LAST_NAMES)}"
        while person in taken:
            person = f"{chance.one_of(FIRST_NAMES)} {chance.one_of(LAST_NAMES)}"
        taken.add(person)
        contacts.append(Contact(slug(person), person, role))
    return Customer(slug(name), name, segment, tuple(contacts))


def names_in(segments: Sequence[str]) -> list[str]:
    return [name for segment in segments for name in _NAMES[segment]]
