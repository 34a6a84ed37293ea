"""Make the base model that is kept in the package from a run.

    catgan train curated/face-crop --name base --ngf 48 --ndf 24 --held-out 245 --epochs 200
    python -m benchmarks.base export runs/base catgan/model/base
    python -m benchmarks.base card runs/base catgan/model/base --picture FILE.jpg

`export` writes the networks of the run's best epoch, and what tells a copy of a training image;
the run's images must still be where they were. `card` compares the run with its held-out images,
as `catgan compare` does, and writes the model card beside what was exported. The picture shows
samples.
"""

import argparse
import dataclasses
import textwrap
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from catgan.compare.comparison import Comparison
from catgan.compare.config import CompareConfig
from catgan.compare.pipeline import compare_runs
from catgan.compare.quantities.catalogue import (
    CASCADES,
    CLOSE,
    DIVERSITY,
    KID,
    RECOGNISED,
    SECOND_KID,
    SECOND_RECOGNISED,
)
from catgan.core.pictures import Pictures, sheet, spread_evenly
from catgan.curate.finder import CascadeFinder
from catgan.formats.datasets import DataSet, open_dataset
from catgan.formats.runs import Run
from catgan.measure.extractors.base import Extractor, Features
from catgan.measure.extractors.efficientnet import EfficientNetLite0
from catgan.measure.metrics import neighbours
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
    state = load_checkpoint(run.checkpoint() or run.last)
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
    return float(np.sqrt(np.quantile(distances.min(axis=1), neighbours.CLOSE)))


def _both(pictures: Pictures, extractor: Extractor) -> list[Features]:
    """Pictures, and their mirror images: the net was shown both."""
    return [extractor.extract(p) for p in (pictures, np.ascontiguousarray(pictures[:, :, ::-1]))]


def draw(folder: Path, count: int) -> Pictures:
    """Samples of what was exported; the first ones are the same whatever the count."""
    generator = load_base_generator(folder)
    return sample_images(generator, draw_latents(count, generator.latent_dim, SEED))


def refused(pictures: Pictures, folder: Path) -> Rate:
    """Samples that are too near a training image by the numbers in the package: `demo`'s rule."""
    extractor, seen = EfficientNetLite0(), load_base_seen(folder)
    fake = extractor.extract(pictures).pooled
    near = neighbours.nearest(seen.along_axes(fake), seen.pictures).distance < seen.limit
    return rate(near, extractor=extractor.name)


def compared(run: Run) -> Comparison:
    """The run's best epoch beside the images that it held out, in all ways there are."""
    return compare_runs(
        [str(run.folder)],
        CompareConfig(samples=SAMPLES, second_judge=SAMPLES, faces=SAMPLES, device="cpu"),
        cascades=CascadeFinder(),
    )


CARD = """# The base model

The two networks of a small GAN trained on cats' faces: the generator G, averaged over its training,
and the discriminator D. `catgan demo` generates its cat with G, and `catgan train --start-from
base` fine-tunes both. {size} x {size} pixels, latents of length {latent_dim}, width {ngf} and
{ndf}; half precision, {megabytes:.1f} MB. D looks at features of EfficientNet-Lite1, whose weights
come from a package of their own.

## Training data

{train:,} images, with {held_out} others held out: every face that `catgan curate` found with its
default settings, levelled and cropped, in 1,479 photos of cats by many owners. The photos are not
part of catgan, nor is any crop of them. Most cats look at the camera. Some lie down, look away, are
half hidden or badly lit.

## Training

    {command}

The recipe is `{recipe}` (docs/training.md). This is the epoch with the lowest KID to the held-out
images: {epoch} of {epochs}, after {images_shown:,} training images, counting each epoch.
{course}

## Quality

{samples:,} samples beside the {held_out} held-out images. ± and parentheses are 95% intervals:

| | samples | held-out images |
| --- | --- | --- |
{table}

EfficientNet-Lite0 chose the epoch, and D looks through EfficientNet-Lite1. All three networks were
trained on ImageNet and favour such samples (Kynkäänniemi et al. 2023, arXiv:2203.06026); the
cascades were not.

![The first {shown} samples](../../../docs/pictures/base.jpg)

## Are the samples copies?

The table's row on close samples tests that: the distance to the nearest training image, over
the distance to the fifth nearest. In the closest pairs we inspected, pose and coat match but the
cats differ.

`seen.safetensors` allows a simpler test wherever catgan runs. It holds {axes} numbers for each
training image: its features along the axes in which they vary most. No image can be made from them.
`catgan demo` rejects every face that is nearer to one of them than 5% of the training images are to
each other: {refused} of the samples.

## Limits

The model knows cats' faces from the front, at {size} x {size}, of the kinds of cats that people
photograph. Some of its samples have one eye, or hardly look like cats. MIT licence, like all of
catgan.
"""

ROWS = (RECOGNISED, SECOND_RECOGNISED, CASCADES, KID, SECOND_KID, DIVERSITY, CLOSE)


def card(run: Run, folder: Path) -> str:
    """The model card, with what was measured just now."""
    facts, seen, config = load_base(folder).facts, load_base_seen(folder), run.read_config()
    assert config is not None
    written = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    return CARD.format(
        **dataclasses.asdict(facts),
        train=config.data.train,
        held_out=len(config.data.held_out),
        recipe=config.settings["recipe"],
        epoch=load_checkpoint(run.checkpoint() or run.last)["epoch"],
        epochs=max(epoch.epoch for epoch in run.read_stats()),
        course=_course(run),
        table="\n".join(_table(compared(run))),
        megabytes=written / 1e6,
        command="catgan train curated/face-crop "
        + " ".join(
            f"--{name.replace('_', '-')} {config.settings[name]}"
            for name in ("ngf", "ndf", "epochs", "held_out")
        ),
        samples=SAMPLES,
        shown=SHOWN,
        axes=seen.axes.shape[1],
        refused=_words(refused(draw(folder, SAMPLES), folder)),
    )


def _table(comparison: Comparison) -> Iterator[str]:
    rows = {row.key: row for row in comparison.rows}
    for one in ROWS:
        real = rows.get(f"{one.key}_real")
        beside = "" if real is None else real.cells[0].text
        yield f"| {one.label} | {rows[one.key].cells[0].text} | {beside} |"


def _words(share: Rate) -> str:
    return f"{share.share:.1%} ({share.low:.1%} to {share.high:.1%})"


def _course(run: Run) -> str:
    """How quality developed."""
    measured = [epoch for epoch in run.read_stats() if epoch.kid is not None]
    course = ", ".join(
        f"{measured[i].kid:.3f} at {measured[i].images_shown / 1000:.0f}"
        for i in spread_evenly(len(measured), 10)
    )
    text = (
        f"KID to the held-out images, of 500 samples, by thousands of training images: {course} "
        f"(standard error {measured[-1].kid_error:.3f})."
    )
    return "\n".join(textwrap.wrap(text, 100))


def main() -> None:
    """Export, or write the card; and say how large the files are."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    commands = parser.add_subparsers(dest="command", required=True)
    exporting = commands.add_parser("export", help="write the files of the package")
    describing = commands.add_parser("card", help="measure them and write the model card")
    describing.add_argument("--picture", type=Path, help="where samples are shown")
    for command in (exporting, describing):
        command.add_argument("run", type=Path)
        command.add_argument("folder", type=Path)
    options = parser.parse_args()
    run = Run(folder=options.run)
    if options.command == "card":
        (options.folder / "README.md").write_text(card(run, options.folder), encoding="utf-8")
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
