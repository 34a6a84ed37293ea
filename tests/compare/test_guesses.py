"""The guesses that the cleaning rests on, in numbers; what filter and crop brought."""

import dataclasses
from pathlib import Path

import pytest

from catgan.compare.comparison import Comparison
from catgan.compare.config import CompareConfig
from catgan.compare.differences.guesses import kinds, pose_sentence
from catgan.compare.differences.words import NO_DIFFERENCE
from catgan.compare.measured.agreement import Agreement
from catgan.compare.pipeline import compare_runs
from catgan.compare.quantities.catalogue import RECOGNISED
from catgan.core.words import percent
from catgan.formats.curated import CuratedNote, write_note
from catgan.formats.photos import FaceRecord, PhotoRecord, write_photos
from tests.compare.conftest import Projection, draw_dataset, make_run, number

CONFIG = CompareConfig(samples=60)
SETS = ("full-body", "full-body-kept", "face-crop")


def curate_drawn(curated: Path) -> None:
    """Data sets as `curate --ablation` leaves them: 140 photos, the first 130 with a face."""
    draw_dataset(curated / "full-body", 140)
    draw_dataset(curated / "full-body-kept", 130)
    draw_dataset(curated / "face-crop", 130, first=500)
    write_note(curated, CuratedNote(finished=True, settings={"margin": 0.25}))
    face = FaceRecord(box=(0, 0, 50, 50), roll=0, score=1, recipe="quick", file="a.png")
    photo = PhotoRecord(
        path="a.jpg",
        sha256="",
        width=400,
        height=200,
        verdict="kept",
        reason="",
        faces=(face,),
        outputs={name: f"{name}/a.png" for name in SETS},
    )
    write_photos(curated, [photo])


@pytest.fixture
def chain(tmp_path: Path) -> Path:
    curate_drawn(tmp_path / "curated")
    for place, name in enumerate(SETS):
        make_run(tmp_path / "runs", name, tmp_path / "curated" / name, seed=place)
    return tmp_path / "runs"


def compared(names: list[str], runs: Path) -> Comparison:
    return compare_runs(names, CONFIG, runs=runs, extractor=Projection())


def test_filter_and_crop_are_told_apart_along_the_chain(chain: Path) -> None:
    found = compared(["face-crop", "full-body", "full-body-kept"], chain)
    steps = found.steps
    assert [(step.what, step.before, step.after) for step in steps] == [
        ("the filter", "full-body", "full-body-kept"),
        ("the crop", "full-body-kept", "face-crop"),
        ("filter and crop together", "full-body", "face-crop"),
    ]
    share = {arm.label: number(arm.shown, RECOGNISED) for arm in found.arms}
    for step in steps:
        first = step.brought[0]
        assert first.quantity.key == "recognised"
        assert first.difference.value == pytest.approx(share[step.after] - share[step.before])
        assert [one.quantity.key for one in step.brought] == ["recognised", "diversity", "close"]
    # what both brought is what each of them did
    for filtered, cropped, both in zip(*(step.brought for step in steps), strict=True):
        together = filtered.difference.value + cropped.difference.value
        assert together == pytest.approx(both.difference.value)


def test_without_the_third_data_set_both_are_one_step(chain: Path) -> None:
    (step,) = compared(["full-body", "face-crop"], chain).steps
    assert step.what == "filter and crop together"


def test_runs_on_other_pictures_or_twice_on_the_same_are_no_chain(
    chain: Path, tmp_path: Path
) -> None:
    make_run(chain, "mine", tmp_path / "mine")
    assert compared(["mine", "face-crop"], chain).steps == ()
    make_run(chain, "slow", tmp_path / "curated" / "face-crop", lr_d=1e-5)
    assert compared(["full-body", "face-crop", "slow"], chain).steps == ()


def test_other_settings_that_may_be_the_cause_are_named(chain: Path, tmp_path: Path) -> None:
    make_run(chain, "slow", tmp_path / "curated" / "face-crop", lr_d=1e-5)
    (step,) = compared(["full-body", "slow"], chain).steps
    assert step.also == ("lr_d",)
    assert "They differ in lr_d as well, which may be the cause." in step.sentence


def test_the_face_is_told_in_pixels(chain: Path) -> None:
    found = compared(list(SETS), chain)
    face, poses = found.guesses
    # whole: 50 of the 200 pixels that become 16, so 4 wide; cropped: 16 / (1 + 2 * 0.25)
    assert "In full-body a face is about 16 of 256 pixels (6%)" in face
    assert "in face-crop about 114 of 256 pixels (44%)" in face
    assert "7.1 times as much face in face-crop as in full-body." in face
    assert poses.count("%") == 3
    cells = {row.key: row.cells for row in found.rows}
    assert cells["face"][0].text == "4 of 16 pixels wide"
    kept = cells["agreement"][2]
    assert kept.value is not None
    assert kept.low is not None
    assert kept.high is not None
    assert kept.low < kept.value < kept.high
    assert poses.startswith("The average image keeps ")
    assert f"{percent(kept.value)} in face-crop" in poses


def test_pictures_that_nobody_curated_say_nothing_of_faces(
    two: Path, projection: Projection
) -> None:
    found = compare_runs(["full-body", "face-crop"], CONFIG, runs=two, extractor=projection)
    assert len(found.guesses) == 1
    assert "light\N{EN DASH}dark pattern" in found.guesses[0]


def test_pictures_that_several_arms_share_are_told_of_once(chain: Path, tmp_path: Path) -> None:
    make_run(chain, "slow", tmp_path / "curated" / "face-crop", lr_d=1e-5)
    draw_dataset(tmp_path / "drawn", 60, first=9000)
    config = CompareConfig(samples=60, against="face-crop")
    names = ["full-body", "face-crop", "slow", str(tmp_path / "drawn")]
    found = compare_runs(names, config, runs=chain, extractor=Projection())
    assert [(kind.place, kind.label) for kind in kinds(found.arms)] == [
        (0, "full-body"),
        (1, "face-crop"),
    ]
    face, poses = found.guesses
    assert face.count("pixels (") == 2
    assert "slow" not in face + poses
    assert "drawn" not in face + poses


def test_poses_that_differ_no_less_are_said_to(chain: Path) -> None:
    found = compared(["full-body", "face-crop"], chain)

    def sentence(*kept: tuple[float, float]) -> str:
        arms = [
            dataclasses.replace(
                arm,
                real=dataclasses.replace(arm.real, agreement=Agreement(share=share, error=error)),
            )
            for arm, (share, error) in zip(found.arms, kept, strict=True)
        ]
        told = pose_sentence(arms)
        assert told is not None
        return told

    assert sentence((0.04, 0.01), (0.05, 0.01)).endswith(f": {NO_DIFFERENCE}.")
    often = sentence((0.02, 0.005), (0.16, 0.01))
    assert often.endswith("in face-crop: about 8 times as much, so face-crop is better aligned.")
    unsure = sentence((0.005, 0.004), (0.16, 0.01))
    assert unsure.endswith("in face-crop: face-crop is better aligned.")
