"""`sample` from end to end."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from catgan.core.errors import (
    BadSettings,
    CheckpointRefused,
    FileRefused,
    NoPictures,
    UnknownRun,
)
from catgan.core.pictures import Picture, cut_sheet, encode_png, sheet
from catgan.formats.runs import Run
from catgan.model.sample import sample_images
from catgan.sample import draw, timelapse
from catgan.sample.config import SampleConfig
from catgan.sample.layout import gap_of
from catgan.sample.outputs import Outputs
from catgan.sample.pipeline import plan_samples, sample_run
from catgan.sample.timelapse import caption_height
from tests.sample.conftest import SIZE, MakeRun, drawn_by
from tests.sample.test_gif import decode, read_blocks


def runs_of(run: Run) -> Path:
    return run.folder.parent


def read(path: Path) -> Picture:
    return np.asarray(Image.open(path).convert("RGB"))


def snapshot(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_grid_in_the_run(make_run: MakeRun) -> None:
    run = make_run()
    result = sample_run("cats", runs=runs_of(run))
    path = run.folder / "drawn" / "last-epoch-0020-seed-0.png"
    assert result.grid == path
    assert result.plan.generator is not None
    assert (result.plan.generator.checkpoint, result.plan.generator.epoch) == (run.last, 20)
    assert read(path).shape == (8 * (SIZE * 8 + 4) + 4, 8 * (SIZE * 8 + 4) + 4, 3)
    assert Image.open(path).info["Comment"] == "epoch 20, seed 0"
    before = path.read_bytes()
    sample_run(str(run.folder), runs=Path("elsewhere"))
    assert path.read_bytes() == before


def test_the_grid_and_the_files_are_what_the_generator_draws(
    make_run: MakeRun, tmp_path: Path
) -> None:
    run = make_run()
    outputs = Outputs(grid=tmp_path / "grid.png", files=tmp_path / "files")
    sample_run("cats", SampleConfig(count=20, scale=1, seed=3), outputs, runs=runs_of(run))
    expected = drawn_by(run, 20, 3)
    assert len({picture.tobytes() for picture in expected}) == 20
    tiles = cut_sheet(read(tmp_path / "grid.png"), SIZE)[:20]
    files = np.stack([read(path) for path in sorted((tmp_path / "files").iterdir())])
    np.testing.assert_array_equal(tiles, files)
    # the batch is another one than here, which may turn the rounding of a pixel
    assert np.abs(files.astype(int) - expected).max() <= 1
    assert (files != expected).mean() < 0.001


def test_a_picture_does_not_depend_on_how_many_are_drawn(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run()
    written = []
    for count in (1, 5, 37):
        folder = tmp_path / str(count)
        config = SampleConfig(count=count, seed=1)
        sample_run("cats", config, Outputs(files=folder), runs=runs_of(run))
        written.append(snapshot(folder))
    assert [len(files) for files in written] == [1, 5, 37]
    for fewer in written[:2]:
        assert fewer.items() <= written[2].items()
    sample_run(
        "cats", SampleConfig(count=5, seed=2), Outputs(files=tmp_path / "b"), runs=runs_of(run)
    )
    assert not set(snapshot(tmp_path / "b").values()) & set(written[1].values())


@pytest.mark.parametrize("batch", [1, 7])
def test_every_batch_is_full(
    make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    """On this small net no rounding turns with the batch, so that any size gives the same bytes."""
    run = make_run()
    sizes = set()

    def watch(generator, latents, *, batch_size):  # type: ignore[no-untyped-def]
        sizes.add((len(latents), batch_size))
        return sample_images(generator, latents, batch_size=batch_size)

    config = SampleConfig(count=10, scale=1)
    sample_run("cats", config, Outputs(grid=tmp_path / "a.png"), runs=runs_of(run))
    monkeypatch.setattr(draw, "sample_images", watch)
    monkeypatch.setattr(draw, "BATCH", batch)
    sample_run("cats", config, Outputs(grid=tmp_path / "b.png"), runs=runs_of(run))
    assert sizes == {(batch, batch)}
    difference = read(tmp_path / "a.png").astype(int) - read(tmp_path / "b.png")
    assert np.abs(difference).max() <= 1


def test_which_checkpoint(make_run: MakeRun, tmp_path: Path) -> None:
    both = make_run("both", last=20, best=15)
    for checkpoint, path, epoch in (
        ("auto", both.best, 15),
        ("best", both.best, 15),
        ("last", both.last, 20),
        (str(both.last), both.last, 20),
    ):
        plan = plan_samples("both", SampleConfig(checkpoint=checkpoint), runs=runs_of(both))
        assert plan.generator is not None
        assert (plan.generator.checkpoint, plan.generator.epoch) == (path, epoch)
    make_run("unjudged")
    with pytest.raises(CheckpointRefused, match=r"unjudged has no best .*--checkpoint last"):
        plan_samples("unjudged", SampleConfig(checkpoint="best"), runs=runs_of(both))
    make_run("odd", last=None, best=10)
    with pytest.raises(CheckpointRefused, match=r"odd has no last .*--checkpoint best"):
        plan_samples("odd", SampleConfig(checkpoint="last"), runs=runs_of(both))
    make_run("young", last=None)
    with pytest.raises(CheckpointRefused, match="young has no checkpoint yet"):
        plan_samples("young", runs=runs_of(both))
    with pytest.raises(CheckpointRefused, match=r"There is no checkpoint none.pt"):
        plan_samples("both", SampleConfig(checkpoint="none.pt"), runs=runs_of(both))
    broken = tmp_path / "broken.pt"
    whole = both.last.read_bytes()
    for data in (b"", b"a photo of my cat", whole[:-100], whole[: len(whole) // 2]):
        broken.write_bytes(data)
        with pytest.raises(CheckpointRefused, match=r"broken.pt is not a checkpoint"):
            plan_samples("both", SampleConfig(checkpoint=str(broken)), runs=runs_of(both))
    torch.save({"weights": torch.zeros(3)}, broken)  # of another program
    with pytest.raises(CheckpointRefused, match=r"broken.pt is not a checkpoint"):
        plan_samples("both", SampleConfig(checkpoint=str(broken)), runs=runs_of(both))
    with pytest.raises(UnknownRun, match="there are: both, odd, unjudged, young"):
        plan_samples("cats", runs=runs_of(both))


def test_a_walk(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run()
    config = SampleConfig(tiles=2, frames=30, stops=3, scale=1, fps=20, seed=4)
    result = sample_run("cats", config, Outputs(walk=tmp_path / "walk.gif"), runs=runs_of(run))
    assert result.grid is None, "what was asked for, and nothing else"
    assert not (run.folder / "drawn").exists()
    assert result.walk is not None
    data = (tmp_path / "walk.gif").read_bytes()
    assert (result.walk.frames, result.walk.seconds) == (30, 1.5)
    assert result.walk.size == len(data)
    blocks = read_blocks(data)
    assert (sum(blocks.delays), blocks.loops) == (150, 0)
    frames = decode(data)
    assert len(frames) == 30
    tiles = np.stack([cut_sheet(frame, SIZE) for frame in frames]).astype(int)
    assert tiles.shape == (30, 2, SIZE, SIZE, 3)
    # at each stop, the pictures of the seed, but for what the palette costs
    expected = drawn_by(run, 6, 4).reshape(3, 2, SIZE, SIZE, 3)
    for stop in range(3):
        right = np.abs(tiles[10 * stop] - expected[stop]).mean()
        wrong = np.abs(tiles[10 * stop] - expected[(stop + 1) % 3].astype(int)).mean()
        assert right < wrong / 3
    # no step stands out, the one from the last frame to the first included
    steps = np.abs(np.roll(tiles, -1, axis=0) - tiles).mean(axis=(1, 2, 3, 4))
    assert steps[-1] < 2 * np.median(steps)
    again = tmp_path / "again.gif"
    sample_run("cats", config, Outputs(walk=again), runs=runs_of(run))
    assert again.read_bytes() == data


def test_a_timelapse(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run(last=None, grids=6)  # needs no checkpoint
    config = SampleConfig(tiles=6, scale=2)
    path = tmp_path / "new" / "training.gif"
    result = sample_run("cats", config, Outputs(timelapse=path), runs=runs_of(run))
    assert result.plan.generator is None
    blocks = read_blocks(path.read_bytes())
    assert blocks.delays == [12] * 5 + [200]
    assert blocks.local_tables == 0
    frames = decode(path.read_bytes())
    band = caption_height()
    assert {frame.shape for frame in frames} == {(band + 2 * 36 + 4, 3 * 36 + 4, 3)}
    words = [frame[:band] for frame in frames]
    assert len({band.tobytes() for band in words}) == 6, "each says its epoch"
    assert all(band.min() < 60 and (band == 255).any() for band in words), "black on white"
    tiles = [cut_sheet(frame[band:], SIZE * 2, gap_of(2)) for frame in frames]
    for index, shown in enumerate(tiles):
        grid = cut_sheet(read(run.sample_grid(5 * (index + 1))), SIZE)[:6]
        # flat tiles; the palette and the steadiness of colours cost up to 12 together
        error = shown.mean(axis=(1, 2)) - grid.mean(axis=(1, 2))
        assert np.abs(error).max() < 12


def test_a_timelapse_passes_over_broken_grids_and_thins_out_many(
    make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(grids=12)
    run.sample_grid(10).write_bytes(run.sample_grid(10).read_bytes()[:200])
    noise = np.zeros((4, 9, 9, 3), dtype=np.uint8)
    run.sample_grid(15).write_bytes(encode_png(sheet(noise, columns=2)))
    plan = plan_samples("cats", None, Outputs(timelapse=tmp_path / "t.gif"), runs=runs_of(run))
    epochs = [grid.epoch for grid in plan.grids]
    assert epochs == [5, *range(20, 61, 5)]
    monkeypatch.setattr(timelapse, "MOST", 4)
    plan = plan_samples("cats", None, Outputs(timelapse=tmp_path / "t.gif"), runs=runs_of(run))
    assert [grid.epoch for grid in plan.grids] == [5, 25, 40, 60]


def test_a_caption_is_never_cut_off() -> None:
    small = np.zeros((5, 5, 3), dtype=np.uint8)
    long, short = (timelapse.caption(small, f"epoch {epoch}") for epoch in (1_000_000, 1))
    assert long.shape[1] > short.shape[1] > 5
    for frame in (long, short):
        assert (frame[:, -3:] == 255).all()
        assert (frame[caption_height() :, :5] == 0).all()


def test_no_training_to_show(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run(grids=0)
    outputs = Outputs(grid=tmp_path / "a.png", timelapse=tmp_path / "t.gif")
    with pytest.raises(NoPictures, match="no sample grids"):
        sample_run("cats", None, outputs, runs=runs_of(run))
    assert not (tmp_path / "a.png").exists(), "everything is checked before anything is written"


def test_files_are_replaced_as_a_set_and_others_left_alone(
    make_run: MakeRun, tmp_path: Path
) -> None:
    run, folder = make_run(), tmp_path / "files"
    outputs = Outputs(files=folder)
    sample_run("cats", SampleConfig(count=6), outputs, runs=runs_of(run))
    (folder / "notes.txt").write_text("mine")
    result = sample_run("cats", SampleConfig(count=4, seed=9), outputs, runs=runs_of(run))
    assert result.replaced == 2
    names = [f"cat-000{number}.png" for number in range(1, 5)]
    assert sorted(path.name for path in folder.iterdir()) == [*names, "notes.txt"]
    (folder / "cat-0005.png").write_text("mine too")
    before = snapshot(tmp_path)
    with pytest.raises(FileRefused, match=r"cat-0005.png"):
        sample_run("cats", SampleConfig(count=5), outputs, runs=runs_of(run))
    assert snapshot(tmp_path) == before


def test_nothing_is_written_where_something_is_wrong(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run()
    mine = tmp_path / "mine.gif"
    mine.write_bytes(b"GIF89a of my own")
    before = snapshot(tmp_path)
    outputs = Outputs(grid=tmp_path / "grid.png", files=tmp_path / "files", walk=mine)
    with pytest.raises(FileRefused, match=r"mine.gif"):
        sample_run("cats", SampleConfig(count=3), outputs, runs=runs_of(run))
    huge = SampleConfig(count=10_000, scale=32)
    with pytest.raises(BadSettings, match="use a smaller --count, or a smaller --scale"):
        sample_run("cats", huge, runs=runs_of(run))
    long = SampleConfig(tiles=64, frames=1000, scale=8)
    with pytest.raises(BadSettings, match="a smaller --tiles or --frames"):
        sample_run("cats", long, Outputs(walk=tmp_path / "w.gif"), runs=runs_of(run))
    assert snapshot(tmp_path) == before
    assert not (tmp_path / "files").exists()


def test_a_failed_write_leaves_the_old_file(
    make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, path = make_run(), tmp_path / "grid.png"
    sample_run("cats", SampleConfig(count=2), Outputs(grid=path), runs=runs_of(run))
    before = snapshot(tmp_path)

    def torn(self: Path, data: bytes) -> int:
        with self.open("wb") as file:
            file.write(data[:50])
        raise OSError(5, "the cable was pulled")

    monkeypatch.setattr(Path, "write_bytes", torn)
    with pytest.raises(OSError, match="cable"):
        sample_run("cats", SampleConfig(count=2, seed=1), Outputs(grid=path), runs=runs_of(run))
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"count": 0}, "--count is 0; it may be 1 to 10000"),
        ({"count": 10_001}, "--count is 10001"),
        ({"seed": -1}, "--seed is -1"),
        ({"seed": 2**62}, "--seed is"),
        ({"scale": 0}, "--scale is 0; it may be 1 to 32"),
        ({"tiles": 0}, "--tiles is 0"),
        ({"frames": 5}, "--frames is 5; it may be 6 to 1000"),
        ({"fps": 0}, "--fps is 0"),
        ({"fps": 60}, "--fps is 60; it may be 1 to 50"),
        ({"checkpoint": ""}, "--checkpoint is empty"),
    ],
)
def test_settings_out_of_range(settings: dict[str, object], words: str) -> None:
    with pytest.raises(BadSettings, match=words):
        SampleConfig(**settings)  # type: ignore[arg-type]


def test_a_grid_is_a_png(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run()
    sample_run("cats", SampleConfig(count=3), Outputs(grid=tmp_path / "g.png"), runs=runs_of(run))
    data = (tmp_path / "g.png").read_bytes()
    assert Image.open(io.BytesIO(data)).format == "PNG"
