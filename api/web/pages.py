"""All pages together, with the files that they need."""

from collections.abc import Sequence
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.encodings import GZIP, takes_gzip
from api.web.doors import IssuerDoors, SignIn
from api.web.renderer import Renderer
from api.web.routes.issuer import add_issuer
from api.web.routes.sign_in import add_sign_in
from api.web.routes.tour import add_tour
from api.web.site import Section, Site
from api.web.static_files import StaticFiles, load_static_files, media_type_of
from api.web.tour import Sample

IMMUTABLE: Final = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Vary": "Accept-Encoding",
    "X-Content-Type-Options": "nosniff",
}


def create_pages(
    sections: Sequence[Section],
    doors: SignIn,
    issuer: IssuerDoors | None = None,
    sample: Sample | None = None,
) -> APIRouter:
    """The pages of these sections; who reads is told by the request (`api/http/shield.py`).

    The navigation has their entries in the order in which they are given. Where `sample` knows
    of the sample company, who comes first is shown around.
    """
    files = load_static_files()
    site = Site(Renderer(files), sections, sample)
    router = APIRouter(include_in_schema=False)
    _add_static(router, files)
    add_sign_in(router, site, doors, issuer=issuer.name if issuer else None)
    if issuer is not None:
        add_issuer(router, site, issuer)
    add_tour(router, site)
    for section in sections:
        section.add(router, site)
    return router


def _add_static(router: APIRouter, files: StaticFiles) -> None:
    @router.get("/static/{digest}/{name}")
    def static_file(request: Request, digest: str, name: str) -> Response:
        if digest != files.digest or name not in files.files:
            return Response("not found", status_code=404, headers={"Cache-Control": "no-store"})
        kind = media_type_of(name)
        if not takes_gzip(request.headers.get("accept-encoding", "")):
            return Response(files.files[name], media_type=kind, headers=IMMUTABLE)
        small = {**IMMUTABLE, "Content-Encoding": GZIP}
        return Response(files.packed[name], media_type=kind, headers=small)
