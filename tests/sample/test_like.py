"""The cat that is nearest to a photo: searched for among the cats that a generator can draw."""

from pathlib import Path

import numpy as np
import pytest
import torch

from catgan.core.errors import BadUsage
from catgan.core.pictures import Picture, Pictures, encode_png
from catgan.formats.runs import DataRecord, Run, RunConfig
from catgan.measure.extractors.base import Features
from catgan.model.base import load_base, load_base_generator
from catgan.model.checkpoint import save_checkpoint
from catgan.model.networks import Generator
from catgan.model.sample import draw_latents, sample_images
from catgan.sample import like, likeness
from catgan.sample.config import SampleConfig
from catgan.sample.like import find_likeness, plan_likeness, there_and_back
from catgan.sample.likeness import Likeness, cosines, differences, on_sphere
from catgan.sample.outputs import Outputs
from catgan.sample.stamp import is_ours


class Thumbnails:
    """A judge that sees pictures at 8 x 8 pixels."""

    name = "thumbnails"

    def extract(self, pictures: Pictures) -> Features:
        size = pictures.shape[1] // 8
        small = pictures.reshape(len(pictures), 8, size, 8, size, 3).mean(axis=(2, 4))
        pooled = small.reshape(len(pictures), -1).astype(np.float32) - 128
        return Features(pooled=pooled, cat=np.full(len(pictures), np.nan, dtype=np.float32))


class Whole:
    """A cutter that takes the photo for the face."""

    def cut(self, photo: Path, size: int) -> Picture:
        return like._whole(photo, size)


@pytest.fixture(scope="module")
def generator() -> Generator:
    return load_base_generator()


@pytest.fixture
def run(generator: Generator, tmp_path: Path) -> Run:
    """A run whose generator is the base model's."""
    found = Run(folder=tmp_path / "runs" / "cats")
    found.samples.mkdir(parents=True)
    facts = load_base().facts
    shape = ("size", "latent_dim", "ngf", "upsample", "skip")
    settings = {name: getattr(facts, name) for name in shape}
    data = DataRecord(name="face-crop", folder=str(tmp_path), train=1)
    found.write_config(RunConfig(settings=settings, data=data))
    state = {"settings": settings, "data_digest": "", "epoch": 7, "images_shown": 1}
    save_checkpoint(found.last, {**state, "generator": generator.state_dict()})
    return found


def test_a_cat_of_the_generators_own_is_found_again(
    generator: Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own samples can be met exactly, unlike photos: the search must come far nearer than
    chance, and nearer than where it began."""
    monkeypatch.setattr(likeness, "FIRST", 64)
    monkeypatch.setattr(likeness, "STEPS", 30)
    search = Likeness(generator, Thumbnails(), seed=0)
    face = sample_images(generator, on_sphere(draw_latents(3, 100, 99)))[2]
    match = search.find(face, "own.png")
    begun = sample_images(generator, search._first)
    # 0.65 and 0.44 with these few steps
    assert match.off < 0.75 * differences(face, begun).min()
    assert match.off < 0.5 * match.usual_off
    assert match.similarity > match.usual
    assert (match.more_similar, match.less_off) == (0, 0)
    assert match.latent.norm().item() == pytest.approx(10, abs=1e-4)
    np.testing.assert_array_equal(match.cat, sample_images(generator, match.latent[None])[0])


def test_the_walk_goes_there_and_back() -> None:
    start, end = on_sphere(draw_latents(2, 100, 4))
    found = there_and_back(start, end, 10)
    torch.testing.assert_close(found[0], start)
    torch.testing.assert_close(found[5], end)
    torch.testing.assert_close(found[1:5], found[6:].flip(0), rtol=0, atol=1e-5)
    assert (found.norm(dim=1) > 9.9).all()  # on the sphere all along


def test_measures_of_nearness() -> None:
    one = np.array([3.0, 4.0])
    np.testing.assert_allclose(cosines(one, np.array([[6, 8], [-4, 3], [-3, -4]])), [1, 0, -1])
    grey = np.full((2, 2, 3), 100, dtype=np.uint8)
    np.testing.assert_allclose(differences(grey, np.stack([grey, grey - 50])), [0, 50])


def test_what_is_written(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("FIRST", 16), ("STEPS", 2), ("COMPARED", 16)):
        monkeypatch.setattr(likeness, name, value)
    rng = np.random.default_rng(0)
    photos = [tmp_path / "my cat.png", tmp_path / "b.png"]
    for path in photos:
        path.write_bytes(encode_png(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)))
    said: list[tuple[float, str]] = []
    one = find_likeness(
        run.folder,
        photos[:1],
        Whole(),
        judge=Thumbnails(),
        progress=lambda *words: said.append(words),
    )
    assert one.pairs == run.folder / "drawn" / "like-my_cat-last-epoch-0007.png"
    assert is_ours(one.pairs)
    assert one.walk is None
    assert [share for share, _ in said] == sorted(share for share, _ in said)
    both = find_likeness(
        run.folder,
        photos,
        Whole(),
        SampleConfig(frames=8),
        Outputs(walk=tmp_path / "w.gif", grid=tmp_path / "pairs.png"),
        judge=Thumbnails(),
    )
    assert [match.name for match in both.matches] == ["my cat.png", "b.png"]
    torch.testing.assert_close(both.matches[0].latent, one.matches[0].latent)
    assert both.walk is not None
    assert both.walk.frames == 8
    assert is_ours(tmp_path / "pairs.png")


def test_what_cannot_be_asked_for(run: Run, tmp_path: Path) -> None:
    photo = tmp_path / "a.png"
    photo.write_bytes(b"x")
    for photos, outputs, words in (
        ([photo] * 3, Outputs(), "3 photos were named"),
        ([], Outputs(), "0 photos were named"),
        ([tmp_path / "b.png"], Outputs(), "There is no photo"),
        ([photo], Outputs(walk=tmp_path / "w.gif"), "needs two photos"),
        ([photo, photo], Outputs(page=tmp_path / "p.html"), "--between writes only"),
        ([photo], Outputs(files=tmp_path / "f"), "--like writes only"),
    ):
        with pytest.raises(BadUsage, match=words):
            plan_likeness(run.folder, photos, outputs=outputs)
    assert not (run.folder / "drawn").exists()


def test_a_run_of_whole_photos_is_searched_for_whole_photos(run: Run, tmp_path: Path) -> None:
    photo = tmp_path / "a.png"
    photo.write_bytes(b"x")
    assert not plan_likeness(run.folder, [photo]).whole
    config = run.read_config()
    assert config is not None
    data = DataRecord(name="full-body", folder=str(tmp_path), train=1)
    run.write_config(RunConfig(settings=config.settings, data=data))
    assert plan_likeness(run.folder, [photo]).whole
