"""Which runs a name means, and which of them are runs of one arm."""

from pathlib import Path

import pytest

from catgan.compare.config import CompareConfig
from catgan.compare.inputs.arms import plan_arms
from catgan.compare.pipeline import compare_runs
from catgan.compare.quantities.catalogue import KID, RECOGNISED
from catgan.compare.quantities.quantity import TooFew
from catgan.core.errors import BadUsage, CheckpointRefused, NoPictures, UnknownRun
from tests.compare.conftest import Projection, draw_dataset, found_of, make_run, number

CONFIG = CompareConfig(samples=60)


@pytest.fixture
def seeded(tmp_path: Path) -> Path:
    """Runs `a-s0`, `a-s1`, `a-s10` and `b` on one data set."""
    runs = tmp_path / "runs"
    for name, seed in (("a-s0", 0), ("a-s10", 10), ("a-s1", 1), ("b", 0)):
        make_run(runs, name, tmp_path / "data", seed=seed)
    return runs


def planned(names: list[str], runs: Path, **options: bool) -> list[tuple[str, list[str]]]:
    arms = plan_arms(names, runs, **options)  # type: ignore[arg-type]
    return [(arm.label, [one.name for one in arm.candidates]) for arm in arms]


def test_what_the_names_of_several_runs_share_means_all_of_them(seeded: Path) -> None:
    everything = [("a", ["a-s0", "a-s1", "a-s10"]), ("b", ["b"])]
    assert planned(["a", "b"], seeded) == everything
    assert planned([str(seeded / "a"), "b"], seeded) == everything


def test_runs_named_one_by_one_are_one_arm(seeded: Path) -> None:
    assert planned(["a-s1", "b", "a-s0"], seeded) == [("a", ["a-s1", "a-s0"]), ("b", ["b"])]
    assert planned(["a-s1", "b"], seeded) == [("a-s1", ["a-s1"]), ("b", ["b"])]


def test_apart_every_run_is_an_arm(seeded: Path) -> None:
    assert planned(["a", "b"], seeded, apart=True) == [
        ("a-s0", ["a-s0"]), ("a-s1", ["a-s1"]), ("a-s10", ["a-s10"]), ("b", ["b"])
    ]  # fmt: skip


def test_a_run_of_that_very_name_goes_first_and_joins_its_seeds(
    seeded: Path, tmp_path: Path
) -> None:
    make_run(seeded, "a", tmp_path / "data", seed=7)
    assert planned(["a"], seeded) == [("a", ["a"])]
    assert planned(["a", "a-s1"], seeded) == [("a", ["a", "a-s1"])]


def test_a_run_within_an_arm_is_not_named_twice(seeded: Path) -> None:
    with pytest.raises(BadUsage, match="a-s1 is named twice"):
        plan_arms(["a", "a-s1"], seeded)


def test_runs_that_differ_in_more_than_seeds_are_no_arm(seeded: Path, tmp_path: Path) -> None:
    make_run(seeded, "a-s3", tmp_path / "data", seed=3, lr_d=1e-3)
    arms = plan_arms(["a-s0", "a-s3"], seeded)
    assert [arm.label for arm in arms] == ["a-s0", "a-s3"]
    assert "differ in more than their seeds (lr_d)" in arms[0].notes[0]
    make_run(seeded, "a-s4", tmp_path / "others", seed=4)
    arms = plan_arms(["a-s0", "a-s4"], seeded)
    assert "(images)" in arms[0].notes[0]


def test_a_run_from_before_a_setting_existed_is_one_that_left_it_empty(
    seeded: Path, tmp_path: Path
) -> None:
    make_run(seeded, "a-s4", tmp_path / "data", seed=4, start_from="")
    assert planned(["a-s0", "a-s4"], seeded) == [("a", ["a-s0", "a-s4"])]
    make_run(seeded, "a-s5", tmp_path / "data", seed=5, start_from="base")
    assert len(plan_arms(["a-s0", "a-s5"], seeded)) == 2


def test_where_it_was_computed_makes_no_other_arm(seeded: Path, tmp_path: Path) -> None:
    make_run(seeded, "c-s0", tmp_path / "data", device="cpu")
    make_run(seeded, "c-s1", tmp_path / "data", seed=1, device="cuda", checkpoint_minutes=5)
    assert planned(["c"], seeded) == [("c", ["c-s0", "c-s1"])]


def test_a_run_of_an_arm_that_is_not_ready_is_left_out_and_said(
    seeded: Path, tmp_path: Path, projection: Projection
) -> None:
    make_run(seeded, "a-s2", tmp_path / "data", checkpoint=False)
    found = compare_runs(["a"], CONFIG, runs=seeded, extractor=projection)
    assert len(found.arms[0].runs) == 3
    assert any("a-s2 has no checkpoint yet, so it is left out" in note for note in found.notes)
    with pytest.raises(CheckpointRefused, match="a-s2 has no checkpoint yet"):
        plan_arms(["a-s2", "b"], seeded)
    make_run(seeded, "d-s0", tmp_path / "data", checkpoint=False)
    with pytest.raises(CheckpointRefused, match="d-s0 has no checkpoint yet"):
        plan_arms(["d"], seeded)


