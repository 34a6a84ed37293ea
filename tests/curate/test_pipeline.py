"""`curate_photos` over a drawn album, with a detector that knows where the heads are."""

import dataclasses
import io
import itertools
import json
import os
import shutil
import signal
import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from catgan.core.errors import (
    BadRecipe,
    DiskFull,
    FolderRefused,
    NoPictures,
    NoSuchFolder,
    UnreadablePhoto,
)
from catgan.core.files import sha256, write_jsonl
from catgan.core.names import printable
from catgan.core.photos import Photo, read_photo
from catgan.core.pictures import resize_shorter_side
from catgan.curate import examine, pipeline
from catgan.curate.config import CurateConfig
from catgan.curate.find import PhotoFile
from catgan.curate.finding import PICTURE_NAME, picture_name
from catgan.curate.folder import CuratedFolder
from catgan.curate.pipeline import (
    CurateProgress,
    CurateResult,
    curate_photos,
    plan_curation,
    recorded_settings,
)
from catgan.curate.records import finding_of, journal_record
from catgan.curate.square import Square
from catgan.formats import cards
from catgan.formats.curated import FORMAT, read_note
from catgan.formats.datasets import FACE_CROP, FULL_BODY, SPLIT, read_metadata
from catgan.formats.photos import PhotoRecord, Verdict
from catgan.formats.records import read_records, to_json
from tests.curate.test_crop import assert_eyes
from tests.drawing import (
    ALBUM,
    EyeDetector,
    Head,
    draw_album,
    draw_photo,
    encode,
    read_jsonl,
    tree,
    write,
)

HERE = CurateConfig(workers=1)


def curate(
    raw: Path, curated: Path, config: CurateConfig = HERE, detector: Any = None
) -> CurateResult:
    return curate_photos(raw, curated, config, make_detector=detector or EyeDetector())


@pytest.fixture(scope="module")
def done(album: Path, tmp_path_factory: pytest.TempPathFactory) -> CurateResult:
    """The drawn album curated once; to be read only."""
    return curate(album, tmp_path_factory.mktemp("done") / "curated")


@pytest.fixture
def own_album(tmp_path: Path) -> Path:
    """An album to be changed."""
    draw_album(tmp_path / "album")
    return tmp_path / "album"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def records(curated: Path) -> dict[str, dict[str, Any]]:
    return {record["path"]: record for record in read_jsonl(curated / "photos.jsonl")}


class TestVerdicts:
    def test_every_photo_gets_one_with_a_reason(self, done: CurateResult) -> None:
        found = records(done.curated)
        assert {path: record["verdict"] for path, record in found.items()} == ALBUM
        assert list(found) == list(ALBUM), "in the order of the paths"
        assert all(record["reason"] for record in found.values())
        assert done.photos == done.fresh == len(ALBUM)
        assert {k: v for k, v in done.counts.items() if v} == Counter(ALBUM.values())
        assert list(done.counts) == list(Verdict)

    @pytest.mark.parametrize(
        ("path", "words"),
        [
            ("bomb.png", "60000 x 60000"),
            ("cut.jpg", "cut short"),
            ("empty.jpg", "empty"),
            ("text.jpg", "not a picture"),
            ("copy of balcony.jpg", "the same file as 2023/balcony.jpg"),
            ("small.jpg", "54 pixels wide, fewer than 64"),
            ("two.jpg", "2 faces found"),
            ("old.bmp", "1 face found"),
        ],
    )
    def test_reasons(self, done: CurateResult, path: str, words: str) -> None:
        assert words in records(done.curated)[path]["reason"]


