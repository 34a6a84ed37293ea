"""What to do with curated data sets: fine-tune where there are few crops, or run the experiment."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from catgan.core.systems import command_line
from catgan.formats.datasets import FACE_CROP
from catgan.train.config import BASE, BASE_SIZE, FINE_TUNING_IMAGES

FEW = 500  # crops, below which training from scratch takes long for what comes of it
TENTHS = 10  # epochs are suggested in steps of this many


def training_words(curated: Path, images: Mapping[str, int], size: int) -> Iterator[str]:
    """The next command, and where it makes sense the quicker one before it.

    Args:
        curated: The folder with the data sets.
        images: Data set -> its images.
        size: Their side, pixels.
    """
    both = command_line(["catgan", "train", str(curated)])
    crops = images.get(FACE_CROP, 0)
    if not 0 < crops < FEW or size != BASE_SIZE:
        yield f"Next: {both}"
        return
    epochs = TENTHS * max(1, -(-FINE_TUNING_IMAGES // (crops * TENTHS)))
    line = ["catgan", "train", str(curated / FACE_CROP), "--name", f"from-{BASE}"]
    line += ["--start-from", BASE, "--epochs", str(epochs)]
    yield f"Next, to fine-tune the bundled cat-face model, in minutes: {command_line(line)}"
    yield f"Or to train both data sets from scratch and compare them: {both}"
