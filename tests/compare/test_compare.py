"""Arms measured side by side: the same yardstick for all, and honest words about the rest."""

import csv
import dataclasses
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from catgan.compare import Arm, CompareConfig, Comparison, compare_runs, words
from catgan.compare.arm import difference
from catgan.compare.comparison import COLUMNS
from catgan.compare.gallery import draw
from catgan.compare.quantities import FAVOURS, KID, QUANTITIES, RECOGNISED
from catgan.compare.rows import OTHER_YARDSTICK, Row, _verdict
from catgan.core.files import append_jsonl
from catgan.core.images import Picture, Pictures, read_pictures
from catgan.measure import (
    NO_DIFFERENCE,
    Difference,
    Estimate,
    Features,
    density_coverage,
    diversity,
    kid,
    precision_recall,
    rate,
    recognised_rate,
)
from catgan.model.checkpoint import load_generator
from catgan.model.sample import draw_latents, sample_images
from tests.compare.conftest import Projection, make_run

CONFIG = CompareConfig(samples=80, seed=3)


@dataclasses.dataclass(frozen=True, slots=True)
class Bright:
    """Finds a face wherever a picture is bright."""

    name: str = "bright"

    def finds(self, picture: Picture) -> bool:
        """Whether it is."""
        return bool(picture.mean() > 128)


@pytest.fixture
def compared(two: Path, projection: Projection) -> Comparison:
    return compare_runs(
        ["full-body", "face-crop"], CONFIG, runs=two, extractor=projection, finder=Bright()
    )


def by_key(comparison: Comparison) -> dict[str, Row]:
    return {row.key: row for row in comparison.rows()}


def samples_of(run: Path, checkpoint: str = "best.pt") -> Pictures:
    generator, _ = load_generator(run / "checkpoints" / checkpoint)
    return sample_images(generator, draw_latents(80, generator.latent_dim, 3))


def test_the_numbers_are_those_of_its_own_samples_and_held_out_pictures(
    compared: Comparison, two: Path, projection: Projection
) -> None:
    arm = compared.arms[1]
    run, reals = arm.shown, arm.real.reals
    samples = samples_of(two / "face-crop")
    # 60 of its 70 held-out pictures: the other arm has no more
    names = draw(reals.held_out, 60, 3)
    real = read_pictures([reals.folder / name for name in names])
    fakes, seen = projection.extract(samples), projection.extract(real)
    x, y = fakes.pooled, seen.pooled
    assert run.crowd is not None
    assert run.crowd.kid == kid(x, y, 3, extractor="projection")
    assert run.crowd.precision_recall == precision_recall(x, y, extractor="projection")
    assert run.crowd.density_coverage == density_coverage(x, y, extractor="projection")
    assert run.diversity == diversity(x, y, extractor="projection")
    assert run.recognised == recognised_rate(fakes, extractor="projection")
    assert arm.real.recognised == recognised_rate(seen, extractor="projection")
    bright = samples.mean(axis=(1, 2, 3)) > 128
    assert run.faces == rate(bright, extractor="bright")
    assert arm.real.faces == rate(real.mean(axis=(1, 2, 3)) > 128, extractor="bright")


def test_every_arm_is_measured_at_equal_counts(compared: Comparison) -> None:
    assert (compared.n_fake, compared.n_real) == (80, 60)
    assert [len(arm.real.reals.held_out) for arm in compared.arms] == [60, 70]
    for arm in compared.arms:
        crowd = arm.shown.crowd
        assert crowd is not None
        for found in (crowd.kid, crowd.precision_recall, crowd.density_coverage):
            assert (found.n_fake, found.n_real) == (80, 60)
        assert arm.real.recognised.total == 60