class TestRecords:
    def test_of_photos(self, album: Path, done: CurateResult) -> None:
        for path, record in records(done.curated).items():
            assert [field for field in record if field != "content"] == [
                "path", "sha256", "width", "height", "verdict", "reason", "sharpness",
                "fingerprint", "faces", "outputs",
            ]  # fmt: skip
            assert record["sha256"] == sha256((album / path).read_bytes())
            readable = record["verdict"] != "unreadable"
            assert (record["width"] > 0) == readable
            assert (FULL_BODY in record["outputs"]) == (
                record["verdict"] not in ("unreadable", "duplicate")
            )
            assert (FACE_CROP in record["outputs"]) == (record["verdict"] == "kept")
            for file in record["outputs"].values():
                assert (done.curated / file).is_file()

    def test_sizes_are_those_of_the_upright_photo(self, done: CurateResult) -> None:
        record = records(done.curated)["2023/sideways.jpg"]
        assert (record["width"], record["height"]) == (240, 320)

    @pytest.mark.parametrize(
        ("path", "box", "roll"),
        [
            ("2023/balcony.jpg", (100, 70, 100, 100), 0),
            ("2023/deep/er/turned.png", (102, 82, 96, 96), 25),
            ("2023/sideways.jpg", (75, 105, 90, 90), -12),
        ],
    )
    def test_of_faces(
        self, done: CurateResult, path: str, box: tuple[float, ...], roll: float
    ) -> None:
        (face,) = records(done.curated)[path]["faces"]
        assert face["box"] == pytest.approx(box, abs=1)
        assert face["roll"] == pytest.approx(roll, abs=0.5)
        assert face["recipe"] == "eyes"
        assert "proposer" not in face  # a detector of the caller's own need not say
        assert face["file"] in names(done.curated / FACE_CROP / SPLIT)

    def test_the_journal_reads_back(self, done: CurateResult) -> None:
        (journal,) = done.curated.glob(".findings-*.jsonl")
        lines = list(read_jsonl(journal))
        findings = [finding_of(record) for record in read_records(journal, PhotoRecord)]
        assert [to_json(journal_record(found)) for found in findings if found] == lines
        assert len(lines) == len(ALBUM)

    def test_of_the_folder(self, album: Path, done: CurateResult) -> None:
        note = read_note(done.curated)
        assert note is not None
        assert (note.kind, note.format, note.finished) == ("curated", FORMAT, True)
        assert note.settings["size"] == 64
        assert "workers" not in note.settings, "it changes nothing that is written"
        assert note.counts == done.counts
        assert note.data_sets == done.data_sets
        assert note.raw is not None
        assert (done.curated / note.raw).resolve() == album.resolve()
        assert not Path(note.raw).is_absolute(), "both can be moved together"

    @pytest.mark.parametrize("name", [FULL_BODY, FACE_CROP])
    def test_metadata_names_each_picture_and_its_photo(self, done: CurateResult, name: str) -> None:
        folder = done.curated / name / SPLIT
        metadata = read_metadata(done.curated / name)
        pictures = sorted(path.name for path in folder.glob("*.png"))
        assert list(metadata) == pictures
        shown = [path.name for path in folder.iterdir() if path.name != ".left-out"]
        assert sorted(shown) == sorted([*pictures, "metadata.jsonl"])
        assert names(folder.parent) == [cards.NAME, SPLIT]
        found = records(done.curated)
        for file_name, record in metadata.items():
            assert record.photo is not None
            photo = found[record.photo]
            assert photo["sha256"] == record.sha256
            assert photo["outputs"][name] == f"{name}/{SPLIT}/{file_name}"
            assert (record.photo_width, record.photo_height) == (photo["width"], photo["height"])
            assert record.box == (tuple(photo["faces"][0]["box"]) if name == FACE_CROP else None)

    def test_names_are_of_the_photo_and_its_hash(self, done: CurateResult) -> None:
        for path, record in records(done.curated).items():
            for file in record["outputs"].values():
                stem, digest = Path(file).stem.rsplit("-", 1)
                assert record["sha256"].startswith(digest)
                assert len(digest) == 10
                assert stem == Path(path).stem.replace(" ", "_")


