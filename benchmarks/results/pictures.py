"""The samples that a study shows."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from benchmarks.results.runs import arms_of
from catgan.core.pictures import Picture, Pictures, sheet
from catgan.formats.datasets import FACE_CROP, FULL_BODY
from catgan.model.checkpoint import load_generator
from catgan.model.sample import draw_latents, sample_images

SEED = 4_000_001  # of the samples shown, chosen before any was seen
COLUMNS, ROWS = 6, 4


def lead_picture(study: Path, path: Path) -> None:
    """Whole bodies above face crops: `article` at its best and its end, the default at its end."""
    rows = []
    for data, what in ((FULL_BODY, "whole bodies"), (FACE_CROP, "face crops")):
        panels = []
        for recipe, which in (("article", "best"), ("article", "end"), ("projected", "end")):
            run = next(iter(arms_of(study).get(f"{recipe}-{data}", ())), None)
            if run is None:
                continue
            checkpoint = run.best if which == "best" and run.best.is_file() else run.last
            epoch, pictures = samples_of(checkpoint)
            name = "plain DCGAN" if recipe == "article" else "catgan's default"
            at = "its best" if which == "best" else "its end"
            title = f"{what}, {name}, {at} (epoch {epoch})"
            panels.append(titled(sheet(pictures, columns=COLUMNS), title))
        if panels:
            rows.append(_beside(panels))
    width = max(row.shape[1] for row in rows)
    rows = [np.pad(r, ((0, 0), (0, width - r.shape[1]), (0, 0)), constant_values=255) for r in rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.concatenate(rows)).save(path, quality=88, optimize=True)


def samples_of(checkpoint: Path) -> tuple[int, Pictures]:
    """The epoch of a checkpoint, and its samples: always the same latents."""
    generator, state = load_generator(checkpoint)
    generator.eval()
    latents = draw_latents(COLUMNS * ROWS, generator.latent_dim, SEED)
    return int(state["epoch"]), sample_images(generator, latents)


def titled(picture: Picture, title: str) -> Picture:
    """A picture with a line above it, black on white."""
    height, width = picture.shape[:2]
    canvas = Image.new("RGB", (width + 8, height + 30), "white")
    canvas.paste(Image.fromarray(picture), (4, 26))
    font = ImageFont.load_default(14)
    ImageDraw.Draw(canvas).text((4, 5), title, fill="black", font=font)
    return np.asarray(canvas)


def _beside(pictures: Sequence[Picture]) -> Picture:
    return np.concatenate(pictures, axis=1)
