"""Runs measured side by side: the same yardstick for all, and honest words about the rest."""

import json
from pathlib import Path

import numpy as np
import pytest

from catgan.compare import CompareConfig, Comparison, compare_runs
from catgan.compare.gallery import draw
from catgan.compare.summary import NO_DIFFERENCE, OTHER_YARDSTICK, Cell, _ahead
from catgan.core.files import append_jsonl
from catgan.core.images import Pictures, read_pictures
from catgan.measure import Features, kid, recognised_rate
from catgan.model.checkpoint import load_generator
from catgan.model.sample import draw_latents, sample_images
from tests.compare.conftest import Projection, make_run

CONFIG = CompareConfig(samples=80, seed=3)


@pytest.fixture
def compared(two: Path, projection: Projection) -> Comparison:
    return compare_runs(["full-body", "face-crop"], CONFIG, runs=two, extractor=projection)


def test_the_numbers_are_those_of_its_own_samples_and_held_out_pictures(
    compared: Comparison, two: Path, projection: Projection
) -> None:
    arm = compared.arms[0]
    generator, _ = load_generator(two / "full-body" / "checkpoints" / "best.pt")
    samples = sample_images(generator, draw_latents(80, generator.latent_dim, 3))
    names = draw(arm.source.held_out, 1000, 3)
    real = read_pictures([arm.source.data_folder / name for name in names])
    fakes, reals = projection.extract(samples), projection.extract(real)
    assert arm.kid == kid(fakes.pooled, reals.pooled, 3, extractor="projection")
    assert arm.recognised == recognised_rate(fakes, extractor="projection")
    assert arm.recognised_real == recognised_rate(reals, extractor="projection")
    assert (arm.n_reference, arm.n_train) == (60, 70)


def test_precision_and_recall_rest_on_equal_counts(compared: Comparison) -> None:
    assert compared.n_real == 60
    for arm in compared.arms:
        assert arm.precision_recall is not None
        assert (arm.precision_recall.n_fake, arm.precision_recall.n_real) == (80, 60)
    assert [arm.n_reference for arm in compared.arms] == [60, 70]


def test_every_run_is_drawn_from_the_same_latents(tmp_path: Path, projection: Projection) -> None:
    runs = tmp_path / "runs"
    make_run(runs, "one", tmp_path / "data", seed=5)
    make_run(runs, "same", tmp_path / "data", seed=5)
    make_run(runs, "other", tmp_path / "data", seed=6)
    one, same, other = compare_runs(
        ["one", "same", "other"], CONFIG, runs=runs, extractor=projection
    ).arms
    assert one.kid == same.kid != other.kid
    assert one.album.drawn == same.album.drawn != other.album.drawn


def test_the_same_call_gives_the_same_comparison(
    compared: Comparison, two: Path, projection: Projection
) -> None:
    again = compare_runs(["full-body", "face-crop"], CONFIG, runs=two, extractor=projection)
    assert again == compared
    other = compare_runs(
        ["full-body", "face-crop"],
        CompareConfig(samples=80, seed=4),
        runs=two,
        extractor=projection,
    )
    assert other.arms[0].kid != compared.arms[0].kid


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
    verdicts = {row.key: row.verdict for row in compared.rows()}
    assert {verdicts[key] for key in ("kid", "precision", "recall")} == {OTHER_YARDSTICK}
    assert verdicts["recognised"] not in ("", OTHER_YARDSTICK)
    assert any("yardstick" in note for note in compared.notes())


def test_the_same_data_is_one_yardstick(tmp_path: Path, projection: Projection) -> None:
    runs = tmp_path / "runs"
    make_run(runs, "one", tmp_path / "data", seed=5)
    make_run(runs, "same", tmp_path / "data", seed=5)
    found = compare_runs(["one", "same"], CONFIG, runs=runs, extractor=projection)
    verdicts = {row.key: row.verdict for row in found.rows()}
    assert verdicts["kid"] == verdicts["recognised"] == verdicts["recall"] == NO_DIFFERENCE
    assert not any("yardstick" in note for note in found.notes())


def test_too_few_held_out_pictures_give_no_kid_but_all_the_rest(
    tmp_path: Path, projection: Projection
) -> None:
    runs = tmp_path / "runs"
    make_run(runs, "few", tmp_path / "small", train=60, held_out=12)
    make_run(runs, "enough", tmp_path / "large", held_out=55)
    found = compare_runs(["few", "enough"], CONFIG, runs=runs, extractor=projection)
    few, enough = found.arms
    assert few.kid is None
    assert few.precision_recall is None
    assert few.recognised_real.total == 12
    assert len(few.album.through_time) == 6
    assert enough.kid is not None
    assert enough.precision_recall is not None
    assert enough.precision_recall.n_real == 55, "a small run takes nothing from the others"
    cells = {row.key: row.cells[0].text for row in found.rows()}
    assert cells["kid"] == cells["recall"] == "too few pictures: 12, needs 50"
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


