"""A page is sent as gzip to who takes it, unless somebody elsewhere chose its address."""

import pytest

from api.encodings import may_pack, takes_gzip


@pytest.mark.parametrize(
    ("accepted", "taken"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("gzip;q=0.001", True),
        ("deflate , gzip ; q=1", True),
        ("", False),
        ("identity", False),
        ("x-gzip", False),
        ("br, gzip;q=0", False),
        ("gzip; q=0.000", False),
    ],
)
def test_gzip_is_for_who_names_it(accepted: str, *, taken: bool) -> None:
    assert takes_gzip(accepted) is taken


@pytest.mark.parametrize(
    ("asked_by", "packs"),
    [
        (None, True),
        ("none", True),
        ("same-origin", True),
        ("same-site", False),
        ("cross-site", False),
        ("what-comes-next", False),
    ],
)
def test_who_is_led_here_from_elsewhere_gets_a_page_as_it_is(
    asked_by: str | None, *, packs: bool
) -> None:
    sent = {"accept-encoding": "gzip"} | ({"sec-fetch-site": asked_by} if asked_by else {})
    assert may_pack(sent) is packs
    assert not may_pack(sent | {"accept-encoding": "br"})
