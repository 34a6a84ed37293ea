"""Drawing an album into a folder: the same each time, carried on, and never over anything."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from catgan.core.errors import BadRecord, BadSettings, BadUsage, FolderRefused, SettingsDiffer
from catgan.core.photos import read_photo
from catgan.curate.find import find_photos
from catgan.demo import pipeline
from catgan.demo.config import DemoConfig
from catgan.demo.pipeline import draw_album, plan_album
from catgan.demo.truth import BROKEN, BURST, EXPECTED, read_truth
from catgan.model.networks import Generator
from tests.demo.conftest import LikesAll
from tests.drawing import tree

TINY = DemoConfig(photos=12, seed=3, workers=1)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, generator: Generator) -> Path:
    """A finished album; to be read only."""
    raw = tmp_path_factory.mktemp("whole") / "raw"
    draw_album(raw, TINY, generator=generator, judge=LikesAll())
    return raw


def test_there_are_as_many_photos_as_asked_for_and_curate_sees_no_other(whole: Path) -> None:
    names = [photo.name for photo in find_photos(whole)]
    assert names == [f"IMG_{number:04d}.jpg" for number in range(1, 13)]
    assert [truth.file for truth in read_truth(whole)] == names
    assert {truth.kind for truth in read_truth(whole)} == set(EXPECTED)


def test_sizes_are_the_truth(whole: Path) -> None:
    for truth in read_truth(whole):
        if truth.kind != BROKEN:
            photo = read_photo((whole / truth.file).read_bytes())
            assert (photo.width, photo.height) == (truth.width, truth.height)
            assert max(photo.width, photo.height) >= 640 and min(photo.width, photo.height) >= 480


def test_faces_lie_on_the_photo_and_bursts_follow_their_first(whole: Path) -> None:
    before = None
    for truth in read_truth(whole):
        if truth.face is not None:
            x, y, w, h = truth.face.box
            assert w == h >= 80
            assert x > 0 and y > 0 and x + w < truth.width and y + h < truth.height
        if truth.kind == BURST:
            assert truth.burst_of == before
        else:
            before = truth.file


def test_the_same_line_again_does_nothing(
    whole: Path, tmp_path: Path, generator: Generator, judge: LikesAll
) -> None:
    raw = tmp_path / "raw"
    shutil.copytree(whole, raw)
    before = tree(raw)
    assert draw_album(raw, TINY, generator=generator, judge=judge).fresh == 0
    assert tree(raw) == before


def test_a_stopped_run_carries_on_to_the_same_files(
    whole: Path, tmp_path: Path, generator: Generator, judge: LikesAll
) -> None:
    raw = tmp_path / "raw"
    shutil.copytree(whole, raw)
    lines = (raw / "demo.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    # killed in the middle of the fifth photo's line; what the second shows was known, not drawn
    (raw / "demo.jsonl").write_text("".join(lines[:5]) + lines[5][:20], encoding="utf-8")
    for number in (2, *range(5, 13)):
        (raw / f"IMG_{number:04d}.jpg").unlink()
    assert plan_album(raw, TINY).missing[0] == "IMG_0002.jpg"
    draw_album(raw, TINY, generator=generator, judge=judge)
    assert tree(raw) == tree(whole)


def test_the_number_of_processes_changes_nothing(
    whole: Path, tmp_path: Path, generator: Generator, judge: LikesAll
) -> None:
    raw = tmp_path / "raw"
    two = DemoConfig(photos=TINY.photos, seed=TINY.seed, workers=2)
    draw_album(raw, two, generator=generator, judge=judge)
    assert tree(raw) == tree(whole)


def test_another_seed_is_another_album(whole: Path) -> None:
    with pytest.raises(SettingsDiffer, match="seed was 3, is 4"):
        plan_album(whole, DemoConfig(photos=12, seed=4))


def test_photos_of_somebody_are_never_touched(
    tmp_path: Path, generator: Generator, judge: LikesAll
) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / "my cat.jpg").write_bytes(b"mine")
    with pytest.raises(FolderRefused, match=r"my cat\.jpg"):
        draw_album(raw, TINY, generator=generator, judge=judge)
    assert tree(raw) == {"my cat.jpg": b"mine"}


def test_a_demo_jsonl_of_somebody_elses_is_refused(tmp_path: Path) -> None:
    (tmp_path / "demo.jsonl").write_text('{"song": "one"}\n', encoding="utf-8")
    with pytest.raises(FolderRefused, match=r"demo\.jsonl"):
        plan_album(tmp_path, TINY)


def test_a_folder_with_only_a_readme_is_fine(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("Put your photos here.\n", encoding="utf-8")
    assert len(plan_album(tmp_path, TINY).missing) == 12


def test_a_strange_file_in_a_photos_place_is_refused(
    whole: Path, tmp_path: Path, generator: Generator, judge: LikesAll
) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    header = (whole / "demo.jsonl").read_text(encoding="utf-8").splitlines()[0]
    (raw / "demo.jsonl").write_text(header + "\n", encoding="utf-8")
    (raw / "IMG_0001.jpg").write_bytes(b"mine")
    with pytest.raises(FolderRefused, match="IMG_0001"):
        draw_album(raw, TINY, generator=generator, judge=judge)
    assert (raw / "IMG_0001.jpg").read_bytes() == b"mine"


def test_nothing_is_drawn_among_photos_of_somebody(whole: Path, tmp_path: Path) -> None:
    """The album's photos taken out and others put in, demo.jsonl forgotten."""
    raw = tmp_path / "raw"
    shutil.copytree(whole, raw)
    (raw / "tama.jpg").write_bytes(b"mine")
    assert plan_album(raw, TINY).missing == ()  # beside a whole album they may lie
    for photo in raw.glob("IMG_*.jpg"):
        photo.unlink()
    with pytest.raises(FolderRefused, match=r"tama\.jpg"):
        plan_album(raw, TINY)