class TestDataSets:
    def test_torchvision_loads_both_as_they_are(self, done: CurateResult) -> None:
        from torchvision.datasets import ImageFolder

        both = ImageFolder(str(done.curated))
        assert both.classes == [FACE_CROP, FULL_BODY]
        assert len(both) == sum(done.data_sets.values())
        assert {image.size for image, _ in both} == {(64, 64)}
        assert {image.mode for image, _ in both} == {"RGB"}

    def test_counts(self, done: CurateResult) -> None:
        counted = Counter(ALBUM.values())
        assert done.data_sets[FACE_CROP] == counted["kept"]
        assert done.data_sets[FULL_BODY] == (
            counted["kept"] + counted["no-face"] + counted["face-too-small"]
        )

    def test_full_body_is_the_photo_reduced_to_its_middle(
        self, album: Path, done: CurateResult
    ) -> None:
        for path, record in records(done.curated).items():
            if FULL_BODY in record["outputs"]:
                expected = resize_shorter_side(read_photo((album / path).read_bytes()).pixels, 64)
                got = np.asarray(Image.open(done.curated / record["outputs"][FULL_BODY]))
                assert np.array_equal(got, expected), path

    def test_every_face_crop_is_level_and_centred(self, done: CurateResult) -> None:
        crops = list((done.curated / FACE_CROP / SPLIT).glob("*.png"))
        assert crops
        for path in crops:
            within = 1.5 if "first_frame" in path.name else 1.0  # a GIF's colours are dithered
            assert_eyes(np.asarray(Image.open(path)), margin=0.25, within=within)

    def test_a_picture_half_grey_is_in_neither(self, done: CurateResult) -> None:
        assert not [path for path in done.curated.rglob("*.png") if path.name.startswith("cut")]

    def test_contact_sheets(self, done: CurateResult) -> None:
        assert set(done.sheets) == {FULL_BODY, FACE_CROP}
        for name, path in done.sheets.items():
            columns = min(20, done.data_sets[name])
            with Image.open(path) as image:
                assert image.width == columns * 66 + 2
                assert image.height % 66 == 2

    def test_nothing_is_left_half_written(self, done: CurateResult) -> None:
        hidden = {path.name for path in done.curated.rglob(".*")}
        assert {name for name in hidden if not name.startswith(".findings-")} == {
            ".lock",
            ".left-out",
        }


class TestSettings:
    def test_size(self, album: Path, tmp_path: Path) -> None:
        result = curate(album, tmp_path / "c", CurateConfig(workers=1, size=32))
        sizes = {Image.open(path).size for path in result.curated.rglob("*.png")}
        assert sizes == {(32, 32)}
        assert records(result.curated)["small.jpg"]["verdict"] == "kept"

    def test_min_face(self, album: Path, tmp_path: Path) -> None:
        result = curate(album, tmp_path / "c", CurateConfig(workers=1, min_face=99))
        found = records(result.curated)
        assert found["2023/balcony.jpg"]["verdict"] == "kept"
        assert found["old.bmp"]["verdict"] == "face-too-small"
        assert "fewer than the 99 asked for" in found["old.bmp"]["reason"]

    def test_all_faces(self, album: Path, tmp_path: Path) -> None:
        result = curate(album, tmp_path / "c", CurateConfig(workers=1, faces="all"))
        record = records(result.curated)["two.jpg"]
        names = [face["file"] for face in record["faces"]]
        digest = record["sha256"][:10]
        assert names == [f"two-{digest}.png", f"two-{digest}-2.png"]
        assert result.data_sets[FACE_CROP] == Counter(ALBUM.values())["kept"] + 1
        metadata = read_metadata(result.curated / FACE_CROP)
        assert [metadata[name].box for name in names] == [tuple(f["box"]) for f in record["faces"]]
        for name in names:
            assert_eyes(
                np.asarray(Image.open(result.curated / FACE_CROP / SPLIT / name)), margin=0.25
            )

    def test_max_megapixels(self, album: Path, tmp_path: Path) -> None:
        limit = CurateConfig(workers=1, max_megapixels=0.08)
        found = records(curate(album, tmp_path / "c", limit).curated)
        assert found["two.jpg"]["verdict"] == "unreadable"
        assert "0.08 megapixels" in found["two.jpg"]["reason"]
        assert found["old.bmp"]["verdict"] == "kept"

    @pytest.mark.parametrize(
        "bad",
        [
            {"size": 8},
            {"size": 4096},
            {"margin": -0.1},
            {"min_face": -1},
            {"faces": "most"},
            {"max_megapixels": 0},
            {"workers": -1},
        ],
    )
    def test_what_cannot_be(self, bad: dict[str, Any]) -> None:
        from catgan.core.errors import BadSettings

        with pytest.raises(BadSettings, match="--" + next(iter(bad)).replace("_", "-")):
            CurateConfig(**bad)


