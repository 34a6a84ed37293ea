"""The base model: what the package holds can be loaded, and what is saved comes back."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from benchmarks.base import usual_distance
from catgan.core.errors import MissingPackage
from catgan.measure.extractors.efficientnet import EfficientNetLite0
from catgan.measure.metrics.recognised import recognised_rate
from catgan.model.base import (
    DISCRIMINATOR,
    FOLDER,
    GENERATOR,
    SEEN,
    BaseSeen,
    base_digest,
    load_base,
    load_base_generator,
    load_base_seen,
    save_base,
    save_base_seen,
)
from catgan.model.networks import Discriminator, Generator, NetworkFacts, init_weights
from catgan.model.projected import ProjectedDiscriminator, blind_eyes
from catgan.model.sample import draw_latents, sample_images
from catgan.train.eyes import open_eyes

FACTS = NetworkFacts(ngf=4, ndf=4, latent_dim=8, size=32, norm="none", images_shown=123)


@pytest.fixture
def saved(tmp_path: Path) -> tuple[Path, Generator, Discriminator]:
    generator = Generator(latent_dim=8, ngf=4, size=32)
    discriminator = Discriminator(ndf=4, size=32, norm="none")
    dice = torch.Generator().manual_seed(0)
    for net in (generator, discriminator):
        init_weights(net, dice)
    save_base(tmp_path, FACTS, generator.state_dict(), discriminator.state_dict())
    return tmp_path, generator, discriminator


def test_what_is_saved_comes_back_in_half_precision(
    saved: tuple[Path, Generator, Discriminator],
) -> None:
    folder, generator, discriminator = saved
    base = load_base(folder)
    assert base.facts == FACTS
    for net, loaded in (
        (generator, load_base_generator(folder)),
        (generator, base.generator),
        (discriminator, base.discriminator),
    ):
        assert not loaded.training
        for name, value in loaded.state_dict().items():
            assert value.dtype == (torch.float32 if value.is_floating_point() else torch.int64)
            # float16 has eleven binary digits
            torch.testing.assert_close(value, net.state_dict()[name], rtol=2**-11, atol=1e-7)


def test_one_on_features_keeps_what_is_drawn_from_a_constant_to_itself(tmp_path: Path) -> None:
    facts = dataclasses.replace(
        FACTS, norm="group", upsample="nearest", skip=True, discriminator="projected"
    )
    generator = Generator(latent_dim=8, ngf=4, size=32, upsample="nearest", skip=True)
    discriminator = ProjectedDiscriminator(blind_eyes(), ndf=4)
    dice = torch.Generator().manual_seed(0)
    init_weights(generator, dice)
    discriminator.start(dice)
    save_base(tmp_path, facts, generator.state_dict(), discriminator.state_dict())
    base = load_base(tmp_path)
    assert base.facts == facts
    for net, loaded in ((generator, base.generator), (discriminator, base.discriminator)):
        for name, value in loaded.state_dict().items():
            torch.testing.assert_close(value, net.state_dict()[name], rtol=2**-11, atol=1e-7)
    for name, value in discriminator.fixed().items():  # to the last digit: never in half precision
        assert torch.equal(base.discriminator.state_dict()[name], value)
    kept = load_file(tmp_path / DISCRIMINATOR)
    assert kept.keys() == discriminator.state_dict().keys() - discriminator.fixed().keys()


def test_a_missing_or_broken_file_is_one_sentence(
    saved: tuple[Path, Generator, Discriminator],
) -> None:
    folder, generator, discriminator = saved
    (folder / GENERATOR).write_bytes(b"not tensors")
    with pytest.raises(MissingPackage, match="reinstall catgan"):
        load_base_generator(folder)
    save_base(folder, FACTS, generator.state_dict(), discriminator.state_dict())
    (folder / DISCRIMINATOR).unlink()
    with pytest.raises(MissingPackage, match=r"discriminator\.safetensors.*reinstall catgan"):
        load_base(folder)
    (folder / GENERATOR).unlink()
    with pytest.raises(MissingPackage, match="reinstall catgan"):
        base_digest(folder)


def test_the_packaged_files_are_small_and_fit() -> None:
    assert sum(path.stat().st_size for path in FOLDER.glob("*.safetensors")) < 8_000_000
    base = load_base()
    pictures = sample_images(base.generator, draw_latents(4, base.facts.latent_dim, 0))
    assert pictures.shape == (4, base.facts.size, base.facts.size, 3)
    images = torch.from_numpy(pictures).permute(0, 3, 1, 2) / 127.5 - 1
    if isinstance(base.discriminator, ProjectedDiscriminator):
        base.discriminator.eyes = open_eyes()  # whose weights another package has
    assert base.discriminator(images).isfinite().all()


def test_it_draws_cats() -> None:
    """Half-trained, at 124 thousand pictures shown, it came to 55% of 300; of 80 below a quarter
    has a chance of 1 in ten million then, and a net that draws blots comes to nearly none."""
    generator = load_base_generator()
    pictures = sample_images(generator, draw_latents(80, generator.latent_dim, 1))
    assert recognised_rate(EfficientNetLite0().extract(pictures), extractor="x").share > 0.25


def test_what_was_seen_comes_back(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    axes = np.linalg.qr(rng.normal(size=(20, 5)))[0].astype(np.float32)
    seen = BaseSeen(
        extractor="pixels",
        mean=rng.normal(size=20).astype(np.float32),
        axes=axes,
        pictures=rng.normal(size=(7, 5)).astype(np.float32),
        limit=0.123456,
    )
    save_base_seen(tmp_path, seen)
    loaded = load_base_seen(tmp_path)
    assert (loaded.extractor, loaded.limit) == ("pixels", 0.123456)
    for name in ("mean", "axes", "pictures"):
        np.testing.assert_allclose(getattr(loaded, name), getattr(seen, name), rtol=2e-3, atol=1e-4)
    # features made of a picture's place along the axes come back to that place
    features = seen.mean + seen.pictures @ seen.axes.T
    np.testing.assert_allclose(loaded.along_axes(features), seen.pictures, atol=0.02)
    (tmp_path / SEEN).write_bytes(b"not tensors")
    with pytest.raises(MissingPackage, match="reinstall catgan"):
        load_base_seen(tmp_path)


def test_the_packaged_traces_are_those_of_the_extractor() -> None:
    seen = load_base_seen()
    assert seen.extractor == EfficientNetLite0().name
    assert seen.axes.shape == (len(seen.mean), seen.pictures.shape[1])
    assert seen.pictures.shape[0] > 1000
    # each once and once mirrored; hardly any lies within the limit of one that is not its own
    half = len(seen.pictures) // 2
    straight, mirrored = seen.pictures[:half], seen.pictures[half:]
    own = np.linalg.norm(straight - mirrored, axis=1)
    others = np.linalg.norm(straight - np.roll(mirrored, 1, axis=0), axis=1)
    assert np.median(own) < np.median(others)
    assert (others < seen.limit).mean() < 0.05


def test_how_near_pictures_usually_are() -> None:
    """Twenty pictures in a row, a step apart but for two, a tenth apart; the mirror image of
    each lies on it, and is not counted as another."""
    places = np.arange(20.0)
    places[1] = 0.1
    features = np.concatenate([places, places])[:, None]
    # two of twenty have a neighbour at 0.1, so that is what 5% are nearer than or just as near
    assert usual_distance(features, 20) == pytest.approx(0.1)
