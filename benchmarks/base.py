"""Make the base model that is kept in the package from a finished run.

    catgan train curated/face-crop --name base --ngf 32 --ndf 32 --precision bfloat16 --held-out 0
    python -m benchmarks.base export runs/base catgan/model/base
    python -m benchmarks.base card runs/base catgan/model/base --twin RUN --picture FILE.jpg

`export` writes the nets, and what tells a copy of a training picture; the run's pictures must still
be where they were. Of the run the last checkpoint is taken, since a run on all pictures holds none
out to tell its best epoch by. `card` measures what was exported and writes the model card beside
it. A twin is a run of the same settings that holds pictures out: it says for how long training
gets better. The picture shows samples.
"""

import argparse
import dataclasses
import textwrap
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from catgan.core.pictures import Pictures, sheet, spread_evenly
from catgan.formats.datasets import DataSet, open_dataset
from catgan.formats.runs import Run
from catgan.measure.extractors.base import Extractor, Features
from catgan.measure.extractors.efficientnet import EfficientNetLite0
from catgan.measure.metrics.diversity import diversity
from catgan.measure.metrics.kid import kid_estimate
from catgan.measure.metrics.neighbours import CLOSE, nearest
from catgan.measure.metrics.recognised import recognised_rate
from catgan.measure.statistics.rate import Rate, rate
from catgan.model.base import (
    BaseSeen,
    load_base,
    load_base_generator,
    load_base_seen,
    save_base,
    save_base_seen,
)
from catgan.model.checkpoint import facts_of, load_checkpoint, sampler_of
from catgan.model.sample import draw_latents, sample_images
from catgan.train.data import load_data
from catgan.train.resume import recorded_settings

MOST_BYTES = 8_000_000  # of all files together
AXES = 64
SAMPLES = 2000
SHOWN, COLUMNS = 96, 16
SEED = 7_000_003  # of the samples that the card is about


def export(run: Run, folder: Path) -> int:
    """Write a run's averaged generator, its discriminator, and what tells copies; bytes written."""
    state = load_checkpoint(run.last)
    save_base(folder, facts_of(state), sampler_of(state), state["discriminator"])
    extractor = EfficientNetLite0()
    save_base_seen(folder, see(training_pictures(run), extractor))
    return sum(path.stat().st_size for path in folder.glob("*.safetensors"))


def training_pictures(run: Run) -> Pictures:
    """What a run was trained on, as it was shown: (N, size, size, 3) uint8."""
    config = run.read_config()
    assert config is not None, f"{run.folder} is no run"
    dataset = open_dataset(Path(config.data.folder))
    assert isinstance(dataset, DataSet), "the run's pictures are gone"
    data, train, _ = load_data(dataset, recorded_settings(config.settings, run.config))
    assert data.record.digest == config.data.digest, "the run's pictures are not what they were"
    return train


def see(pictures: Pictures, extractor: Extractor) -> BaseSeen:
    """What it takes to tell a sample that is too like one of these pictures, mirrored or not."""
    features = np.concatenate([both.pooled for both in _both(pictures, extractor)])
    mean = features.mean(axis=0)
    _, _, axes = np.linalg.svd(features - mean, full_matrices=False)
    along = ((features - mean) @ axes[:AXES].T).astype(np.float16).astype(np.float32)
    return BaseSeen(
        extractor=extractor.name,
        mean=mean.astype(np.float32),
        axes=np.ascontiguousarray(axes[:AXES].T.astype(np.float32)),
        pictures=along,
        limit=usual_distance(along, len(pictures)),
    )


def usual_distance(features: NDArray[np.floating], pictures: int) -> float:
    """What 5% of pictures are nearer than to another one, mirrored or not.

    Args:
        features: (2 N, D), of pictures and then of their mirror images.
        pictures: N.
    """
    squared = (features.astype(np.float64) ** 2).sum(axis=1)
    ours = features[:pictures].astype(np.float64)
    distances = squared[:pictures, None] + squared - 2 * ours @ features.T.astype(np.float64)
    own = np.arange(pictures)
    distances[own, own] = distances[own, own + pictures] = np.inf
    return float(np.sqrt(np.quantile(distances.min(axis=1), CLOSE)))


