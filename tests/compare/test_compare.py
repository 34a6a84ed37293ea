"""Arms measured side by side: the same reference for all, and honest words about the rest."""

import csv
import dataclasses
import io
import json
from pathlib import Path

import numpy as np
import pytest

from catgan.compare.comparison import Comparison
from catgan.compare.config import CompareConfig
from catgan.compare.differences.rows import SECOND_OPINION, Row
from catgan.compare.differences.words import NO_DIFFERENCE, behind_verdict
from catgan.compare.inputs.real_images import draw
from catgan.compare.measured.arm import difference_of
from catgan.compare.pipeline import compare_runs
from catgan.compare.quantities.catalogue import (
    CASCADES,
    CLOSE,
    COVERAGE,
    DENSITY,
    DIVERSITY,
    FACES,
    FAVOURS,
    KID,
    OTHER_REFERENCE,
    PRECISION,
    QUANTITIES,
    RECALL,
    RECOGNISED,
    SECOND_KID,
    SECOND_RECOGNISED,
)
from catgan.compare.quantities.quantity import Found, Missing, TooFew
from catgan.compare.report.grids import grids_of
from catgan.compare.report.records import COLUMNS, to_csv, to_json, write_csv
from catgan.compare.report.settings import differing_settings, equal_settings
from catgan.compare.report.table import table
from catgan.core.loading import load_pictures
from catgan.core.pictures import Picture, Pictures
from catgan.formats.datasets import PictureRecord, write_metadata
from catgan.formats.stats import EpochStats, append_stats
from catgan.measure.extractors.base import Features
from catgan.measure.metrics.density_coverage import density_coverage
from catgan.measure.metrics.diversity import diversity
from catgan.measure.metrics.kid import kid
from catgan.measure.metrics.precision_recall import precision_recall
from catgan.measure.metrics.recognised import recognised_rate
from catgan.measure.statistics.differences import Difference
from catgan.measure.statistics.estimate import Estimate
from catgan.measure.statistics.rate import Rate, rate
from catgan.model.checkpoint import load_generator
from catgan.model.sample import draw_latents, sample_images
from tests.compare.conftest import Projection, found_of, make_run, number

CONFIG = CompareConfig(samples=80, seed=3)


@dataclasses.dataclass(frozen=True, slots=True)
class Bright:
    """Finds a face wherever a picture is bright."""

    name: str = "bright"

    def finds(self, picture: Picture) -> bool:
        """Whether it is."""
        return bool(picture.mean() > 128)


@dataclasses.dataclass(frozen=True, slots=True)
class Reddish:
    """Finds a face wherever a picture is red."""

    name: str = "reddish"

    def finds(self, picture: Picture) -> bool:
        """Whether it is."""
        return bool(picture[..., 0].mean() > 128)


@dataclasses.dataclass(frozen=True, slots=True)
class Upside(Projection):
    """Sees pictures upside down, in features of its own, and a cat where green outweighs blue."""

    name: str = "upside"
    dimensions: int = 12

    def extract(self, pictures: Pictures) -> Features:
        """The features of pictures, each by itself."""
        seen = Projection(dimensions=self.dimensions).extract(pictures[:, ::-1])
        green, blue = pictures[..., 1].mean(axis=(1, 2)), pictures[..., 2].mean(axis=(1, 2))
        return Features(pooled=seen.pooled, cat=(green > blue).astype(np.float32))


@pytest.fixture
def compared(two: Path, projection: Projection) -> Comparison:
    return compare_runs(
        ["full-body", "face-crop"],
        CONFIG,
        runs=two,
        extractor=projection,
        finder=Bright(),
        second=Upside(),
        cascades=Reddish(),
    )


def by_key(comparison: Comparison) -> dict[str, Row]:
    return {row.key: row for row in comparison.rows}


def samples_of(run: Path, checkpoint: str = "best.pt") -> Pictures:
    generator, _ = load_generator(run / "checkpoints" / checkpoint)
    return sample_images(generator, draw_latents(80, generator.latent_dim, 3))