def test_notes_on_runs_of_an_arm_name_the_run(
    seeded: Path, tmp_path: Path, projection: Projection
) -> None:
    make_run(seeded, "g-s0", tmp_path / "data")
    make_run(seeded, "g-s1", tmp_path / "data", seed=1, finished=False, epochs=3)
    arms = plan_arms(["g"], seeded)
    assert len(arms) == 1, "a run that is not done yet is still a run of its arm"
    found = compare_runs(["g"], CONFIG, runs=seeded, extractor=projection)
    assert any(note.startswith("g-s1: This run is still going") for note in found.notes)


class TestFoldersOfPictures:
    """A folder of pictures instead of a run: its pictures are the samples."""

    def test_they_are_measured_as_samples_against_what_the_runs_are(
        self, seeded: Path, tmp_path: Path, projection: Projection
    ) -> None:
        draw_dataset(tmp_path / "drawn", 55, first=3000)
        found = compare_runs(
            ["a-s0", str(tmp_path / "drawn")], CONFIG, runs=seeded, extractor=projection
        )
        run, folder = found.arms
        assert not folder.is_run
        assert folder.real is run.real
        assert (folder.shown.n_fake, run.shown.n_fake) == (55, 55), "equal counts"
        # real images of the same kind, against an untrained generator
        assert number(folder.shown, KID) < number(run.shown, KID)
        assert any("folder of 55 images, not a run" in note for note in found.notes)
        assert found.rows[0].cells[1].text == "55 images of a folder"

    def test_alone_they_need_a_reference(self, seeded: Path, tmp_path: Path) -> None:
        draw_dataset(tmp_path / "drawn", 60)
        drawn = str(tmp_path / "drawn")
        with pytest.raises(BadUsage, match=r"a folder of images.*--against"):
            plan_arms([drawn], seeded)
        (arm,) = plan_arms([drawn], seeded, against="b")
        assert arm.candidates[0].split.folder.name == "data"
        assert len(arm.candidates[0].split.held_out) == 60

    def test_a_folder_of_real_images_is_a_reference_too(
        self, seeded: Path, tmp_path: Path, projection: Projection
    ) -> None:
        draw_dataset(tmp_path / "drawn", 60, first=700)
        draw_dataset(tmp_path / "real", 70)
        config = CompareConfig(samples=60, against=str(tmp_path / "real"))
        found = compare_runs([str(tmp_path / "drawn")], config, runs=seeded, extractor=projection)
        (arm,) = found.arms
        assert arm.real.n_reference == 70
        assert number(arm.shown, KID)
        assert found.rows[0].cells[0].value is None
        with pytest.raises(NoPictures, match="no images to measure against"):
            (tmp_path / "empty").mkdir()
            plan_arms([str(tmp_path / "drawn")], seeded, against=str(tmp_path / "empty"))
        with pytest.raises(BadUsage, match="neither a run nor a folder"):
            plan_arms([str(tmp_path / "drawn")], seeded, against="nothing")

    def test_runs_of_several_references_do_not_say_which(
        self, seeded: Path, tmp_path: Path
    ) -> None:
        make_run(seeded, "z", tmp_path / "other")
        draw_dataset(tmp_path / "drawn", 60)
        with pytest.raises(BadUsage, match=r"different real images.*--against b"):
            plan_arms(["b", "z", str(tmp_path / "drawn")], seeded)

    def test_against_without_folders_and_against_itself_are_refused(
        self, seeded: Path, tmp_path: Path
    ) -> None:
        with pytest.raises(BadUsage, match="only runs are named"):
            plan_arms(["a", "b"], seeded, against="b")
        with pytest.raises(BadUsage, match="against its own images"):
            plan_arms([str(tmp_path / "data"), "b"], seeded)

    def test_fewer_than_fifty_are_shown_and_not_measured_by_kid(
        self, seeded: Path, tmp_path: Path, projection: Projection
    ) -> None:
        draw_dataset(tmp_path / "few", 9, first=4000)
        found = compare_runs(
            ["b", str(tmp_path / "few")], CONFIG, runs=seeded, extractor=projection
        )
        run, few = found.arms
        assert run.shown.n_fake == 60, "a small folder takes nothing from the others"
        assert isinstance(few.shown.found["kid"], TooFew)
        assert found_of(few.shown, RECOGNISED).number.n_fake == 9
        cells = {row.key: row.cells[1].text for row in found.rows}
        assert cells["kid"] == "too few samples: 9, needs 50"
        assert any("too few samples: 9, needs 50" in note for note in found.notes)

    def test_pictures_of_another_size_are_brought_to_the_references(
        self, seeded: Path, tmp_path: Path, projection: Projection
    ) -> None:
        draw_dataset(tmp_path / "mixed", 30, size=24)
        draw_dataset(tmp_path / "mixed", 30, first=30)
        found = compare_runs(
            ["b", str(tmp_path / "mixed")], CONFIG, runs=seeded, extractor=projection
        )
        assert found.arms[1].shown.n_fake == 60

    def test_a_folder_of_neither_is_said_to_be_that(self, seeded: Path, tmp_path: Path) -> None:
        (tmp_path / "nothing").mkdir()
        with pytest.raises(UnknownRun, match="neither a run nor images"):
            plan_arms([str(tmp_path / "nothing")], seeded)
