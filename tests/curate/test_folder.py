"""The curated folder: made by catgan, or new, or empty, and nowhere near the photos."""

from pathlib import Path

import pytest

from catgan.core.errors import BadRecord, FolderRefused
from catgan.core.files import Json, write_json
from catgan.curate.folder import HARMLESS, CuratedFolder, settings_digest


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    folder = tmp_path / "raw"
    folder.mkdir()
    return folder


def check(curated: Path, raw: Path) -> None:
    CuratedFolder(root=curated, raw=raw, settings={}).check()


class TestMay:
    def test_be_new(self, tmp_path: Path, raw: Path) -> None:
        check(tmp_path / "deep" / "curated", raw)
        assert not (tmp_path / "deep").exists()

    def test_be_empty_or_hold_what_folders_hold_anyway(self, tmp_path: Path, raw: Path) -> None:
        curated = tmp_path / "curated"
        curated.mkdir()
        check(curated, raw)
        for name in HARMLESS:
            (curated / name).write_text("x")
        check(curated, raw)

    def test_be_catgans_own(self, tmp_path: Path, raw: Path) -> None:
        curated = tmp_path / "curated"
        curated.mkdir()
        CuratedFolder(root=curated, raw=raw, settings={"size": 64}).prepare()
        check(curated, raw)

    def test_lie_beside_under_a_name_that_begins_alike(self, tmp_path: Path, raw: Path) -> None:
        check(tmp_path / "raw-curated", raw)


class TestRefused:
    def test_a_folder_that_somebody_else_made(self, tmp_path: Path, raw: Path) -> None:
        curated = tmp_path / "documents"
        curated.mkdir()
        (curated / "thesis.txt").write_text("x")
        with pytest.raises(FolderRefused, match=r"not made by catgan \(it holds thesis\.txt\)"):
            check(curated, raw)

    @pytest.mark.parametrize("text", ["rubbish", "[]", '{"kind": "curated", "format": 1}'])
    def test_one_whose_note_is_damaged(self, tmp_path: Path, raw: Path, text: str) -> None:
        curated = tmp_path / "curated"
        curated.mkdir()
        (curated / "catgan.json").write_text(text)
        with pytest.raises(BadRecord, match=r"catgan\.json is not what catgan wrote there"):
            check(curated, raw)

    def test_a_run(self, tmp_path: Path, raw: Path) -> None:
        curated = tmp_path / "runs"
        curated.mkdir()
        write_json(curated / "catgan.json", {"kind": "run"})
        with pytest.raises(FolderRefused, match="not a curated folder"):
            check(curated, raw)

    @pytest.mark.parametrize(
        ("version", "words"),
        [(99, r"newer catgan \(9\.0\)"), ("2", "not what catgan wrote"), (None, "not what catgan")],
    )
    def test_one_of_a_newer_catgan(
        self, tmp_path: Path, raw: Path, version: object, words: str
    ) -> None:
        curated = tmp_path / "curated"
        curated.mkdir()
        note = {"kind": "curated", "catgan": "9.0", "finished": True, "settings": {}}
        write_json(curated / "catgan.json", note | {"format": version})
        with pytest.raises((FolderRefused, BadRecord), match=words):
            check(curated, raw)

    def test_one_inside_the_other(self, tmp_path: Path, raw: Path) -> None:
        with pytest.raises(FolderRefused, match="folders of their own"):
            check(raw / "curated", raw)
        with pytest.raises(FolderRefused, match="folders of their own"):
            check(tmp_path, raw)
        with pytest.raises(FolderRefused, match="the photos' own folder"):
            check(raw, raw)

    def test_however_the_names_are_written(
        self, tmp_path: Path, raw: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(raw)
        with pytest.raises(FolderRefused, match="own folder"):
            check(Path("../raw"), raw)
        with pytest.raises(FolderRefused, match="own folder"):
            check(raw, Path())
        with pytest.raises(FolderRefused, match="folders of their own"):
            check(Path("../raw/x/../curated"), raw)
        link = tmp_path / "link"
        link.symlink_to(raw)
        with pytest.raises(FolderRefused, match="own folder"):
            check(link, raw)
        with pytest.raises(FolderRefused, match="folders of their own"):
            check(link / "curated", raw)

    def test_a_file(self, tmp_path: Path, raw: Path) -> None:
        (tmp_path / "file").write_text("x")
        with pytest.raises(FolderRefused, match="is a file"):
            check(tmp_path / "file", raw)


def test_the_digest_is_of_all_settings_and_their_values() -> None:
    base: Json = {"size": 64, "margin": 0.25}
    others: list[Json] = [{"size": 65, "margin": 0.25}, {"size": 64, "margin": 0.3}, {"size": 64}]
    assert len({settings_digest(settings) for settings in (base, *others)}) == 4
    assert settings_digest(base) == settings_digest(dict(base))
