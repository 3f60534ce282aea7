"""Archives give their files, and none fills the disk, leads out of its folder or hides another."""

import gzip
import io
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from api.exchange import archives
from api.exchange.archives import unpack
from api.exchange.lines import ExportRefusedError

MOST = 1 << 20


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", how) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return held.getvalue()


def unpacked(
    tmp_path: Path, content: bytes, *, name: str = "up", most: int = MOST
) -> dict[str, bytes]:
    upload, into = tmp_path / "upload", tmp_path / "files"
    upload.write_bytes(content)
    into.mkdir()
    files = unpack(upload, name=name, into=into, most=most)
    assert sorted(files) == sorted(into.iterdir())
    return {path.name: path.read_bytes() for path in files}


def test_a_zip_gives_its_files_without_their_folders_and_what_systems_add(tmp_path: Path) -> None:
    content = zipped(
        ("export/", b""),
        ("export/Opportunity.csv", b"a"),
        ("export/User.csv", b""),
        ("__MACOSX/export/._User.csv", b"x"),
        ("export/.DS_Store", b"x"),
    )

    assert unpacked(tmp_path, content) == {"Opportunity.csv": b"a", "User.csv": b""}


def test_gzip_gives_its_content_and_any_other_file_is_itself(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "2").mkdir()
    twice = gzip.compress(b"one ") + gzip.compress(b"two")

    assert unpacked(tmp_path / "1", twice, name="log.xes.gz") == {"log.xes": b"one two"}
    assert unpacked(tmp_path / "2", b"a,b\n", name="t.csv") == {"t.csv": b"a,b\n"}


def test_an_archive_written_to_a_pipe_is_read(tmp_path: Path) -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def tell(self) -> int:
            raise OSError

    held = Pipe()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("a.csv", b"a")

    assert unpacked(tmp_path, held.getvalue()) == {"a.csv": b"a"}


def link(name: str) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(name)
    made.external_attr = (stat.S_IFLNK | 0o777) << 16
    return made


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../a.csv", "leads out"),
        ("/etc/a.csv", "leads out"),
        ("x/../../a.csv", "leads out"),
        ("x\\..\\a.csv", "leads out"),
        ("C:a.csv", "leads out"),
        ("a\nb.csv", "needs a name"),
        ("x" * 300, "needs a name"),
        (link("a.csv"), "a link or a device"),
    ],
)
def test_a_name_that_is_none_is_refused(
    name: str | zipfile.ZipInfo, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(ExportRefusedError, match=reason):
        unpacked(tmp_path, zipped((name, b"a")))

    assert not (tmp_path / "a.csv").exists()


@pytest.mark.parametrize("inner", [zipped(("a", b"a")), gzip.compress(b"a", mtime=0)])
def test_an_archive_in_an_archive_is_refused(inner: bytes, tmp_path: Path) -> None:
    with pytest.raises(ExportRefusedError, match="an archive itself"):
        unpacked(tmp_path, zipped(("a.zip", inner)))


@pytest.mark.parametrize("pack", [lambda content: zipped(("a", content)), gzip.compress])
def test_a_bomb_is_refused_by_what_comes_out(pack: object, tmp_path: Path) -> None:
    assert callable(pack)
    with pytest.raises(ExportRefusedError, match="more than is read"):
        unpacked(tmp_path, pack(bytes(2 * MOST)))

    assert sum(path.stat().st_size for path in (tmp_path / "files").iterdir()) <= MOST


def test_the_ratio_bounds_a_bomb_within_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "ALWAYS_UNPACKED", 1000)
    content = zipped(("a", bytes(10 * MOST)))
    assert len(content) * archives.MAX_RATIO < 10 * MOST

    with pytest.raises(ExportRefusedError, match="more than is read"):
        unpacked(tmp_path, content, most=100 * MOST)


def test_all_members_together_are_bounded(tmp_path: Path) -> None:
    members = [(f"{number}.csv", bytes(MOST // 4)) for number in range(5)]

    with pytest.raises(ExportRefusedError, match="more than is read"):
        unpacked(tmp_path, zipped(*members))


def test_too_many_members_are_refused(tmp_path: Path) -> None:
    members = [(f"{number}", b"") for number in range(archives.MAX_MEMBERS + 1)]

    with pytest.raises(ExportRefusedError, match="more than 1000 files"):
        unpacked(tmp_path, zipped(*members))


def test_a_directory_too_long_to_be_read_is_refused_before_it_is(tmp_path: Path) -> None:
    content = bytearray(zipped(("a", b"a")))
    struct.pack_into("<I", content, len(content) - 10, 1 << 30)

    with pytest.raises(ExportRefusedError, match="more than 1000 files"):
        unpacked(tmp_path, bytes(content))


def test_an_end_of_64_bits_is_refused(tmp_path: Path) -> None:
    content = zipped(("a", b"a"))
    lie = struct.pack("<4sIQI", b"PK\x06\x07", 0, 0, 1)

    with pytest.raises(ExportRefusedError, match="more than 4 GiB"):
        unpacked(tmp_path, content[:-22] + lie + content[-22:])


def test_a_size_that_lies_and_a_method_or_a_lock_that_is_not_read_are_refused(
    tmp_path: Path,
) -> None:
    content = zipped(("a.csv", b"a" * 1000))
    lying = bytearray(content)
    struct.pack_into("<I", lying, content.rindex(b"PK\x01\x02") + 24, 10)
    locked = bytearray(content)
    struct.pack_into("<H", locked, content.rindex(b"PK\x01\x02") + 8, 1)
    struct.pack_into("<H", locked, 6, 1)
    odd = zipped(("a.csv", b"a" * 1000), how=zipfile.ZIP_LZMA)

    for number, (bad, reason) in enumerate(
        [(bytes(lying), "broken"), (bytes(locked), "encrypted"), (odd, "not read")]
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        with pytest.raises(ExportRefusedError, match=reason):
            unpacked(folder, bad)


@pytest.mark.parametrize("kept", [10, 40, 90, 120])
def test_an_archive_cut_short_is_refused(kept: int, tmp_path: Path) -> None:
    for number, content in enumerate(
        (zipped(("a.csv", bytes(range(256)) * 9)), gzip.compress(bytes(range(256)) * 9))
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        with pytest.raises(ExportRefusedError, match=r"broken|cut short"):
            unpacked(folder, content[:kept])


def test_two_files_of_one_name_and_none_at_all_are_refused(tmp_path: Path) -> None:
    for number, (content, reason) in enumerate(
        [(zipped(("a/x", b""), ("b/X", b"")), "twice"), (zipped(), "no file")]
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        with pytest.raises(ExportRefusedError, match=reason):
            unpacked(folder, content)
