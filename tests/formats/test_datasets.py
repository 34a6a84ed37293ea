"""What a data set is, and how it is split."""

from pathlib import Path

import pytest

from catgan.core.errors import NoPictures, NoSuchFolder, UnreadablePhoto
from catgan.core.loading import load_picture, load_pictures
from catgan.formats.datasets import (
    FACE_CROP,
    FULL_BODY,
    FULL_BODY_KEPT,
    METADATA,
    SPLIT,
    PictureRecord,
    find_datasets,
    held_out,
    open_dataset,
    read_metadata,
    write_metadata,
)
from tests.drawing import draw_photo, encode, write

NAMES = tuple(f"cat-{index:04d}.png" for index in range(300))


class TestHeldOut:
    @pytest.mark.parametrize("count", [0, 1, 50, 300])
    def test_splits_all_in_order(self, count: int) -> None:
        train, out = held_out(NAMES, count)
        assert len(out) == count
        assert set(train) | set(out) == set(NAMES)
        assert not set(train) & set(out)
        assert list(train) == sorted(train)
        assert list(out) == sorted(out)

    def test_more_than_there_are_is_all(self) -> None:
        assert held_out(NAMES, 1000) == ((), NAMES)

    def test_the_order_of_the_names_does_not_matter(self) -> None:
        assert set(held_out(NAMES[::-1], 40)[1]) == set(held_out(NAMES, 40)[1])
        assert held_out(NAMES[::-1], 40)[0] == held_out(NAMES, 40)[0][::-1]

    def test_fewer_is_part_of_more(self) -> None:
        assert set(held_out(NAMES, 20)[1]) < set(held_out(NAMES, 60)[1])

    def test_held_out_of_a_data_set_is_held_out_of_every_part_of_it(self) -> None:
        """So no picture measured on in `full-body` is trained on in `face-crop`."""
        part = NAMES[::2]
        assert set(held_out(NAMES, 40)[1]) & set(part) <= set(held_out(part, 40)[1])

    def test_another_photo_moves_one_name_at_most(self) -> None:
        before = set(held_out(NAMES, 40)[1])
        for index in range(50):
            after = set(held_out((*NAMES, f"new-{index}.png"), 40)[1])
            assert len(before - after) <= 1

    def test_is_not_the_first_or_the_last_names(self) -> None:
        places = [NAMES.index(name) for name in held_out(NAMES, 100)[1]]
        # a hash spreads them: the mean of 100 of 300 places is 150 with a deviation of 7
        assert 115 < sum(places) / 100 < 185


def fill(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"x")
    return folder


