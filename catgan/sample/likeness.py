"""The latent whose cat is nearest to a face: found by descent, from several beginnings.

What is made small is a sum of three distances: of pixels, fine and coarse, the middle of the image
counting most; of the maps of a pretrained network's first stages (as Zhang et al. 2018,
arXiv:1801.03924, without their fitted weights); and of its pooled features.
"""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from catgan.core.pictures import Picture, Pictures
from catgan.measure.extractors.base import Extractor
from catgan.measure.extractors.efficientnet import fold_norms, load_net
from catgan.measure.extractors.lite import Lite
from catgan.measure.extractors.variants import LITE0
from catgan.model.networks import Generator
from catgan.model.sample import sample_images, to_pictures
from catgan.sample.latents import fixed_latents

FIRST = 384  # random latents, of which the nearest are the beginnings
BEGINNINGS = 2
STEPS = 60
RATE = 0.3  # of Adam, for latents on a sphere of radius 10; falls to 0 over the second half
BETAS = (0.9, 0.99)
SIDE = 96  # pixels that the network is shown images at; at 64 it comes less near (docs/log.md)
STAGES = (1, 2, 4)  # of the network, whose maps are compared: 24, 12 and 6 pixels a side
COARSE = 4  # times that pixels are averaged for the coarse comparison
MIDDLE = 0.8  # of a bell over the image, in squares of half its side, that weighs pixels
BATCH = 32
COMPARED = 64  # random samples that the result is measured beside
OTHER_SEED = 1  # of those, added to the seed: others than the beginnings


class FaceCutter(Protocol):
    """Anything that cuts the face out of a photo."""

    def cut(self, photo: Path, size: int) -> Picture:
        """The best face, level.

        Args:
            photo: A file.
            size: Side of the result, pixels.

        Returns:
            (size, size, 3) uint8 sRGB.

        Raises:
            CatganError: It cannot be read, or has no face that is large enough.
        """
        ...


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Match:
    """What came of a search."""

    name: str
    """The photo's."""
    face: Picture
    """(size, size, 3) uint8: what was searched for."""
    latent: Tensor
    """(latent_dim,) float32."""
    cat: Picture
    """(size, size, 3) uint8: what is drawn of it."""
    similarity: float
    """Cosine of the angle between the features of both, of a network that had no part in the
    search; 1 is identical."""
    usual: float
    """The same of random samples: the median."""
    more_similar: int
    """Random samples, of `COMPARED`, that are more similar to the face than the cat is."""
    off: float
    """Root mean square difference of pixels, 0 to 255."""
    usual_off: float
    """The same of random samples: the median."""
    less_off: int
    """Random samples, of `COMPARED`, whose pixels differ less."""


class Likeness:
    """Searches a generator's latents; loading it takes a second or two, so make one."""

    def __init__(self, generator: Generator, judge: Extractor, *, seed: int) -> None:
        """Load the network that faces are compared with.

        Args:
            generator: In evaluation mode, on the CPU.
            judge: Measures what was found; not the network of the search.
            seed: Of the beginnings.

        Raises:
            MissingPackage: The package with the network's weights is missing or broken.
        """
        self._generator = generator.requires_grad_(False)
        self._judge = judge
        self._net = fold_norms(load_net(LITE0))
        self._first = fixed_latents(FIRST, generator.latent_dim, seed)
        others = fixed_latents(COMPARED, generator.latent_dim, seed + OTHER_SEED)
        self._others = sample_images(generator, others)
        self._seen = judge.extract(self._others).pooled

    def find(
        self, face: Picture, name: str, progress: Callable[[float], None] | None = None
    ) -> Match:
        """The latent whose cat is nearest to a face.

        Args:
            face: (size, size, 3) uint8, as large as the generator's images.
            name: The photo's.
            progress: Told the share that is done, 0 to 1.
        """
        tell = progress or (lambda share: None)
        goal = _Goal(self._net, face)
        with torch.inference_mode():
            far = torch.cat(
                [goal.distance(self._generator(chunk)) for chunk in torch.split(self._first, BATCH)]
            )
        latents = self._first[far.argsort()[:BEGINNINGS]].clone().requires_grad_(True)
        optimizer = torch.optim.Adam([latents], lr=RATE, betas=BETAS)
        for step in range(STEPS):
            tell(0.2 + 0.8 * step / STEPS)
            for group in optimizer.param_groups:
                group["lr"] = RATE * min(1.0, 2 * (1 - step / STEPS))
            optimizer.zero_grad()
            far = goal.distance(self._generator(on_sphere(latents)))
            torch.autograd.backward(far.sum())
            optimizer.step()
        with torch.inference_mode():
            found = on_sphere(latents)
            images = self._generator(found)
            best = int(goal.distance(images).argmin())
        return self._measured(face, name, found[best].clone(), to_pictures(images)[best])

    def _measured(self, face: Picture, name: str, latent: Tensor, cat: Picture) -> Match:
        seen = self._judge.extract(np.stack([face, cat])).pooled
        similarity = float(cosines(seen[0], seen[1:])[0])
        off = float(differences(face, cat[None])[0])
        others, others_off = cosines(seen[0], self._seen), differences(face, self._others)
        return Match(
            name=name,
            face=face,
            latent=latent,
            cat=cat,
            similarity=similarity,
            usual=float(np.median(others)),
            more_similar=int((others > similarity).sum()),
            off=off,
            usual_off=float(np.median(others_off)),
            less_off=int((others_off < off).sum()),
        )


