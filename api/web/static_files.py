"""The style sheets, scripts and fonts, under an address that changes when any of them does."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from api.encodings import packed

FOLDER: Final = Path(__file__).parent / "static"
MEDIA_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".otf": "font/otf",
}
FONTS: Final = {
    "font_regular.otf": "SourceSansPro-Regular.otf",
    "font_semibold.otf": "SourceSansPro-Semibold.otf",
}
FONT_SHEET: Final = "font.css"
FIRST_SHEET: Final = "ui.css"
"""Every page loads it; where the font is installed it begins with the font's own sheet."""
_LEVEL: Final = 9
"""The least bytes: a file is packed once, when the server starts."""


@dataclass(frozen=True, slots=True, eq=False)
class StaticFiles:
    """All files by name, read once and as gzip; there are few and they are small."""

    digest: str
    files: Mapping[str, bytes]
    packed: Mapping[str, bytes]

    def url(self, name: str) -> str:
        """The address of a file; a name that is not there is a fault of ours."""
        if name not in self.files:
            message = f"there is no static file {name}"
            raise KeyError(message)
        return f"/static/{self.digest}/{name}"


@cache
def load_static_files() -> StaticFiles:
    """Ours, and the font's where its package is installed; they change with the program only."""
    files = {
        path.name: path.read_bytes()
        for path in sorted(FOLDER.iterdir())
        if path.suffix in MEDIA_TYPES
    }
    fonts, sheet = _font_files(), files.pop(FONT_SHEET)
    if fonts:
        files |= fonts | {FIRST_SHEET: sheet + files[FIRST_SHEET]}
    whole = hashlib.sha256()
    for name, content in sorted(files.items()):
        whole.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
    small = {name: packed(content, level=_LEVEL) for name, content in files.items()}
    return StaticFiles(whole.hexdigest()[:16], files, small)


def media_type_of(name: str) -> str:
    return MEDIA_TYPES[Path(name).suffix]


def _font_files() -> dict[str, bytes]:
    """Nothing where the package or one of its files is missing: the system's fonts do too."""
    spec = find_spec("font_source_sans_pro")
    if spec is None or spec.origin is None:
        return {}
    folder = Path(spec.origin).parent / "files"
    found = {ours: folder / theirs for ours, theirs in FONTS.items()}
    if not all(path.is_file() for path in found.values()):
        return {}
    return {name: path.read_bytes() for name, path in found.items()}