def test_the_table_shows_what_was_measured(compared: Comparison) -> None:
    rows = by_key(compared)
    for place, arm in enumerate(compared.arms):
        crowd = arm.shown.crowd
        assert crowd is not None
        shown = {key: row.cells[place].value for key, row in rows.items()}
        assert shown["kid"] == crowd.kid.kid
        assert shown["precision"] == pytest.approx(crowd.precision_recall.precision, rel=1e-6)
        assert shown["recall"] == pytest.approx(crowd.precision_recall.recall, rel=1e-6)
        assert shown["density"] == crowd.density_coverage.density
        assert shown["coverage"] == crowd.density_coverage.coverage
        assert arm.shown.diversity is not None
        assert shown["diversity"] == arm.shown.diversity.ratio
        low, high = crowd.kid.interval
        cell = rows["kid"].cells[place]
        # the error of drawing subsets is in both
        assert (cell.low, cell.high) == pytest.approx((low, high), rel=1e-9)
        cell = rows["coverage"].cells[place]
        expected = crowd.density_coverage.coverage_low, crowd.density_coverage.coverage_high
        assert (cell.low, cell.high) == pytest.approx(expected, rel=1e-9)


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
    assert one.crowd == same.crowd != other.crowd
    assert one.drawn == same.drawn != other.drawn


def test_the_same_call_gives_the_same_comparison(
    compared: Comparison, two: Path, projection: Projection
) -> None:
    names = ["full-body", "face-crop"]
    again = compare_runs(names, CONFIG, runs=two, extractor=projection, finder=Bright())
    assert again == compared
    assert again.to_json() == compared.to_json()
    other = compare_runs(names, dataclasses.replace(CONFIG, seed=4), runs=two, extractor=projection)
    assert other.arms[0].shown.crowd != compared.arms[0].shown.crowd


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


def test_other_data_is_another_yardstick(compared: Comparison) -> None:
    rows = by_key(compared)
    own = {rows[key].verdict for key in ("kid", "precision", "recall", "density", "coverage")}
    assert own == {OTHER_YARDSTICK}
    assert rows["faces"].verdict == FAVOURS
    for key in ("kid", "faces", "recall"):
        assert rows[key].apart == (), "nothing is said across yardsticks, not even a difference"
    for key in ("recognised", "close", "diversity"):
        assert rows[key].verdict not in ("", OTHER_YARDSTICK)
        assert len(rows[key].apart) == 1
    assert any("yardstick" in note for note in compared.notes())


def test_the_same_data_is_one_yardstick(tmp_path: Path, projection: Projection) -> None:
    runs = tmp_path / "runs"
    make_run(runs, "one", tmp_path / "data", seed=5)
    make_run(runs, "same", tmp_path / "data", seed=5)
    found = compare_runs(["one", "same"], CONFIG, runs=runs, extractor=projection, finder=Bright())
    rows = by_key(found)
    for quantity in QUANTITIES:
        row = rows[quantity.key]
        assert row.verdict == NO_DIFFERENCE, row.key
        (apart,) = row.apart
        assert apart.difference.value == 0
        assert (apart.first, apart.second) == ("same", "one")
    assert not any("yardstick" in note for note in found.notes())


def test_the_same_pictures_at_another_size_are_another_yardstick(
    tmp_path: Path, projection: Projection
) -> None:
    runs = tmp_path / "runs"
    make_run(runs, "small", tmp_path / "data")
    make_run(runs, "large", tmp_path / "data", picture_size=32)
    found = compare_runs(["small", "large"], CONFIG, runs=runs, extractor=projection)
    assert by_key(found)["kid"].verdict == OTHER_YARDSTICK
    assert [arm.real.mean.width for arm in found.arms] == [16, 32]


def test_too_few_held_out_pictures_give_no_kid_but_all_the_rest(
    tmp_path: Path, projection: Projection
) -> None:
    runs = tmp_path / "runs"
    make_run(runs, "few", tmp_path / "small", train=60, held_out=12)
    make_run(runs, "enough", tmp_path / "large", held_out=55)
    found = compare_runs(["few", "enough"], CONFIG, runs=runs, extractor=projection)
    few, enough = found.arms
    assert few.shown.crowd is None
    assert few.real.recognised.total == 12
    assert few.shown.album is not None
    assert len(few.shown.album.through_time) == 6
    assert enough.shown.crowd is not None
    assert enough.shown.crowd.kid.n_real == 55, "a small run takes nothing from the others"
    cells = {row.key: row.cells[0].text for row in found.rows()}
    assert cells["kid"] == cells["recall"] == cells["coverage"] == "too few pictures: 12, needs 50"
    assert any("Only 12 pictures" in note for note in found.notes())