def test_every_number_says_what_it_rests_on_and_what_it_means(compared: Comparison) -> None:
    for row in compared.rows():
        assert row.meaning.endswith(".")
        if row.key in ("recognised", "kid", "kid_real", "precision", "recall", "close"):
            for cell in row.cells:
                assert "projection" in cell.basis, row.key
                assert "seed 3" in cell.basis, row.key
                assert any(count in cell.basis for count in ("80", "70")), row.key


def test_json_holds_the_numbers_and_no_pictures(compared: Comparison) -> None:
    text = json.dumps(compared.to_json(), allow_nan=False)
    assert len(text) < 30_000
    record = json.loads(text)
    assert [arm["name"] for arm in record["arms"]] == ["full-body", "face-crop"]
    kid_found = compared.arms[0].kid
    assert kid_found is not None
    assert record["arms"][0]["kid"]["kid"] == kid_found.kid
    assert record["settings"]["samples"] == 80
    assert record["extractor"] == "projection"


def test_settings_that_differ_are_told_from_those_that_do_not(compared: Comparison) -> None:
    differing = dict(compared.differing_settings())
    assert differing["data set"] == ["full-body", "face-crop"]
    assert differing["seed"] == ["0", "1"]
    assert differing["lr_d"] == ["not set", "0.0001"]
    equal = dict(compared.equal_settings())
    assert equal["ngf"] == "8"
    assert not differing.keys() & equal.keys()


def test_progress_names_the_run_being_looked_at(two: Path, projection: Projection) -> None:
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
    assert [record["epoch"] for record in arm.stats] == [1, 2, 3, 4, 5, 6, 7]
    assert arm.stats[2]["loss_g"] == 9.0


def test_samples_that_copy_are_called_close(
    tmp_path: Path, projection: Projection, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(tmp_path / "runs", "copier", tmp_path / "data")
    train = read_pictures(sorted((tmp_path / "data").glob("*.png"))[:70])
    monkeypatch.setattr(
        "catgan.compare.arm.sample_images",
        lambda generator, latents, **_: np.resize(train, (len(latents), *train.shape[1:])),
    )
    found = compare_runs(["copier"], CONFIG, runs=tmp_path / "runs", extractor=projection)
    (arm,) = found.arms
    assert arm.close is not None
    assert arm.close.share == 1
    assert arm.kid is not None
    assert abs(arm.kid.kid) < 3 * arm.kid.kid_error, "KID alone would praise it"


class Named:
    """As much of an arm as the verdict asks for."""

    def __init__(self, label: str) -> None:
        self.label = label


@pytest.mark.parametrize(
    ("cells", "most", "verdict"),
    [
        ([(0.5, 0.4, 0.6), (0.55, 0.45, 0.65)], True, NO_DIFFERENCE),
        ([(0.5, 0.4, 0.6), (0.8, 0.7, 0.9)], True, "more in b"),
        ([(0.5, 0.4, 0.6), (0.8, 0.7, 0.9)], False, "less in a"),
        ([(0.5, 0.4, 0.6), None], True, "not known"),
        (
            [(0.8, 0.7, 0.9), (0.2, 0.1, 0.3), (0.75, 0.65, 0.85)],
            True,
            f"more in a and c; {NO_DIFFERENCE} between those",
        ),
        ([(0.8, 0.7, 0.9)], True, ""),
    ],
)
def test_verdicts_need_intervals_that_stay_apart(
    cells: list[tuple[float, float, float] | None], most: bool, verdict: str
) -> None:
    made = [
        Cell(text="") if cell is None else Cell(text="", value=cell[0], low=cell[1], high=cell[2])
        for cell in cells
    ]
    arms = [Named(label) for label in "abc"[: len(cells)]]
    assert _ahead(arms, made, most=most) == verdict  # type: ignore[arg-type]


def test_the_net_that_comes_with_catgan_is_the_default(two: Path) -> None:
    found = compare_runs(["face-crop"], CompareConfig(samples=50), runs=two)
    assert found.extractor == "efficientnet-lite0-160"
    assert found.arms[0].recognised.extractor == found.extractor