def _both(pictures: Pictures, extractor: Extractor) -> list[Features]:
    """Pictures, and their mirror images: the net was shown both."""
    return [extractor.extract(p) for p in (pictures, np.ascontiguousarray(pictures[:, :, ::-1]))]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """What the card says of samples of the base model."""

    training: int
    """Training pictures."""
    kid: float
    """KID against the training pictures."""
    kid_error: float
    """Its standard error."""
    recognised: Rate
    """Of the samples."""
    real: Rate
    """Of the training pictures."""
    diversity: float
    """Of the samples over that of the training pictures."""
    close: Rate
    """Samples nearer to a training picture or its mirror image than 5% of these to another."""
    refused: Rate
    """The same by the numbers in the package alone: what `demo` refuses."""
    both: int
    """Samples that are in either."""


def draw(folder: Path, count: int) -> Pictures:
    """Samples of what was exported; the first ones are the same whatever the count."""
    generator = load_base_generator(folder)
    return sample_images(generator, draw_latents(count, generator.latent_dim, SEED))


def measure(pictures: Pictures, folder: Path) -> Measures:
    """Samples of what was exported, next to what it was trained on."""
    extractor, seen = EfficientNetLite0(), load_base_seen(folder)
    fake = extractor.extract(draw(folder, SAMPLES))
    real, mirrored = _both(pictures, extractor)
    kid = kid_estimate(fake.pooled, real.pooled)
    everything = np.concatenate([real.pooled, mirrored.pooled])
    close = nearest(fake.pooled, everything).distance < usual_distance(everything, len(pictures))
    refused = nearest(seen.along_axes(fake.pooled), seen.pictures).distance < seen.limit
    return Measures(
        training=len(pictures),
        kid=kid.value,
        kid_error=kid.error,
        recognised=recognised_rate(fake, extractor=extractor.name),
        real=recognised_rate(real, extractor=extractor.name),
        diversity=diversity(fake.pooled, real.pooled).value,
        close=rate(close, extractor=extractor.name),
        refused=rate(refused, extractor=extractor.name),
        both=int((close & refused).sum()),
    )


CARD = """# The base model

The two networks of a small GAN trained on cats' faces: the generator G, averaged over its training,
and the discriminator D. `catgan demo` generates its cat with G, and `catgan train --start-from
base` fine-tunes both. {size} x {size} pixels, latents of length {latent_dim}, width {ngf} and
{ndf}; half precision, {megabytes:.1f} MB.

## Training data

{training:,} images: every face that `catgan curate` found with its default settings, levelled and
cropped, in 1,479 photos of cats by many owners. The photos are not part of catgan, nor is any crop
of them. Most cats look at the camera. Some lie down, look away, are half hidden or badly lit.

## Training

    {command}

The recipe is `balanced` (docs/training.md), and the model has seen {images_shown:,} images,
counting each epoch.{twin}

## Quality

{samples:,} samples of seed {seed} beside the {training:,} training images (none was held out), in
EfficientNet-Lite0 features (`{extractor}`). Parentheses hold 95% intervals:

| | samples | training images |
| --- | --- | --- |
| recognised as a cat | {recognised} | {real} |
| KID to the training images | {kid:.3f} ± {kid_error:.3f} | 0 |
| variety, relative to theirs | {diversity:.2f} | 1 |
| nearer to a training image than 5% of these are to another one | {close} | 5% |

![The first {shown} samples](../../../docs/pictures/base.jpg)

## Are the samples copies?

The last row of the table tests that. It takes the nearest training image of each sample, mirrored
ones included, in the network's {features:,} features. New images as good as photos would give about
5%, copies far more. In the closest pairs we inspected, pose and coat match but the cats differ.

`seen.safetensors` allows the same test wherever catgan runs. It holds {axes} numbers for each
training image: its features along the axes in which they vary most. No image can be made from them.
By these numbers alone {refused} of the samples are too near; by both tests
{both} of {samples:,} are. `catgan demo` rejects every face that is
too near by these numbers.

## Limits

The model knows cats' faces from the front, at {size} x {size}, of the kinds of cats that people
photograph. Some of its samples hardly look like cats. MIT licence, like all of catgan.
"""


