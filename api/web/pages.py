"""All pages together, with the files that they need."""

from collections.abc import Sequence
from typing import Final

from fastapi import FastAPI, Request
from fastapi.responses import Response

from api.encodings import GZIP, takes_gzip
from api.web.doors import IssuerDoors, SignIn
from api.web.renderer import Renderer
from api.web.routes import issuer, sign_in, tour
from api.web.site import SITE, Names, Section, Site, install, new_router
from api.web.static_files import load_static_files, media_type_of
from api.web.tour import Sample

IMMUTABLE: Final = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Vary": "Accept-Encoding",
    "X-Content-Type-Options": "nosniff",
}


router: Final = new_router()


def add_pages(
    app: FastAPI,
    sections: Sequence[Section],
    doors: SignIn,
    issuer_doors: IssuerDoors | None = None,
    sample: Sample | None = None,
    *,
    names: Names = dict,
) -> None:
    """Add the pages of these sections; who reads is told by the request (`api/http/shield.py`).

    The navigation has their entries in the order in which they are given. Where `sample` knows
    of the sample company, who comes first is shown around. `names` are what people are called.
    """
    install(app, router, SITE.given(Site(Renderer(load_static_files()), sections, sample, names)))
    entrance = sign_in.Entrance(doors, issuer_doors.name if issuer_doors else None)
    install(app, sign_in.router, sign_in.ENTRANCE.given(entrance))
    if issuer_doors is not None:
        install(app, issuer.router, issuer.DOORS.given(issuer_doors))
    install(app, tour.router)
    for section in sections:
        install(app, section.router, *section.given)


@router.get("/static/{digest}/{name}")
def static_file(request: Request, digest: str, name: str) -> Response:
    files = load_static_files()
    if digest != files.digest or name not in files.files:
        return Response("not found", status_code=404, headers={"Cache-Control": "no-store"})
    kind = media_type_of(name)
    if not takes_gzip(request.headers.get("accept-encoding", "")):
        return Response(files.files[name], media_type=kind, headers=IMMUTABLE)
    small = {**IMMUTABLE, "Content-Encoding": GZIP}
    return Response(files.packed[name], media_type=kind, headers=small)