class Counting(EyeDetector):
    """Counts the photos looked at, all detectors together."""

    __slots__ = ()
    looked = 0

    def find(self, photo: Photo) -> Sequence[Square]:
        Counting.looked += 1
        return super().find(photo)


class TestRerun:
    def test_does_nothing_when_there_is_nothing_new(self, album: Path, tmp_path: Path) -> None:
        first = curate(album, tmp_path / "c")
        before = tree(tmp_path / "c")
        times = {path: path.stat().st_mtime_ns for path in (tmp_path / "c").rglob("*.png")}
        Counting.looked = 0
        again = curate(album, tmp_path / "c", detector=Counting())
        assert (again.fresh, Counting.looked) == (0, 0)
        assert tree(tmp_path / "c") == before
        assert {p: p.stat().st_mtime_ns for p in (tmp_path / "c").rglob("*.png")} == times
        assert again == dataclasses.replace(first, fresh=0)

    def test_looks_at_what_is_new(self, own_album: Path, tmp_path: Path) -> None:
        curate(own_album, tmp_path / "c")
        write(
            own_album / "new.jpg", encode(draw_photo(200, 200, Head(cx=99, cy=99, w=80), seed=50))
        )
        assert plan_like(own_album, tmp_path / "c") == 1
        result = curate(own_album, tmp_path / "c")
        assert result.fresh == 1
        assert_as_new(own_album, result, tmp_path)

    @pytest.mark.parametrize(
        ("name", "value"),
        [("fingerprint", "xyz"), ("fingerprint", ""), ("sha256", "../x"), ("height", 0)],
    )
    def test_looks_again_where_the_journal_says_what_cannot_be(
        self, own_album: Path, tmp_path: Path, name: str, value: Any
    ) -> None:
        curate(own_album, tmp_path / "c")
        (journal,) = (tmp_path / "c").glob(".findings-*.jsonl")
        lines = list(read_jsonl(journal))
        for line in lines:
            if line["path"] == "meadow.jpg":
                line[name] = value
        write_jsonl(journal, lines)
        result = curate(own_album, tmp_path / "c")
        assert result.fresh == 1
        assert_as_new(own_album, result, tmp_path)

    def test_looks_again_at_what_could_not_be_read(
        self, own_album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A package that was missing may be there by now, and memory free."""

        def without_package(data: bytes, **how: Any) -> Photo:
            if data == (own_album / "meadow.jpg").read_bytes():
                raise UnreadablePhoto("the package that reads it is missing")
            return read_photo(data, **how)

        with monkeypatch.context() as patch:
            patch.setattr(examine, "read_photo", without_package)
            without = curate(own_album, tmp_path / "c")
            assert records(without.curated)["meadow.jpg"]["verdict"] == "unreadable"
        Counting.looked = 0
        result = curate(own_album, tmp_path / "c", detector=Counting())
        assert records(result.curated)["meadow.jpg"]["verdict"] == "no-face"
        assert (result.fresh, Counting.looked) == (0, 1)
        assert_as_new(own_album, result, tmp_path)

    def test_looks_again_at_what_has_changed(self, own_album: Path, tmp_path: Path) -> None:
        curate(own_album, tmp_path / "c")
        (own_album / "meadow.jpg").write_bytes((own_album / "no_suffix").read_bytes())
        result = curate(own_album, tmp_path / "c")
        assert result.fresh == 1
        found = records(result.curated)
        assert found["meadow.jpg"]["verdict"] == "kept"
        assert found["no_suffix"]["verdict"] == "duplicate"
        assert_as_new(own_album, result, tmp_path)

    def test_pictures_of_photos_that_have_gone_go_too(
        self, own_album: Path, tmp_path: Path
    ) -> None:
        curate(own_album, tmp_path / "c")
        (own_album / "no_suffix").unlink()
        (own_album / "meadow.jpg").unlink()
        result = curate(own_album, tmp_path / "c")
        assert (result.fresh, result.gone) == (0, 2)
        assert not list(result.curated.rglob("no_suffix-*"))
        assert not list(result.curated.rglob("meadow-*"))
        assert_as_new(own_album, result, tmp_path)

    def test_the_copy_takes_the_place_of_the_original(
        self, own_album: Path, tmp_path: Path
    ) -> None:
        curate(own_album, tmp_path / "c")
        (own_album / "2023" / "balcony.jpg").unlink()
        result = curate(own_album, tmp_path / "c")
        assert records(result.curated)["copy of balcony.jpg"]["verdict"] == "kept"
        assert_as_new(own_album, result, tmp_path)

    def test_a_renamed_folder_changes_no_picture(self, own_album: Path, tmp_path: Path) -> None:
        curate(own_album, tmp_path / "c")
        pictures = {p: d for p, d in tree(tmp_path / "c").items() if p.endswith(".png")}
        (own_album / "2023").rename(own_album / "last year")
        Counting.looked = 0
        result = curate(own_album, tmp_path / "c", detector=Counting())
        # nor of the copy, which so becomes the original: the folder now sorts behind it
        assert (result.fresh, Counting.looked) == (0, 0)
        assert records(result.curated)["copy of balcony.jpg"]["verdict"] == "kept"
        assert result.gone == 0
        after = {p: d for p, d in tree(tmp_path / "c").items() if p.endswith(".png")}
        moved = pictures.keys() ^ after.keys()
        assert all("balcony" in p for p in moved)
        assert_as_new(own_album, result, tmp_path)

    def test_equal_files_of_one_name_in_two_folders(self, own_album: Path, tmp_path: Path) -> None:
        """Both are drawn under one name: what the one keeps, the other does not take away."""
        write(own_album / "2024" / "balcony.jpg", (own_album / "2023/balcony.jpg").read_bytes())
        result = curate(own_album, tmp_path / "c")
        assert records(result.curated)["2024/balcony.jpg"]["verdict"] == "duplicate"
        (file,) = (result.curated / FACE_CROP / SPLIT).glob("balcony-*")
        before = file.read_bytes()
        assert curate(own_album, tmp_path / "c").fresh == 0
        (own_album / "2023" / "balcony.jpg").unlink()
        assert curate(own_album, tmp_path / "c").fresh == 0
        assert records(result.curated)["2024/balcony.jpg"]["verdict"] == "kept"
        assert file.read_bytes() == before
        assert_as_new(own_album, result, tmp_path)

    def test_a_renamed_album_is_the_same(self, own_album: Path, tmp_path: Path) -> None:
        curate(own_album, tmp_path / "c")
        before = tree(tmp_path / "c")
        elsewhere = own_album.rename(tmp_path / "moved")
        assert curate(elsewhere, tmp_path / "c").fresh == 0
        where, was = b'"raw": "../moved"', b'"raw": "../album"'
        after = tree(tmp_path / "c")
        assert where in after["catgan.json"], "but for where it is"
        after["catgan.json"] = after["catgan.json"].replace(where, was)
        assert after == before

    def test_a_copied_album_with_other_times_is_the_same(
        self, own_album: Path, tmp_path: Path
    ) -> None:
        curate(own_album, tmp_path / "c")
        before = tree(tmp_path / "c")
        for path in own_album.rglob("*.*"):
            os.utime(path)
        result = curate(own_album, tmp_path / "c")
        assert result.fresh == 0
        after = tree(tmp_path / "c")
        assert {p for p in before if before[p] != after[p]} == {
            p for p in before if p.startswith(".findings-")
        }

    def test_other_settings_do_all_again(self, album: Path, tmp_path: Path) -> None:
        curate(album, tmp_path / "c")
        wider = CurateConfig(workers=1, margin=0.5, size=48)
        result = curate(album, tmp_path / "c", wider)
        assert result.fresh == len(ALBUM)
        assert [str(change) for change in result.changed] == [
            "size was 64, is 48",
            "margin was 0.25, is 0.5",
        ]
        fresh = curate(album, tmp_path / "fresh", wider)
        assert tree(result.curated) == tree(fresh.curated)

    def test_a_lost_or_emptied_picture_is_made_again(self, album: Path, tmp_path: Path) -> None:
        curate(album, tmp_path / "c")
        before = tree(tmp_path / "c")
        crops = sorted((tmp_path / "c" / FACE_CROP / SPLIT).glob("*.png"))
        crops[1].unlink()
        crops[3].write_bytes(b"")
        result = curate(album, tmp_path / "c")
        assert result.fresh == 2
        assert tree(tmp_path / "c") == before

    def test_an_emptied_picture_of_a_photo_that_has_gone(
        self, own_album: Path, tmp_path: Path
    ) -> None:
        curate(own_album, tmp_path / "c")
        (own_album / "meadow.jpg").unlink()
        (picture,) = (tmp_path / "c" / FULL_BODY / SPLIT).glob("meadow-*")
        picture.write_bytes(b"")
        result = curate(own_album, tmp_path / "c")
        assert not picture.exists()
        assert_as_new(own_album, result, tmp_path)

    def test_ones_own_file_in_a_data_set_is_left_alone(self, album: Path, tmp_path: Path) -> None:
        curate(album, tmp_path / "c")
        mine = [tmp_path / "c" / FACE_CROP / name for name in ("mine.jpg", "train/mine.jpg")]
        for path in mine:
            path.write_bytes(encode(draw_photo(30, 20)))
        result = curate(album, tmp_path / "c")
        assert all(path.exists() for path in mine)
        assert result.data_sets[FACE_CROP] == Counter(ALBUM.values())["kept"]


def plan_like(raw: Path, curated: Path) -> int:
    """How many photos a run of these tests would look at, by the dry run's own means."""
    from catgan.curate.find import find_photos
    from catgan.curate.pipeline import still_known

    settings = recorded_settings(HERE, None)
    folder = CuratedFolder(root=curated, raw=raw, settings=settings)
    photos = find_photos(raw).photos
    return len(photos) - len(still_known(photos, folder.known(), folder))


def assert_as_new(raw: Path, result: CurateResult, tmp_path: Path) -> None:
    """The folder is what a first run over the album as it is now would have made."""
    fresh = curate(raw, tmp_path / "as new")
    assert tree(result.curated) == tree(fresh.curated)


class Deadly(EyeDetector):
    """Kills its process on photos of one width, as a decoder that crashes would."""

    __slots__ = ()

    def find(self, photo: Photo) -> Sequence[Square]:
        if photo.width == 330:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().find(photo)


class TestProcesses:
    def test_two_write_what_one_writes(
        self, album: Path, done: CurateResult, tmp_path: Path
    ) -> None:
        two = curate(album, tmp_path / "c", CurateConfig(workers=2))
        assert tree(two.curated) == tree(done.curated)

    @pytest.mark.skipif(os.name == "nt", reason="no such signals on Windows")
    def test_a_photo_that_kills_its_reader_is_unreadable(self, album: Path, tmp_path: Path) -> None:
        result = curate(album, tmp_path / "c", CurateConfig(workers=2), Deadly())
        found = records(result.curated)
        assert found["no_suffix"]["verdict"] == "unreadable"
        assert "crashed the reader" in found["no_suffix"]["reason"]
        rest = {path: record["verdict"] for path, record in found.items() if path != "no_suffix"}
        assert rest == {path: verdict for path, verdict in ALBUM.items() if path != "no_suffix"}

    def test_progress(self, album: Path, tmp_path: Path) -> None:
        seen: list[CurateProgress] = []
        curate_photos(
            album, tmp_path / "c", HERE, make_detector=EyeDetector(), progress=seen.append
        )
        assert [progress.done for progress in seen] == [0, 8, 16, 19]
        assert all(progress.total == 19 for progress in seen)
        assert seen[0].seconds_left is None
        assert seen[-1].seconds_left == 0
        assert sum(seen[-1].counts.values()) == 19
        again: list[CurateProgress] = []
        curate_photos(
            album, tmp_path / "c", HERE, make_detector=EyeDetector(), progress=again.append
        )
        unreadable = list(ALBUM.values()).count("unreadable")  # looked at again
        known = len(ALBUM) - unreadable
        assert [(progress.done, progress.fresh) for progress in again] == [
            (known, 0),
            (len(ALBUM), unreadable),
        ]


class TestPlan:
    def test_says_what_is_to_do_and_writes_nothing(self, album: Path, tmp_path: Path) -> None:
        quick = CurateConfig(workers=1, cascade="quick")
        plan = plan_curation(album, tmp_path / "c", quick)
        assert (plan.photos, plan.fresh) == (19, 19)
        assert not (tmp_path / "c").exists()
        curate_photos(album, tmp_path / "c", quick)
        before = tree(tmp_path / "c")
        assert plan_curation(album, tmp_path / "c", quick).fresh == 0
        assert plan_curation(album, tmp_path / "c", CurateConfig(cascade="turned")).fresh == 19
        assert tree(tmp_path / "c") == before


class TestBadInput:
    def test_no_folder_or_a_file(self, album: Path, tmp_path: Path) -> None:
        with pytest.raises(NoSuchFolder, match="does not exist"):
            curate(tmp_path / "nowhere", tmp_path / "c")
        with pytest.raises(NoSuchFolder, match="is a file"):
            curate(album / "meadow.jpg", tmp_path / "c")
        assert names(tmp_path) == []

    def test_no_photos(self, tmp_path: Path) -> None:
        raw = tmp_path / "raw"
        write(raw / "deep" / "notes.txt", b"no cat here")
        with pytest.raises(NoPictures, match="no photos in"):
            curate(raw, tmp_path / "c")
        assert names(tmp_path) == ["raw"]

    def test_a_folder_refused_is_left_as_it_was(self, album: Path, tmp_path: Path) -> None:
        write(tmp_path / "c" / "thesis.txt", b"x")
        with pytest.raises(FolderRefused):
            curate(album, tmp_path / "c")
        assert tree(tmp_path) == {"c/": b"", "c/thesis.txt": b"x"}

    def test_a_folder_that_cannot_be_made(self, album: Path, tmp_path: Path) -> None:
        write(tmp_path / "file", b"x")
        with pytest.raises(FolderRefused, match="cannot be made"):
            curate(album, tmp_path / "file" / "c")
        (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
        with pytest.raises(FolderRefused, match="cannot be made"):
            curate(album, tmp_path / "dangling")

    def test_no_cascade(self, album: Path, tmp_path: Path) -> None:
        write(tmp_path / "cat.xml", b"meow")
        for cascade in (str(tmp_path / "cat.xml"), "nowhere"):
            with pytest.raises(BadRecipe):
                curate_photos(album, tmp_path / "c", CurateConfig(workers=1, cascade=cascade))
        assert names(tmp_path) == ["cat.xml"]

    def test_no_face_in_any_photo(self, tmp_path: Path) -> None:
        from torchvision.datasets import ImageFolder

        for seed in range(3):
            write(tmp_path / "raw" / f"{seed}.jpg", encode(draw_photo(90, 80, seed=seed)))
        result = curate(tmp_path / "raw", tmp_path / "c")
        assert result.data_sets == {FULL_BODY: 3, FACE_CROP: 0}
        assert set(result.sheets) == {FULL_BODY}
        assert not (tmp_path / "c" / FACE_CROP).exists()
        assert len(ImageFolder(str(tmp_path / "c"))) == 3
        assert curate(tmp_path / "raw", tmp_path / "c").fresh == 0

    def test_no_readable_photo(self, tmp_path: Path) -> None:
        write(tmp_path / "raw" / "a.jpg", b"")
        with pytest.raises(NoPictures, match=r"only file in .* could not be read: the file is em"):
            curate(tmp_path / "raw", tmp_path / "c")
        write(tmp_path / "raw" / "b.jpg", b"")
        write(tmp_path / "raw" / "c.jpg", b"no cat here")
        with pytest.raises(NoPictures) as refused:
            curate(tmp_path / "raw", tmp_path / "c")
        assert "None of the 3 files" in str(refused.value)
        assert "the file is empty (2 files), not a picture (1 file)" in str(refused.value)
        assert {r["verdict"] for r in records(tmp_path / "c").values()} == {"unreadable"}
        note = read_note(tmp_path / "c")
        assert note is not None
        assert note.finished, "it is on record all the same"
        assert not list((tmp_path / "c").rglob("*.png"))

    @pytest.mark.parametrize("workers", [1, 2])
    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
    def test_a_full_disk_stops_it_and_the_rerun_carries_on(
        self, album: Path, done: CurateResult, tmp_path: Path, workers: int
    ) -> None:
        record = records(done.curated)["no_suffix"]
        picture = tmp_path / "c" / record["outputs"][FACE_CROP]
        full = FullFor(folder=str(picture.parent), picture=picture.name)
        with pytest.raises(DiskFull, match="rerun the same command"):
            curate(album, tmp_path / "c", CurateConfig(workers=workers), full)
        assert not picture.exists()
        result = curate(album, tmp_path / "c", CurateConfig(workers=workers))
        assert 1 <= result.fresh <= len(ALBUM)
        assert tree(tmp_path / "c") == tree(done.curated)

    def test_raw_is_never_written_to(self, own_album: Path, tmp_path: Path) -> None:
        before = tree(own_album)
        times = {path: path.stat().st_mtime_ns for path in own_album.rglob("*")}
        curate(own_album, tmp_path / "c")
        assert tree(own_album) == before
        assert {path: path.stat().st_mtime_ns for path in own_album.rglob("*")} == times


@dataclasses.dataclass(frozen=True, slots=True)
class FullFor(EyeDetector):
    """Finds heads, and fills the disk for one picture just before it is written."""

    folder: str = ""
    picture: str = ""

    def find(self, photo: Photo) -> Sequence[Square]:
        if photo.width == 330:
            (Path(self.folder) / f".{self.picture}.partial").symlink_to("/dev/full")
        return EyeDetector.find(self, photo)


class TestPictureName:
    @pytest.mark.parametrize(
        ("stem", "expected"),
        [
            ("kotetsu", "kotetsu-0123456789.png"),
            ("IMG 0001 (2)", "IMG_0001_2-0123456789.png"),
            ("小鉄", "photo-0123456789.png"),
            ("../../etc", "etc-0123456789.png"),
            ("-rf", "rf-0123456789.png"),
            ("x" * 300, "x" * 60 + "-0123456789.png"),
            (printable(os.fsdecode(b"caf\xe9 \xe0 lait")), "caf_lait-0123456789.png"),
        ],
    )
    def test_is_safe_anywhere(self, stem: str, expected: str) -> None:
        assert picture_name(stem, "0123456789abcdef") == expected
        assert PICTURE_NAME.fullmatch(expected)

    def test_of_further_faces(self) -> None:
        assert picture_name("a", "0" * 64, 1) == "a-0000000000-2.png"
        assert PICTURE_NAME.fullmatch("a-0000000000-2.png")
        assert not PICTURE_NAME.fullmatch("my own cat.png")


def test_one_json_document_a_line(done: CurateResult) -> None:
    for line in (done.curated / "photos.jsonl").read_text(encoding="utf-8").splitlines():
        assert isinstance(json.loads(line), dict)


def test_a_panorama_is_reduced_never_enlarged(tmp_path: Path) -> None:
    """Its shorter side must keep its pixels however small the longer one may come back."""
    stripes = np.zeros((128, 2560, 3), np.uint8)
    stripes[::4] = stripes[1::4] = 200  # two on, two off: gone if the photo is halved twice
    buffer = io.BytesIO()
    Image.fromarray(stripes).save(buffer, "JPEG", quality=95)
    write(tmp_path / "raw" / "wide.jpg", buffer.getvalue())
    result = curate(tmp_path / "raw", tmp_path / "c")
    (picture,) = (result.curated / FULL_BODY / SPLIT).glob("*.png")
    rows = np.asarray(Image.open(picture)).mean(axis=(1, 2))
    assert rows.std() > 50


def test_copies_of_the_curated_folder_are_folders_of_their_own(
    album: Path, done: CurateResult, tmp_path: Path
) -> None:
    shutil.copytree(done.curated, tmp_path / "copy")
    assert curate(album, tmp_path / "copy").fresh == 0


def test_known_files_are_looked_into_several_at_a_time(
    album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a network drive each of a million is a wait."""
    config = CurateConfig(workers=1)
    curate_photos(album, tmp_path / "c", config, make_detector=EyeDetector())
    real, two = PhotoFile.probe, threading.Barrier(2)
    number = itertools.count()

    def probe(own: PhotoFile) -> str:
        if next(number) < 2:
            two.wait(30)  # for the other one
        return real(own)

    monkeypatch.setattr(PhotoFile, "probe", probe)
    monkeypatch.setattr(pipeline, "BATCH", 1)
    result = curate_photos(album, tmp_path / "c", config, make_detector=EyeDetector())
    assert result.fresh == 0
    assert next(number) > 2