class _Goal:
    """A face, and how far images are from it."""

    def __init__(self, net: Lite, face: Picture) -> None:
        self._net = net
        target = torch.from_numpy(face.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1
        line = torch.linspace(-1, 1, face.shape[0])
        bell = torch.exp(-(line[None, :] ** 2 + line[:, None] ** 2) / MIDDLE)
        self._weight = (bell / bell.mean())[None, None]
        self._target = target
        with torch.no_grad():
            self._maps, self._pooled = self._look(target)

    def distance(self, images: Tensor) -> Tensor:
        """How far images are from the face.

        Args:
            images: (N, 3, size, size) float32, -1 to 1.

        Returns:
            (N,) float32, from 0.
        """
        fine = ((images - self._target) ** 2 * self._weight).mean(dim=(1, 2, 3))
        coarse = F.avg_pool2d(images, COARSE) - F.avg_pool2d(self._target, COARSE)
        pixels = fine + (coarse**2 * F.avg_pool2d(self._weight, COARSE)).mean(dim=(1, 2, 3))
        maps, pooled = self._look(images)
        stages = torch.stack(
            [
                ((seen - wanted) ** 2).sum(dim=1).mean(dim=(1, 2))
                for seen, wanted in zip(maps, self._maps, strict=True)
            ]
        )
        return pixels + stages.mean(dim=0) + ((pooled - self._pooled) ** 2).sum(dim=1)

    def _look(self, images: Tensor) -> tuple[list[Tensor], Tensor]:
        """Maps of some stages and the pooled features, each of length 1 across the channels."""
        shown = F.interpolate(images, size=(SIDE, SIDE), mode="bilinear", align_corners=False)
        net = self._net  # which was trained on -1 to 1, as generators draw
        result = net.bn1(net.conv_stem(shown))
        maps = []
        for number, stage in enumerate(net.blocks):
            result = stage(result)
            if number in STAGES:
                maps.append(F.normalize(result, dim=1))
        last = net.bn2(net.conv_head(result)).mean(dim=(2, 3))
        return maps, F.normalize(last, dim=1)


def on_sphere(latents: Tensor) -> Tensor:
    """Latents brought to the length that standard normal ones have on average, near enough.

    Unbound, they grow until the picture fits and is no cat.

    Args:
        latents: (N, latent_dim).
    """
    radius: float = latents.shape[1] ** 0.5
    found: Tensor = F.normalize(latents, dim=1) * radius
    return found


def cosines(one: NDArray[np.floating], many: NDArray[np.floating]) -> NDArray[np.float64]:
    """Cosines of the angles between features (D,) and others (N, D): (N,), -1 to 1."""
    one, many = one.astype(np.float64), many.astype(np.float64)
    lengths = np.linalg.norm(one) * np.linalg.norm(many, axis=1)
    return np.asarray(many @ one / np.maximum(lengths, 1e-12))


def differences(one: Picture, many: Pictures) -> NDArray[np.float64]:
    """Root mean square differences of pixels between a picture and others: (N,), 0 to 255."""
    apart = many.astype(np.float64) - one.astype(np.float64)
    return np.asarray(np.sqrt((apart**2).mean(axis=(1, 2, 3))))