def test_one_run_alone_is_shown_without_a_verdict(two: Path, projection: Projection) -> None:
    found = compare_runs(["full-body"], CONFIG, runs=two, extractor=projection)
    headers, rows = found.table()
    assert headers == ["", "full-body"]
    assert {len(row) for row in rows} == {2}
    assert "Between" not in found.headline()


def test_the_table_is_rectangular_and_of_words(compared: Comparison) -> None:
    headers, rows = compared.table()
    assert headers == ["", "full-body", "face-crop", "between them"]
    assert all(len(row) == 4 and all(isinstance(cell, str) for cell in row) for row in rows)
    assert all(row[1] and row[2] for row in rows)
    recognised = next(row for row in rows if row[0] == RECOGNISED.label)
    assert " points (" in recognised[3], "the difference stands with its interval"


def test_every_number_says_what_it_rests_on_and_what_it_means(compared: Comparison) -> None:
    for row in compared.rows():
        # one plain sentence, and the rest apart from it
        assert row.meaning.endswith(".")
        assert ". " not in row.meaning
        for cell in row.cells:
            if row.key in ("epoch", "face", "agreement"):
                continue
            assert cell.basis.endswith("bright" if row.key.startswith("faces") else "projection")
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
        assert by_key(found)[key].cells[0].text == "not looked for: OpenCV is away"
    config = dataclasses.replace(CONFIG, faces=0)
    found = compare_runs(["full-body"], config, runs=two, extractor=projection, finder=Bright())
    assert by_key(found)["faces"].cells[0].text == "not looked for: --faces is 0"
    assert found.arms[0].shown.faces is None
    config = dataclasses.replace(CONFIG, faces=7)
    found = compare_runs(["full-body"], config, runs=two, extractor=projection, finder=Bright())
    assert found.arms[0].shown.faces is not None
    assert found.arms[0].shown.faces.total == 7


def test_json_holds_the_numbers_and_no_pictures(compared: Comparison) -> None:
    text = json.dumps(compared.to_json(), allow_nan=False)
    assert len(text) < 60_000
    record = json.loads(text)
    assert [arm["name"] for arm in record["arms"]] == ["full-body", "face-crop"]
    crowd = compared.arms[0].shown.crowd
    assert crowd is not None
    (run,) = record["arms"][0]["runs"]
    assert run["kid"]["kid"] == crowd.kid.kid
    assert run["density_coverage"]["coverage"] == crowd.density_coverage.coverage
    assert record["settings"]["samples"] == 80
    assert record["extractor"] == record["judge"] == "projection"
    recognised = next(row for row in record["rows"] if row["key"] == "recognised")
    (apart,) = recognised["differences"]
    assert apart["low"] <= apart["value"] <= apart["high"]


def test_the_table_of_numbers_has_a_line_for_each(compared: Comparison, tmp_path: Path) -> None:
    compared.write_csv(tmp_path / "new" / "n.csv")
    lines = list(csv.DictReader(io.StringIO((tmp_path / "new" / "n.csv").read_text())))
    assert tuple(lines[0]) == COLUMNS
    assert len(lines) == 2 * len(compared.rows())
    found = {(line["measure"], line["arm"]): line for line in lines}
    line = found["kid", "full-body"]
    crowd = compared.arms[0].shown.crowd
    assert crowd is not None
    assert float(line["value"]) == pytest.approx(crowd.kid.kid, rel=1e-9)
    named = line["n_samples"], line["n_real"], line["extractor"], line["seed"]
    assert named == ("80", "60", "projection", "3")
    assert line["verdict"] == OTHER_YARDSTICK
    assert found["face", "full-body"]["value"] == "", "what is not known is left empty"


def test_settings_that_differ_are_told_from_those_that_do_not(compared: Comparison) -> None:
    differing = dict(compared.differing_settings())
    assert differing["data set"] == ["full-body", "face-crop"]
    assert differing["seed"] == ["0", "1"]
    assert differing["lr_d"] == ["not set", "0.0001"]
    equal = dict(compared.equal_settings())
    assert equal["ngf"] == "8"
    assert not differing.keys() & equal.keys()