def test_half_an_album_of_another_model_is_refused(
    whole: Path, tmp_path: Path, generator: Generator, judge: LikesAll
) -> None:
    raw = tmp_path / "raw"
    shutil.copytree(whole, raw)
    lines = (raw / "demo.jsonl").read_text(encoding="utf-8").splitlines()
    header = json.loads(lines[0]) | {"model": "00000000"}
    (raw / "demo.jsonl").write_text("\n".join([json.dumps(header), *lines[1:]]) + "\n")
    assert draw_album(raw, TINY, generator=generator, judge=judge).fresh == 0  # whole: left alone
    (raw / "IMG_0003.jpg").unlink()
    with pytest.raises(SettingsDiffer, match="another version"):
        draw_album(raw, TINY, generator=generator, judge=judge)


def test_hidden_files_of_somebody_stay(
    tmp_path: Path, generator: Generator, judge: LikesAll
) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    mine = {".DS_Store": b"mine", ".notes.partial": b"mine"}
    for name, data in mine.items():
        (raw / name).write_bytes(data)
    draw_album(raw, TINY, generator=generator, judge=judge)
    assert tree(raw).items() >= mine.items()


def test_a_folder_that_may_not_be_written_to(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # root, for one, may write anywhere
    for raw in (tmp_path, tmp_path / "raw"):
        with pytest.raises(BadUsage, match="may not be written to"):
            plan_album(raw, TINY)
    assert plan_album(whole, TINY).missing == ()  # nothing to write


def test_what_another_process_drew_meanwhile_stays(
    tmp_path: Path, generator: Generator, judge: LikesAll, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another seed's album, begun after the folder was looked at and before it was locked."""
    raw = tmp_path / "raw"

    @contextmanager
    def locked_late(folder: Path) -> Iterator[None]:
        monkeypatch.undo()
        draw_album(
            folder, DemoConfig(photos=12, seed=4, workers=1), generator=generator, judge=judge
        )
        before.update(tree(folder))
        yield

    before: dict[str, bytes] = {}
    monkeypatch.setattr(pipeline, "locked", locked_late)
    with pytest.raises(SettingsDiffer, match="seed was 4, is 3"):
        draw_album(raw, TINY, generator=generator, judge=judge)
    assert tree(raw) == before


def test_a_damaged_demo_jsonl_is_one_sentence(whole: Path, tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    shutil.copytree(whole, raw)
    truth = raw / "demo.jsonl"
    header, *photos = truth.read_text(encoding="utf-8").splitlines()
    truth.write_text("\n".join([header, '{"file": "IMG_0001.jpg"}', *photos[1:]]) + "\n")
    with pytest.raises(BadRecord, match=r"demo\.jsonl, line 2, .*kind"):
        plan_album(raw, TINY)
    truth.write_text("\n".join([header, photos[0], "rubbish", *photos[1:]]) + "\n")
    with pytest.raises(BadRecord, match=r"demo\.jsonl, line 3, "):
        plan_album(raw, TINY)
    strange = json.dumps(json.loads(header) | {"settings": [1]})
    truth.write_text("\n".join([strange, *photos]) + "\n")
    with pytest.raises(BadRecord, match=r"demo\.jsonl, line 1, .*settings"):
        plan_album(raw, TINY)
    newer = json.dumps(json.loads(header) | {"format": 2})
    truth.write_text("\n".join([newer, *photos]) + "\n")
    with pytest.raises(SettingsDiffer, match="name another folder"):
        plan_album(raw, TINY)


def test_photos_that_a_power_cut_left_empty_are_drawn_anew(
    whole: Path, tmp_path: Path, generator: Generator, judge: LikesAll
) -> None:
    raw = tmp_path / "raw"
    shutil.copytree(whole, raw)
    plain = next(truth.file for truth in read_truth(raw) if truth.kind != BROKEN)
    (raw / plain).write_bytes(b"")
    for broken in [truth.file for truth in read_truth(raw) if truth.kind == BROKEN]:
        (raw / broken).write_bytes(b"")  # as some of them are
    assert plan_album(raw, TINY).missing == (plain,)
    assert draw_album(raw, TINY, generator=generator, judge=judge).fresh == 1
    assert (raw / plain).read_bytes() == (whole / plain).read_bytes()


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "raw").write_text("", encoding="utf-8")
    with pytest.raises(FolderRefused, match="is a file"):
        plan_album(tmp_path / "raw", TINY)
    with pytest.raises(BadUsage, match="is a file"):
        plan_album(tmp_path / "raw" / "deeper", TINY)


@pytest.mark.parametrize(
    "wrong", [{"photos": 5}, {"photos": 10_000}, {"seed": -1}, {"workers": -1}]
)
def test_settings_out_of_range(wrong: dict[str, int]) -> None:
    with pytest.raises(BadSettings, match="--"):
        DemoConfig(**wrong)