def test_the_numbers_are_those_of_its_own_samples_and_held_out_pictures(
    compared: Comparison, two: Path, projection: Projection
) -> None:
    arm = compared.arms[1]
    run, split = arm.shown, arm.real.split
    samples = samples_of(two / "face-crop")
    # 60 of its 70 held-out pictures: the other arm has no more
    real = load_pictures(split.paths(draw(split.held_out, 60, 3)))
    fakes, seen = projection.extract(samples), projection.extract(real)
    x, y = fakes.pooled, seen.pooled
    prc = precision_recall(x, y, extractor="projection")
    dc = density_coverage(x, y, extractor="projection")
    for quantity, expected in (
        (KID, kid(x, y, 3, extractor="projection").estimate),
        (PRECISION, prc.precision),
        (RECALL, prc.recall),
        (DENSITY, dc.density),
        (COVERAGE, dc.coverage),
        (DIVERSITY, diversity(x, y, extractor="projection")),
    ):
        found = found_of(run, quantity).number
        assert found == expected
        assert isinstance(found, Estimate)
        np.testing.assert_array_equal(found.without_fake, expected.without_fake)
        np.testing.assert_array_equal(found.without_real, expected.without_real)
    assert found_of(run, RECOGNISED).number == recognised_rate(fakes, extractor="projection")
    of_real = arm.real.found["recognised"]
    assert isinstance(of_real, Found)
    assert of_real.number == recognised_rate(seen, extractor="projection")
    bright = samples.mean(axis=(1, 2, 3)) > 128
    assert found_of(run, FACES).number == rate(bright, extractor="bright")
    of_real = arm.real.found["faces"]
    assert isinstance(of_real, Found)
    assert of_real.number == rate(real.mean(axis=(1, 2, 3)) > 128, extractor="bright")


def test_a_second_opinion_is_measured_beside_the_real_images_and_ranks_nothing(
    two: Path, projection: Projection
) -> None:
    config, second = dataclasses.replace(CONFIG, second_judge=55, faces=40), Upside()
    names = ["full-body", "face-crop"]
    found = compare_runs(
        names, config, runs=two, extractor=projection, second=second, cascades=Reddish()
    )
    arm = found.arms[1]
    split, samples = arm.real.split, samples_of(two / "face-crop")
    real = load_pictures(split.paths(draw(split.held_out, 60, 3)))
    train = load_pictures(split.paths(draw(split.train, 5000, 3)))
    # the first 55 of each, and nothing of the first network
    fakes, seen, known = (second.extract(side[:55]) for side in (samples, real, train))
    for quantity, expected, of_real in (
        (
            SECOND_KID,
            kid(fakes.pooled, seen.pooled, 3, extractor="upside").estimate,
            kid(known.pooled, seen.pooled, 3, extractor="upside").estimate,
        ),
        (
            SECOND_RECOGNISED,
            recognised_rate(fakes, extractor="upside"),
            recognised_rate(seen, extractor="upside"),
        ),
        (
            CASCADES,
            rate(samples[:40, ..., 0].mean(axis=(1, 2)) > 128, extractor="reddish"),
            rate(real[:40, ..., 0].mean(axis=(1, 2)) > 128, extractor="reddish"),
        ),
    ):
        assert found_of(arm.shown, quantity).number == expected
        beside = arm.real.found[quantity.key]
        assert isinstance(beside, Found)
        assert beside.number == of_real
    rows, without = by_key(found), compare_runs(names, config, runs=two, extractor=projection)
    for key in ("second_recognised", "second_kid", "cascades"):
        assert rows[key].apart == ()
        assert rows[key].verdict in (SECOND_OPINION, OTHER_REFERENCE, FAVOURS)
        assert not any(key in step["numbers"] for step in to_json(found)["brought"])
    # what the others come to, and say, is the same with and without
    assert found.headline == without.headline
    assert found.notes == without.notes
    plain = by_key(without)
    for key, row in plain.items():
        if not key.startswith(("second", "cascades")):
            assert row == rows[key]
    assert "no second network" in plain["second_kid"].cells[0].text
    assert "no face finder" in plain["cascades"].cells[0].text
    # and they are in the files for other programs
    assert {"second_kid", "second_kid_real", "cascades"} <= {
        line["measure"] for line in csv.DictReader(io.StringIO(to_csv(found)))
    }
    assert "second_kid" in json.dumps(to_json(found)["arms"])