def test_progress_names_what_is_being_looked_at(two: Path, projection: Projection) -> None:
    heard: list[str] = []
    compare_runs(["face-crop"], CONFIG, runs=two, extractor=projection, progress=heard.append)
    assert heard
    assert all(words.startswith("face-crop: ") for words in heard)


def test_statistics_written_twice_or_cut_short_are_read(two: Path, projection: Projection) -> None:
    stats = two / "full-body" / "stats.jsonl"
    append_jsonl(stats, [{"epoch": 3, "loss_g": 9.0}, {"epoch": 7, "loss_g": None}, {"note": "?"}])
    with stats.open("a") as file:
        file.write('{"epoch": 8, "loss')
    (arm,) = compare_runs(["full-body"], CONFIG, runs=two, extractor=projection).arms
    assert [record["epoch"] for record in arm.shown.stats] == [1, 2, 3, 4, 5, 6, 7]
    assert arm.shown.stats[2]["loss_g"] == 9.0


def test_samples_that_copy_are_called_close(
    tmp_path: Path, projection: Projection, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(tmp_path / "runs", "copier", tmp_path / "data")
    train = read_pictures(sorted((tmp_path / "data").glob("*.png"))[:70])
    monkeypatch.setattr(
        "catgan.compare.measured.sample_images",
        lambda generator, latents, **_: np.resize(train, (len(latents), *train.shape[1:])),
    )
    found = compare_runs(["copier"], CONFIG, runs=tmp_path / "runs", extractor=projection)
    run = found.arms[0].shown
    assert run.close is not None
    assert run.close.share == 1
    assert run.crowd is not None
    assert abs(run.crowd.kid.kid) < 3 * run.crowd.kid.kid_error, "KID alone would praise it"


class TestArmsOfSeveralRuns:
    """Runs that differ in their seeds alone: one arm, whose interval allows for the seeds."""

    @pytest.fixture
    def found(self, tmp_path: Path, projection: Projection) -> Comparison:
        runs = tmp_path / "runs"
        for seed in range(3):
            make_run(runs, f"one-s{seed}", tmp_path / "data", seed=seed)
        make_run(runs, "other", tmp_path / "data", seed=9, ngf_note=1)
        return compare_runs(
            ["one", "other"], CONFIG, runs=runs, extractor=projection, finder=Bright()
        )

    def test_numbers_are_means_and_each_run_is_told(self, found: Comparison) -> None:
        arm = found.arms[0]
        assert [run.source.name for run in arm.runs] == ["one-s0", "one-s1", "one-s2"]
        for row in found.rows():
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
        spread = float(np.std([run.crowd.kid.kid for run in arm.runs if run.crowd], ddof=1))
        assert row.high - row.low > 2 * 4.30 * 0.9 * spread / np.sqrt(3)
        apart = difference(arm, found.arms[1], "kid")
        assert apart is not None
        assert apart.seeds
        assert any("other seeds" in note for note in found.notes())

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
        assert first.album is not None
        assert all(run.album is None for run in others)
        assert len({run.drawn.jpeg for run in found.arms[0].runs}) == 3

    def test_all_seeds_stand_among_the_settings(self, found: Comparison) -> None:
        assert dict(found.differing_settings())["seed"] == ["0, 1, 2", "9"]

    def test_each_run_has_a_line_of_its_own_in_the_csv(self, found: Comparison) -> None:
        lines = list(csv.DictReader(io.StringIO(found.to_csv())))
        kids = [line for line in lines if (line["measure"], line["arm"]) == ("kid", "one")]
        assert [line["run"] for line in kids] == ["", "one-s0", "one-s1", "one-s2"]
        assert kids[1]["low"] == "", "the interval is that of the mean"


def test_how_far_an_arm_is_ahead_has_no_sign() -> None:
    behind = Difference(value=-0.21, low=-0.25, high=-0.17, seeds=False)
    ahead = dataclasses.replace(behind, value=0.21, low=0.17, high=0.25)
    assert words.ahead(behind, None) == words.ahead(ahead, None) == "21 points (17 to 25)"
    assert words.ahead(behind, 2) == "0.21 (0.17 to 0.25)"


@pytest.mark.parametrize("key", ["precision", "recall", "coverage"])
def test_shares_at_their_ends_leave_room_for_chance_and_differ_by_at_most_all(
    two: Path, projection: Projection, key: str
) -> None:
    (arm,) = compare_runs(["full-body"], CONFIG, runs=two, extractor=projection).arms

    def at(share: float, count: int) -> Arm:
        """The same arm, so many of whose pictures count."""
        run = arm.runs[0]
        assert run.crowd is not None
        n, m = run.n_fake, arm.real.n_reference
        counted = np.arange(n if key == "precision" else m) < count
        left = (counted.sum() - counted) / (len(counted) - 1)
        same = [np.full(size, share) for size in (n, m)]
        fake, real = (left, same[1]) if key == "precision" else (same[0], left)
        estimate = Estimate(value=share, without_fake=fake, without_real=real)
        crowd = dataclasses.replace(run.crowd, estimates={**run.crowd.estimates, key: estimate})
        return dataclasses.replace(arm, runs=(dataclasses.replace(run, crowd=crowd),))

    total = 80 if key == "precision" else 60
    none, all_of_them, four = at(0.0, 0), at(1.0, total), at(4 / total, 4)
    found = difference(all_of_them, none, key)
    assert found is not None
    assert (found.value, found.high) == (1, 1)
    assert 0.8 < found.low < 0.95
    # four of sixty against none: one time in eight by chance (McNemar), though the jackknife of
    # the four alone leaves 0 out
    found = difference(four, none, key)
    assert found is not None
    assert not found.shown


class Fake:
    """As much of an arm as a verdict asks for: a rate that is the label's."""

    def __init__(self, label: str, hits: int | None) -> None:
        self.label, self.hits = label, hits


def verdict_of(monkeypatch: pytest.MonkeyPatch, hits: list[int | None], *, most: bool) -> str:
    """The verdict on arms with so many of 100 samples each."""
    from catgan.measure import rate_difference, rate_over_runs

    def rates(arm: Any) -> list[Any]:
        return [rate(np.arange(100) < arm.hits, extractor="net")]

    arms: list[Any] = [Fake(label, count) for label, count in zip("abc", hits, strict=False)]
    for arm in arms:
        arm.number = lambda key, arm=arm: None if arm.hits is None else rate_over_runs(rates(arm))
    monkeypatch.setattr("catgan.compare.rows.one_yardstick", lambda arms: True)
    monkeypatch.setattr(
        "catgan.compare.rows.difference",
        lambda first, second, key: rate_difference(rates(first), rates(second)),
    )
    return _verdict(arms, dataclasses.replace(KID, most=most))[0]


@pytest.mark.parametrize(
    ("hits", "most", "verdict"),
    [
        ([50, 55], True, NO_DIFFERENCE),
        ([50, 80], True, "more in b"),
        ([50, 80], False, "less in a"),
        ([50, None], True, "not known"),
        ([80, 20, 75], True, f"more in a and c; {NO_DIFFERENCE} between those"),
        ([80], True, ""),
    ],
)
def test_verdicts_need_a_difference_that_is_more_than_chance(
    monkeypatch: pytest.MonkeyPatch, hits: list[int | None], most: bool, verdict: str
) -> None:
    assert verdict_of(monkeypatch, hits, most=most) == verdict


def test_the_net_that_comes_with_catgan_is_the_default_and_its_features_are_kept(
    two: Path, tmp_path: Path
) -> None:
    config = CompareConfig(samples=50, max_training=60, device="cpu")
    cache = tmp_path / "cache"
    found = compare_runs(["face-crop"], config, runs=two, cache=cache)
    assert found.extractor == "efficientnet-lite0-160"
    assert found.arms[0].shown.recognised.extractor == found.extractor
    kept = {path.name: path.read_bytes() for path in cache.iterdir()}
    assert len(kept) == 3  # training pictures, held-out ones, samples
    again = compare_runs(["face-crop"], config, runs=two, cache=cache)
    assert again.to_json() == found.to_json()
    assert {path.name for path in cache.iterdir()} == set(kept)
    # a spoiled file is not believed
    for path in cache.iterdir():
        path.write_bytes(kept[path.name][:-40] + b"\0" * 40)
    assert compare_runs(["face-crop"], config, runs=two, cache=cache).to_json() == found.to_json()