def card(run: Run, folder: Path, twin: Run | None) -> str:
    """The model card, with what was measured just now."""
    found, facts, seen = (
        measure(training_pictures(run), folder),
        load_base(folder).facts,
        load_base_seen(folder),
    )
    written = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    config = run.read_config()
    assert config is not None
    return CARD.format(
        **dataclasses.asdict(facts),
        **{
            name: _words(value) if isinstance(value, Rate) else value
            for name in (field.name for field in dataclasses.fields(found))
            for value in [getattr(found, name)]
        },
        megabytes=written / 1e6,
        command="catgan train curated/face-crop "
        + " ".join(
            f"--{name.replace('_', '-')} {config.settings[name]}"
            for name in ("ngf", "ndf", "precision", "epochs", "held_out")
        ),
        twin="" if twin is None else _twin_words(twin),
        samples=SAMPLES,
        shown=SHOWN,
        seed=SEED,
        extractor=seen.extractor,
        features=len(seen.mean),
        axes=seen.axes.shape[1],
    )


def _words(share: Rate) -> str:
    return f"{share.share:.1%} ({share.low:.1%} to {share.high:.1%})"


def _twin_words(twin: Run) -> str:
    """For how long a run with pictures held out got better."""
    config = twin.read_config()
    assert config is not None
    measured = [epoch for epoch in twin.read_stats() if epoch.kid is not None]
    course = ", ".join(
        f"{measured[i].kid:.3f} at {measured[i].images_shown / 1000:.0f}"
        for i in spread_evenly(len(measured), 10)
    )
    last = measured[-1]
    text = (
        f"A second model, trained on {config.data.train} of the images with "
        f"{len(config.data.held_out)} others held out, shows how quality develops. KID to the "
        f"held-out images, by thousands of images seen: {course} (standard error "
        f"{last.kid_error:.3f}). At the end {last.recognised:.0%} of its samples are recognised as "
        f"a cat, {last.copies:.0%} are nearer to a training image than 95% of the held-out ones, "
        f"and D's gap between training and held-out images is {last.gap:.2f}."
    )
    return "\n" + "\n".join(textwrap.wrap(text, 100))


def main() -> None:
    """Export, or write the card; and say how large the files are."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    commands = parser.add_subparsers(dest="command", required=True)
    exporting = commands.add_parser("export", help="write the files of the package")
    describing = commands.add_parser("card", help="measure them and write the model card")
    describing.add_argument("--twin", type=Path, help="the run that holds pictures out")
    describing.add_argument("--picture", type=Path, help="where samples are shown")
    for command in (exporting, describing):
        command.add_argument("run", type=Path)
        command.add_argument("folder", type=Path)
    options = parser.parse_args()
    run = Run(folder=options.run)
    if options.command == "card":
        twin = None if options.twin is None else Run(folder=options.twin)
        (options.folder / "README.md").write_text(card(run, options.folder, twin), encoding="utf-8")
        if options.picture is not None:
            shown = sheet(draw(options.folder, SHOWN), columns=COLUMNS)
            Image.fromarray(shown).save(options.picture, quality=88, subsampling=0)
        return
    written = export(run, options.folder)
    print(f"{options.folder}: {written / 1e6:.2f} MB")
    if written > MOST_BYTES:
        raise SystemExit(f"more than {MOST_BYTES / 1e6:g} MB: take a narrower net")


if __name__ == "__main__":
    main()