def test_real_images_that_cascades_chose_are_not_shown_to_cascades(
    two: Path, projection: Projection
) -> None:
    """The data set says which those are; and nothing is ranked by it."""

    def real_images(found: Comparison) -> Rate:
        beside = found.arms[0].real.found["cascades"]
        assert isinstance(beside, Found) and isinstance(beside.number, Rate)
        return beside.number

    config = dataclasses.replace(CONFIG, faces=500)

    def compared_again() -> Comparison:
        return compare_runs(
            ["face-crop"], config, runs=two, extractor=projection, cascades=Reddish()
        )

    first = compared_again()
    split = first.arms[0].real.split
    names = draw(split.held_out, 70, 3)
    assert real_images(first).total == len(names)
    records = [
        PictureRecord(file_name=name, proposer="cascade" if name in names[5:9] else "map")
        for name in (*split.held_out, *split.train)
    ]
    write_metadata(split.pictures, records)
    left = load_pictures(split.paths([*names[:5], *names[9:]]))
    again = compared_again()
    assert real_images(again) == rate(left[..., 0].mean(axis=(1, 2)) > 128, extractor="reddish")
    # samples are nobody's choice: the same ones are looked at
    samples = [found_of(one.arms[0].shown, CASCADES) for one in (first, again)]
    assert samples[0] == samples[1]
    write_metadata(split.pictures, [dataclasses.replace(r, proposer="cascade") for r in records])
    none_left = compared_again().arms[0].real.found["cascades"]
    assert isinstance(none_left, Missing) and "found all of them" in none_left.why


def test_a_second_opinion_can_be_left_out(two: Path, projection: Projection) -> None:
    config = dataclasses.replace(CONFIG, second_judge=0, faces=0)
    found = compare_runs(
        ["full-body"], config, runs=two, extractor=projection, second=Upside(), cascades=Reddish()
    )
    rows = by_key(found)
    assert rows["second_kid"].cells[0].text == "not measured: --second-judge is 0"
    assert rows["cascades"].cells[0].text == "not measured: --faces is 0"


def test_too_few_images_for_a_second_kid_are_said_so(two: Path, projection: Projection) -> None:
    config = dataclasses.replace(CONFIG, second_judge=49)
    found = compare_runs(["full-body"], config, runs=two, extractor=projection, second=Upside())
    assert isinstance(found.arms[0].shown.found["second_kid"], TooFew)
    assert found_of(found.arms[0].shown, SECOND_RECOGNISED).number.n_fake == 49


def test_every_arm_is_measured_at_equal_counts(compared: Comparison) -> None:
    assert (compared.n_fake, compared.n_real) == (80, 60)
    assert [len(arm.real.split.held_out) for arm in compared.arms] == [60, 70]
    for arm in compared.arms:
        for quantity in (KID, PRECISION, RECALL, DENSITY, COVERAGE, DIVERSITY):
            found = found_of(arm.shown, quantity).number
            assert (found.n_fake, found.n_real) == (80, 60)
        of_real = arm.real.found["recognised"]
        assert isinstance(of_real, Found)
        assert of_real.number.n_fake == 60


def test_the_table_shows_what_was_measured(compared: Comparison) -> None:
    rows = by_key(compared)
    for place, arm in enumerate(compared.arms):
        for quantity in QUANTITIES:
            cell, found = rows[quantity.key].cells[place], found_of(arm.shown, quantity).number
            assert cell.value == found.number
            assert cell.number in cell.text
            if isinstance(found, Estimate):
                # in KID's the error of drawing subsets, in shares what counting leaves open
                assert (cell.low, cell.high) == pytest.approx(found.interval, rel=1e-9)
            elif quantity is not CLOSE:  # whose threshold is measured, too
                assert (cell.low, cell.high) == pytest.approx((found.low, found.high), rel=1e-9)


def test_every_run_is_drawn_from_the_same_latents(tmp_path: Path, projection: Projection) -> None:
    runs = tmp_path / "runs"
    make_run(runs, "one", tmp_path / "data", seed=5)
    make_run(runs, "same", tmp_path / "data", seed=5)
    make_run(runs, "other", tmp_path / "data", seed=6)
    one, same, other = (
        arm.shown
        for arm in compare_runs(
            ["one", "same", "other"], CONFIG, runs=runs, extractor=projection
        ).arms
    )
    assert one.found == same.found != other.found
    np.testing.assert_array_equal(one.first, same.first)
    assert (one.first != other.first).any()


