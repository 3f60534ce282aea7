"""What a deal is before anybody works it: a customer, a product and a price."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from api.sample.accounts import Customer, customer_named, names_in
from api.sample.cast import Rep
from api.sample.chance import Chance
from api.sample.products import PRODUCTS, Product

_THOUSAND: Final = 1000


@dataclass(frozen=True, slots=True)
class Brief:
    """What a deal is, before anybody works it."""

    key: str
    rep: Rep
    customer: Customer
    product: Product
    price: Decimal
    scope: str
    figures: tuple[int, int]

    @property
    def name(self) -> str:
        return f"{self.customer.name}: {self.scope}"


def brief(rep: Rep, key: str, *, seed: int) -> Brief:
    """Draw a customer, a product and a price from the deal's own stream."""
    chance = Chance(seed, key, "brief")
    customer = customer_named(chance.one_of(names_in(rep.segments)))
    product = chance.one_of(PRODUCTS[customer.segment])
    figures = (chance.between(40, 70), chance.between(3, 9))
    price = Decimal(chance.between(20, 94) * _THOUSAND + chance.one_of((0, 500, 800)))
    scope = chance.one_of(product.scopes).format(m=figures[1])
    return Brief(key, rep, customer, product, price, scope, figures)