class TestFindDatasets:
    def test_a_curated_folder_has_its_two_before_first(self, tmp_path: Path) -> None:
        fill(tmp_path / FACE_CROP, "b.png", "a.png", "metadata.jsonl")
        fill(tmp_path / FULL_BODY, "a.png")
        fill(tmp_path / "another", "a.jpg")
        fill(tmp_path, "contact-full-body.jpg", "photos.jsonl")
        found = find_datasets(tmp_path)
        assert [dataset.name for dataset in found] == [FULL_BODY, "another", FACE_CROP]
        assert found[2].files == ("a.png", "b.png")
        assert found[2].paths() == [tmp_path / FACE_CROP / "a.png", tmp_path / FACE_CROP / "b.png"]

    def test_one_between_before_and_after(self, tmp_path: Path) -> None:
        for name in (FACE_CROP, "another", FULL_BODY_KEPT, FULL_BODY):
            fill(tmp_path / name, "a.png")
        names = [dataset.name for dataset in find_datasets(tmp_path)]
        assert names == [FULL_BODY, FULL_BODY_KEPT, "another", FACE_CROP]

    def test_a_folder_of_pictures_is_one(self, tmp_path: Path) -> None:
        fill(tmp_path / "mine", "1.JPG", "2.webp", ".hidden.png", "notes.txt")
        (tmp_path / "mine" / "folder.png").mkdir()
        (found,) = find_datasets(tmp_path / "mine")
        assert found.name == "mine"
        assert found.files == ("1.JPG", "2.webp")

    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "AVIF", "HEIF"])
    def test_pictures_are_told_by_their_contents(self, tmp_path: Path, kind: str) -> None:
        """As in `curate`: whatever they are called; and what is called one, to be named broken."""
        if kind == "HEIF":
            pytest.importorskip("pillow_heif").register_heif_opener()
        picture = draw_photo(40, 30, seed=3)
        for name in ("a", "b.dat"):
            write(tmp_path / name, encode(picture, kind))
        for name in ("c.jfif", "d.jpe", "e.gif", "f.avif", "g.heic"):
            write(tmp_path / name, b"broken")
        write(tmp_path / "notes", b"about the cat\n" * 9)
        (found,) = find_datasets(tmp_path)
        assert found.files == ("a", "b.dat", "c.jfif", "d.jpe", "e.gif", "f.avif", "g.heic")
        for path in found.paths()[:2]:
            loaded = load_picture(path).pixels
            assert abs(loaded.astype(int) - picture).mean() < 12, "a GIF has 256 colours"
        with pytest.raises(UnreadablePhoto, match="5 images in"):
            load_pictures(found.paths(), 16)

    def test_hidden_folders_are_left_out(self, tmp_path: Path) -> None:
        fill(tmp_path / ".thumbnails", "a.png")
        with pytest.raises(NoPictures, match="catgan curate"):
            find_datasets(tmp_path)

    def test_no_folder(self, tmp_path: Path) -> None:
        with pytest.raises(NoSuchFolder, match="does not exist"):
            find_datasets(tmp_path / "nowhere")
        (tmp_path / "curated").mkdir()
        with pytest.raises(NoSuchFolder, match=r"does not exist \(did you mean .*curated\?\)"):
            find_datasets(tmp_path / "cruated")
        file = fill(tmp_path, "a.png") / "a.png"
        with pytest.raises(NoSuchFolder, match="a file, not a folder"):
            find_datasets(file)

    def test_its_name_is_that_of_the_folder_however_it_is_written(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fill(tmp_path / "mine", "a.png")
        monkeypatch.chdir(tmp_path / "mine")
        dataset = open_dataset(Path())
        assert dataset is not None
        assert dataset.name == "mine"


class TestPicturesInside:
    """Curated data sets keep their pictures in a folder `train`, beside their `metadata.jsonl`."""

    def test_it_is_one_data_set_by_the_name_outside(self, tmp_path: Path) -> None:
        inside = fill(tmp_path / FACE_CROP / SPLIT, "b.png", "a.png", METADATA)
        fill(inside / ".left-out", "c.png.out")
        for named in (tmp_path, tmp_path / FACE_CROP):
            (found,) = find_datasets(named)
            assert found.name == FACE_CROP
            assert found.folder == tmp_path / FACE_CROP
            assert found.paths() == [inside / "a.png", inside / "b.png"]

    def test_names_and_so_held_out_pictures_are_those_of_the_old_layout(
        self, tmp_path: Path
    ) -> None:
        fill(tmp_path / "old" / FACE_CROP, *NAMES[:40])
        fill(tmp_path / "new" / FACE_CROP / SPLIT, *NAMES[:40], METADATA)
        old, new = (open_dataset(tmp_path / age / FACE_CROP) for age in ("old", "new"))
        assert old is not None
        assert new is not None
        assert (old.name, old.files) == (new.name, new.files)

    def test_a_persons_own_folders_called_train_are_data_sets_of_their_own(
        self, tmp_path: Path
    ) -> None:
        fill(tmp_path / "cats" / "train", "a.png")
        fill(tmp_path / "cats" / "more", "a.png")
        found = find_datasets(tmp_path / "cats")
        assert [dataset.name for dataset in found] == ["more", "train"]
        assert open_dataset(tmp_path / "cats") is None

    def test_an_empty_one_is_none(self, tmp_path: Path) -> None:
        fill(tmp_path / FACE_CROP / SPLIT, METADATA)
        assert open_dataset(tmp_path / FACE_CROP) is None


class TestMetadata:
    def test_comes_back_by_file_name(self, tmp_path: Path) -> None:
        records = [
            PictureRecord(file_name="a.png", photo="x/a.jpg", box=(1.0, 2.5, 3.0, 3.0), roll=-4.0),
            PictureRecord(file_name="b.png"),
        ]
        write_metadata(tmp_path, records)
        assert read_metadata(tmp_path) == {"a.png": records[0], "b.png": records[1]}

    def test_inside_or_not(self, tmp_path: Path) -> None:
        fill(tmp_path / FACE_CROP / SPLIT, "a.png")
        write_metadata(tmp_path / FACE_CROP / SPLIT, [PictureRecord(file_name="a.png")])
        assert read_metadata(tmp_path / FACE_CROP).keys() == {"a.png"}

    def test_a_folder_without_it_knows_nothing(self, tmp_path: Path) -> None:
        assert read_metadata(tmp_path) == {}

    def test_a_persons_own_may_hold_anything(self, tmp_path: Path) -> None:
        lines = '{"file_name": "a.png", "text": "a cat"}\n{"file_name": 3}\nrubbish\n[1]\n'
        (tmp_path / METADATA).write_text(lines, encoding="utf-8")
        assert read_metadata(tmp_path) == {"a.png": PictureRecord(file_name="a.png")}