def test_the_same_call_gives_the_same_comparison(
    compared: Comparison, two: Path, projection: Projection
) -> None:
    names = ["full-body", "face-crop"]
    again = compare_runs(
        names,
        CONFIG,
        runs=two,
        extractor=projection,
        finder=Bright(),
        second=Upside(),
        cascades=Reddish(),
    )
    assert again == compared
    assert to_json(again) == to_json(compared)
    other = compare_runs(names, dataclasses.replace(CONFIG, seed=4), runs=two, extractor=projection)
    assert other.arms[0].shown.found["kid"] != compared.arms[0].shown.found["kid"]


def test_runs_on_the_same_pictures_have_them_looked_at_once(tmp_path: Path) -> None:
    class Counting(Projection):
        seen = 0

        def extract(self, pictures: Pictures) -> Features:
            type(self).seen += len(pictures)
            return Projection.extract(self, pictures)

    runs = tmp_path / "runs"
    for name in ("a", "b"):
        make_run(runs, name, tmp_path / "data", seed=ord(name))
    compare_runs(["a", "b"], CONFIG, runs=runs, extractor=Counting())
    assert Counting.seen == 130 + 2 * 80


def test_other_data_is_another_reference(compared: Comparison) -> None:
    rows = by_key(compared)
    own = {rows[key].verdict for key in ("kid", "precision", "recall", "density", "coverage")}
    assert own == {OTHER_REFERENCE}
    assert rows["faces"].verdict == FAVOURS
    for key in ("kid", "faces", "recall"):
        assert rows[key].apart == (), "nothing is said across references, not even a difference"
    for key in ("recognised", "close", "diversity"):
        assert rows[key].verdict not in ("", OTHER_REFERENCE)
        assert len(rows[key].apart) == 1
    assert any("cannot be compared" in note for note in compared.notes)


def test_the_same_data_is_one_reference(tmp_path: Path, projection: Projection) -> None:
    runs = tmp_path / "runs"
    make_run(runs, "one", tmp_path / "data", seed=5)
    make_run(runs, "same", tmp_path / "data", seed=5)
    found = compare_runs(["one", "same"], CONFIG, runs=runs, extractor=projection, finder=Bright())
    rows = by_key(found)
    for quantity in QUANTITIES:
        row = rows[quantity.key]
        if quantity.opinion:
            assert (row.verdict, row.apart) == (SECOND_OPINION, ())
            continue
        assert row.verdict == NO_DIFFERENCE, row.key
        (apart,) = row.apart
        assert apart.difference.value == 0
        assert (apart.first, apart.second) == ("same", "one")
    assert not any("cannot be compared" in note for note in found.notes)


def test_the_same_pictures_at_another_size_are_another_reference(
    tmp_path: Path, projection: Projection
) -> None:
    runs = tmp_path / "runs"
    make_run(runs, "small", tmp_path / "data")
    make_run(runs, "large", tmp_path / "data", picture_size=32)
    found = compare_runs(["small", "large"], CONFIG, runs=runs, extractor=projection)
    assert by_key(found)["kid"].verdict == OTHER_REFERENCE
    assert [arm.real.mean.shape[0] for arm in found.arms] == [16, 32]


def test_too_few_held_out_pictures_give_no_kid_but_all_the_rest(
    tmp_path: Path, projection: Projection
) -> None:
    runs = tmp_path / "runs"
    make_run(runs, "few", tmp_path / "small", train=60, held_out=12)
    make_run(runs, "enough", tmp_path / "large", held_out=55)
    found = compare_runs(["few", "enough"], CONFIG, runs=runs, extractor=projection)
    few, enough = found.arms
    assert isinstance(few.shown.found["kid"], TooFew)
    of_real = few.real.found["recognised"]
    assert isinstance(of_real, Found)
    assert of_real.number.n_fake == 12
    assert len(grids_of(few.shown, few.real.some, arms=2).through_time) == 6
    kid_found = found_of(enough.shown, KID).number
    assert kid_found.n_real == 55, "a small run takes nothing from the others"
    cells = {row.key: row.cells[0].text for row in found.rows}
    assert cells["kid"] == cells["recall"] == cells["coverage"] == "too few images: 12, needs 50"
    (note,) = [note for note in found.notes if "too few images: 12, needs 50" in note]
    assert note.startswith("few: Not given: KID of samples, precision, recall, density and cov")


def test_one_run_alone_is_shown_without_a_verdict(two: Path, projection: Projection) -> None:
    found = compare_runs(["full-body"], CONFIG, runs=two, extractor=projection)
    headers, rows = table(found)
    assert headers == ["", "full-body"]
    assert {len(row) for row in rows} == {2}
    assert "Between" not in found.headline


def test_the_table_is_rectangular_and_of_words(compared: Comparison) -> None:
    headers, rows = table(compared)
    assert headers == ["", "full-body", "face-crop", "between them"]
    assert all(len(row) == 4 and all(isinstance(cell, str) for cell in row) for row in rows)
    assert all(row[1] and row[2] for row in rows)
    recognised = next(row for row in rows if row[0] == RECOGNISED.label)
    assert " points (" in recognised[3], "the difference stands with its interval"


def test_every_number_says_what_it_rests_on_and_what_it_means(compared: Comparison) -> None:
    for row in compared.rows:
        # one plain sentence, and the rest apart from it
        assert row.meaning.endswith(".")
        assert ". " not in row.meaning
        for cell in row.cells:
            if row.key in ("epoch", "face", "agreement"):
                continue
            kind = row.key.partition("_")[0]
            by = {"faces": "bright", "cascades": "reddish", "second": "upside"}
            assert cell.basis.endswith(by.get(kind, "projection"))
            assert "seed 3" in cell.basis, row.key
            counts = [count for count in (cell.n_fake, cell.n_real) if count is not None]
            assert counts, row.key
            assert all(f"{count} " in cell.basis for count in counts), (row.key, cell.basis)


def test_the_face_rate_says_whom_it_favours_where_it_stands(compared: Comparison) -> None:
    row = by_key(compared)["faces"]
    assert "favours face-crop" in row.reading


def test_faces_that_could_not_be_looked_for_are_said_so(two: Path, projection: Projection) -> None:
    found = compare_runs(
        ["full-body"], CONFIG, runs=two, extractor=projection, why_no_finder="OpenCV is away"
    )
    for key in ("faces", "faces_real"):
        assert by_key(found)[key].cells[0].text == "not measured: OpenCV is away"
    config = dataclasses.replace(CONFIG, faces=0)
    found = compare_runs(["full-body"], config, runs=two, extractor=projection, finder=Bright())
    assert by_key(found)["faces"].cells[0].text == "not measured: --faces is 0"
    assert isinstance(found.arms[0].shown.found["faces"], Missing)
    config = dataclasses.replace(CONFIG, faces=7)
    found = compare_runs(["full-body"], config, runs=two, extractor=projection, finder=Bright())
    assert found_of(found.arms[0].shown, FACES).number.n_fake == 7


def test_json_holds_the_numbers_and_no_pictures(compared: Comparison) -> None:
    text = json.dumps(to_json(compared), allow_nan=False)
    assert len(text) < 60_000
    record = json.loads(text)
    assert [arm["name"] for arm in record["arms"]] == ["full-body", "face-crop"]
    measured = compared.arms[0].shown
    (run,) = record["arms"][0]["runs"]
    assert run["kid"]["kid"] == number(measured, KID)
    assert run["density_coverage"]["coverage"] == number(measured, COVERAGE)
    # what other programs have read so far is where it was
    assert {"kid", "kid_std", "kid_error", "n_fake", "n_real", "subset_size", "subsets", "seed",
            "extractor"} <= run["kid"].keys()  # fmt: skip
    assert {"precision", "recall", "neighbours"} <= run["precision_recall"].keys()
    assert {"density_error", "coverage_low", "coverage_of_equals"} <= run["density_coverage"].keys()
    assert {"ratio", "error"} <= run["diversity"].keys()
    for name in ("recognised", "faces", "close"):
        assert {"hits", "total", "low", "high", "share", "below", "above"} <= run[name].keys()
    assert {"recognised_real", "faces_real", "kid_real"} <= record["arms"][0].keys()
    assert record["one_yardstick"] is False
    assert record["settings"]["samples"] == 80
    assert record["extractor"] == record["judge"] == "projection"
    recognised = next(row for row in record["rows"] if row["key"] == "recognised")
    (apart,) = recognised["differences"]
    assert apart["low"] <= apart["value"] <= apart["high"]


def test_the_table_of_numbers_has_a_line_for_each(compared: Comparison, tmp_path: Path) -> None:
    write_csv(compared, tmp_path / "new" / "n.csv")
    lines = list(csv.DictReader(io.StringIO((tmp_path / "new" / "n.csv").read_text())))
    assert tuple(lines[0]) == COLUMNS
    assert len(lines) == 2 * len(compared.rows)
    found = {(line["measure"], line["arm"]): line for line in lines}
    line = found["kid", "full-body"]
    assert float(line["value"]) == pytest.approx(number(compared.arms[0].shown, KID), rel=1e-9)
    named = line["n_samples"], line["n_real"], line["extractor"], line["seed"]
    assert named == ("80", "60", "projection", "3")
    assert line["verdict"] == OTHER_REFERENCE
    assert found["face", "full-body"]["value"] == "", "what is not known is left empty"


def test_settings_that_differ_are_told_from_those_that_do_not(compared: Comparison) -> None:
    differing = dict(differing_settings(compared.arms))
    assert differing["data set"] == ["full-body", "face-crop"]
    assert differing["seed"] == ["0", "1"]
    assert differing["lr_d"] == ["not set", "0.0001"]
    equal = dict(equal_settings(compared.arms))
    assert equal["ngf"] == "8"
    assert not differing.keys() & equal.keys()


def test_progress_names_what_is_being_looked_at(two: Path, projection: Projection) -> None:
    heard: list[str] = []
    compare_runs(["face-crop"], CONFIG, runs=two, extractor=projection, progress=heard.append)
    assert heard
    assert all(words.startswith("face-crop: ") for words in heard)


def test_statistics_written_twice_or_cut_short_are_read(two: Path, projection: Projection) -> None:
    stats = two / "full-body" / "stats.jsonl"
    append_stats(stats, EpochStats(epoch=3, images_shown=210, loss_g=9.0))
    append_stats(stats, EpochStats(epoch=7, images_shown=490))
    with stats.open("a") as file:
        file.write('{"epoch": 8, "loss')
    (arm,) = compare_runs(["full-body"], CONFIG, runs=two, extractor=projection).arms
    assert [record.epoch for record in arm.shown.stats] == [1, 2, 3, 4, 5, 6, 7]
    assert arm.shown.stats[2].loss_g == 9.0


@pytest.mark.parametrize("held_out", [60, 0])
def test_samples_that_copy_are_called_close(
    held_out: int, tmp_path: Path, projection: Projection, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(tmp_path / "runs", "copier", tmp_path / "data", held_out=held_out)
    train = load_pictures(sorted((tmp_path / "data").glob("*.png"))[:70])
    monkeypatch.setattr(
        "catgan.compare.measured.run.sample_images",
        lambda generator, latents, **_: np.resize(train, (len(latents), *train.shape[1:])),
    )
    found = compare_runs(["copier"], CONFIG, runs=tmp_path / "runs", extractor=projection)
    run = found.arms[0].shown
    assert number(run, CLOSE) == 1
    distance = found_of(run, KID).number
    assert isinstance(distance, Estimate)
    assert distance.number < 3 * distance.error, "KID alone would praise it"
    (note,) = [note for note in found.arms[0].notes if "it copies" in note]
    assert note.startswith("100% of its samples are close to a training image")


def test_a_run_that_does_not_copy_is_not_accused(compared: Comparison) -> None:
    assert not any("it copies" in note for arm in compared.arms for note in arm.notes)


class TestArmsOfSeveralRuns:
    """Runs that differ in their seeds alone: one arm, whose interval allows for the seeds."""

    @pytest.fixture
    def found(self, tmp_path: Path, projection: Projection) -> Comparison:
        runs = tmp_path / "runs"
        for seed in range(3):
            make_run(runs, f"one-s{seed}", tmp_path / "data", seed=seed)
        make_run(runs, "other", tmp_path / "data", seed=9, ngf_note=1)
        return compare_runs(
            ["one", "other"],
            CONFIG,
            runs=runs,
            extractor=projection,
            finder=Bright(),
            second=Upside(),
            cascades=Reddish(),
        )

    def test_numbers_are_means_and_each_run_is_told(self, found: Comparison) -> None:
        arm = found.arms[0]
        assert [run.candidate.name for run in arm.runs] == ["one-s0", "one-s1", "one-s2"]
        for row in found.rows:
            cell = row.cells[0]
            if row.key in [quantity.key for quantity in QUANTITIES]:
                assert len(cell.runs) == 3
                assert cell.value is not None
                assert cell.value == pytest.approx(np.mean(cell.runs))
                assert cell.low is not None
                assert cell.high is not None
                assert cell.low <= cell.value <= cell.high
                assert "mean of 3 runs" in cell.basis

    def test_the_interval_allows_for_the_seeds(self, found: Comparison) -> None:
        arm = found.arms[0]
        row = by_key(found)["kid"].cells[0]
        assert row.low is not None
        assert row.high is not None
        # Student's t on three values: 4.30 standard errors of their mean
        spread = float(np.std([number(run, KID) for run in arm.runs], ddof=1))
        assert row.high - row.low > 2 * 4.30 * 0.9 * spread / np.sqrt(3)
        apart = difference_of(arm, found.arms[1], KID)
        assert apart is not None
        assert apart.seeds
        assert any("other seeds" in note for note in found.notes)

    def test_a_run_and_its_copies_show_no_difference(
        self, tmp_path: Path, projection: Projection
    ) -> None:
        runs = tmp_path / "again"
        for name in ("a-s0", "a-s1", "b-s0", "b-s1"):
            make_run(runs, name, tmp_path / "data", seed=int(name[-1]))
        found = compare_runs(["a", "b"], CONFIG, runs=runs, extractor=projection)
        assert by_key(found)["kid"].verdict == NO_DIFFERENCE
        assert [arm.label for arm in found.arms] == ["a", "b"]

    def test_the_first_run_is_the_one_shown(self, found: Comparison) -> None:
        first, *others = found.arms[0].runs
        assert found.arms[0].shown is first
        assert len({run.first.tobytes() for run in (first, *others)}) == 3

    def test_all_seeds_stand_among_the_settings(self, found: Comparison) -> None:
        assert dict(differing_settings(found.arms))["seed"] == ["0, 1, 2", "9"]

    def test_each_run_has_a_line_of_its_own_in_the_csv(self, found: Comparison) -> None:
        lines = list(csv.DictReader(io.StringIO(to_csv(found))))
        kids = [line for line in lines if (line["measure"], line["arm"]) == ("kid", "one")]
        assert [line["run"] for line in kids] == ["", "one-s0", "one-s1", "one-s2"]
        assert kids[1]["low"] == "", "the interval is that of the mean"


def test_how_far_an_arm_is_ahead_has_no_sign() -> None:
    behind = Difference(value=-0.21, low=-0.25, high=-0.17, seeds=False)
    ahead = dataclasses.replace(behind, value=0.21, low=0.17, high=0.25)
    assert (
        behind_verdict(behind, None) == behind_verdict(ahead, None) == ", by 21 points (17 to 25)"
    )
    assert behind_verdict(behind, 2) == ", by 0.21 (0.17 to 0.25)"
    nothing = dataclasses.replace(behind, high=0.01)
    assert behind_verdict(nothing, None) == ": \N{MINUS SIGN}21 points (\N{MINUS SIGN}25 to 1)"


def test_the_net_that_comes_with_catgan_is_the_default_and_its_features_are_kept(
    two: Path, tmp_path: Path
) -> None:
    config = CompareConfig(samples=50, max_training=60, second_judge=50, device="cpu")
    cache = tmp_path / "cache"
    found = compare_runs(["face-crop"], config, runs=two, cache=cache)
    assert found.extractor == "efficientnet-lite0-160"
    assert found_of(found.arms[0].shown, RECOGNISED).number.extractor == found.extractor
    by_second = found_of(found.arms[0].shown, SECOND_KID).number
    assert by_second.extractor == "efficientnet-lite2-192"
    kept = {path.name: path.read_bytes() for path in cache.iterdir()}
    assert len(kept) == 2 * 3  # training pictures, held-out ones, samples, each by both networks
    again = compare_runs(["face-crop"], config, runs=two, cache=cache)
    assert to_json(again) == to_json(found)
    assert {path.name for path in cache.iterdir()} == set(kept)
    # a spoiled file is not believed
    for path in cache.iterdir():
        path.write_bytes(kept[path.name][:-40] + b"\0" * 40)
    spoiled = compare_runs(["face-crop"], config, runs=two, cache=cache)
    assert to_json(spoiled) == to_json(found)
