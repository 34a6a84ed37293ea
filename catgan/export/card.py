"""The card of a model: what it is, its figures, whether it copies, and lines that draw with it."""

import dataclasses
from collections.abc import Sequence

from catgan.core.files import Json
from catgan.core.settings import flag_of
from catgan.core.version import program
from catgan.core.words import count, percent, setting
from catgan.export.plain import Layout
from catgan.formats.cards import Card, head_of
from catgan.formats.runs import RunConfig
from catgan.formats.stats import EpochStats

WEIGHTS, ONNX, SAMPLES = "generator.safetensors", "generator.onnx", "samples.png"
MARK = "`catgan export`"
"""In every card of a model."""
BASE = "base"  # what the bundled model is called where a run starts from it


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What the card is about."""

    name: str
    """Of the run."""
    config: RunConfig
    """Its settings and its data set."""
    layout: Layout
    """What the generator is built from."""
    epoch: int
    """Complete epochs that it was trained for."""
    images_shown: int
    """Training images seen by then."""
    figures: EpochStats | None
    """Of the newest evaluation until then; None where there was none."""
    samples: int
    """In the grid."""
    seed: int
    """Of the grid."""
    with_onnx: bool
    """Whether there is an ONNX file."""


def model_card(model: Model) -> Card:
    """The card of a model."""
    head = head_of(
        model.name,
        f"A small GAN that generates pictures of cats, {model.layout.size} x {model.layout.size} "
        f"pixels, trained on {count(model.config.data.train, 'image')}.",
        "library_name: pytorch\npipeline_tag: unconditional-image-generation\n"
        "tags:\n- gan\n- cats\n- catgan",
    )
    parts = [
        _samples(model),
        _copies(model.figures),
        _figures(model.figures),
        _drawing(model),
        _training(model),
    ]
    return Card(head=head, made="\n\n".join(part.strip() for part in parts))


def copying_words(figures: EpochStats | None) -> str:
    """Whether a model's samples copy training images, in a sentence or two."""
    if figures is None or figures.copies is None:
        return (
            "Nobody knows whether the samples copy training images: no image was held out to "
            "compare with. Look at them beside your photos before you pass the model on."
        )
    share = f"{percent(figures.copies)} of the samples are close to a training image"
    if copies(figures):
        return (
            f"The samples copy: {share}, more than chance allows. Whoever has this model can see "
            "something of the photos that it was trained on. Train on more images, or for fewer "
            "epochs."
        )
    return f"The samples are not copies, as far as can be measured: {share}, as chance allows."


def copies(figures: EpochStats | None) -> bool:
    """Whether a model's samples were found to copy training images."""
    return figures is not None and bool(figures.copying)


def _samples(model: Model) -> str:
    return f"""## Samples

![{count(model.samples, "sample")}]({SAMPLES})

The first {count(model.samples, "sample")} of seed {model.seed}; not picked."""


def _copies(figures: EpochStats | None) -> str:
    warning = "**Warning.** " if copies(figures) else ""
    return f"## Does it copy?\n\n{warning}{copying_words(figures)}"


def _figures(figures: EpochStats | None) -> str:
    if figures is None:
        return "## Figures\n\nThe run was not evaluated."
    rows = []
    for name, value, error in (
        ("KID to the held-out images", figures.kid, figures.kid_error),
        ("KID to the training images", figures.kid_train, figures.kid_train_error),
    ):
        if value is not None:
            spread = "" if error is None else f" \N{PLUS-MINUS SIGN} {error:.3f}"
            rows.append((name, f"{value:.3f}{spread}"))
    for name, share in (
        ("recognised as a cat by an ImageNet classifier", figures.recognised),
        ("close to a training image", figures.copies),
    ):
        if share is not None:
            rows.append((name, percent(share)))
    if figures.diversity is not None:
        rows.append(("diversity, relative to real images", f"{figures.diversity:.2f}"))
    if not rows:
        return "## Figures\n\nThe run was not evaluated."
    return f"""## Figures

Of samples after epoch {figures.epoch}, in features of EfficientNet-Lite0; do not compare them with
KID or FID from papers. Behind \N{PLUS-MINUS SIGN}: one standard error.

{_table(("figure", "value"), rows)}"""


def _drawing(model: Model) -> str:
    onnx = ""
    if model.with_onnx:
        onnx = f"""
With ONNX Runtime:

```python
{onnx_lines(model.layout)}```

`latents` is (N, {model.layout.latent_dim}) float32, standard normal; `images` is \
(N, 3, {model.layout.size}, {model.layout.size}) float32, -1 to 1."""
    return f"""## Drawing with it

With PyTorch and safetensors; catgan is not needed:

```python
{network_lines(model.layout)}```
{onnx}"""


def _training(model: Model) -> str:
    config = model.config
    data, settings = config.data, _shared(config.settings)
    start = "From scratch."
    if config.start is not None:
        what = "another run"
        if settings.get("start_from") == BASE:
            what = "the cat-face model that comes with catgan"
        start = (
            f"It started from {what}, which had seen {count(config.start.images_shown, 'image')}."
        )
    held_out = f"; {count(len(data.held_out), 'image')} held out" if data.held_out else ""
    rows = [(f"`{flag_of(name)}`", setting(value)) for name, value in settings.items()]
    return f"""## Training

Trained on {count(data.train, "image")}{held_out}, for {count(model.epoch, "epoch")}
({count(model.images_shown, "image")} seen). {start}

{_table(("setting", "value"), rows)}

Written by {program()}, {MARK}."""


def _shared(settings: Json) -> Json:
    """The settings without paths: somebody's own folders are nobody else's business."""
    start = settings.get("start_from")
    named = {} if start in (None, "", BASE) else {"start_from": "another run"}
    return settings | named


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, ("---", "---"), *rows))


def onnx_lines(layout: Layout) -> str:
    """A program that draws a picture with the ONNX file."""
    return f"""import numpy as np, onnxruntime
from PIL import Image

session = onnxruntime.InferenceSession("{ONNX}")
latents = np.random.default_rng(0).standard_normal((1, {layout.latent_dim})).astype(np.float32)
(images,) = session.run(["images"], {{"latents": latents}})
pixels = ((images[0].transpose(1, 2, 0) + 1) * 127.5).round().astype(np.uint8)
Image.fromarray(pixels).save("cat.png")
"""


def network_lines(layout: Layout) -> str:
    """A program that builds the network, fills it from the safetensors file and draws 16 images."""
    doubling = "[nn.ConvTranspose2d(width, narrower, 4, stride=2, padding=1, bias=False)]"
    if layout.nearest:
        doubling = (
            "[nn.Upsample(scale_factor=2), nn.Conv2d(width, narrower, 3, padding=1, bias=False)]"
        )
    gate, gates, forward = "", "", _PLAIN_FORWARD
    if layout.gates:
        pairs = ", ".join(
            f"gate({layout.widths[coarse]}, {layout.widths[coarse + 2]})"
            for coarse in range(layout.gates)
        )
        gate, forward = _GATE, _GATED_FORWARD
        gates = f"        self.gates = nn.ModuleList([{pairs}])\n"
    return f"""import torch
from safetensors.torch import load_file
from torch import nn
{gate}
class Cats(nn.Module):
    def __init__(self, widths={layout.widths}):
        super().__init__()
        layers = [nn.ConvTranspose2d({layout.latent_dim}, widths[0], 4, bias=False)]
        for width, narrower in zip(widths, (*widths[1:], 3)):
            layers += [nn.BatchNorm2d(width), nn.ReLU()]
            layers += {doubling}
        self.main = nn.Sequential(*layers, nn.Tanh())
{gates}
    def forward(self, latents):
{forward}
cats = Cats().eval()
cats.load_state_dict(load_file("{WEIGHTS}"))
latents = torch.randn(16, {layout.latent_dim}, generator=torch.Generator().manual_seed(0))
with torch.inference_mode():
    images = cats(latents)  # (16, 3, {layout.size}, {layout.size}), -1 to 1
"""


_PLAIN_FORWARD = """        return self.main(latents[:, :, None, None])
"""

_GATE = """
def gate(coarse, fine):
    return nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Conv2d(coarse, fine, 4, bias=False), nn.SiLU(),
                         nn.Conv2d(fine, fine, 1, bias=False), nn.Sigmoid())
"""

_GATED_FORWARD = """        maps, result = [], latents[:, :, None, None]
        for layer in self.main:
            result = layer(result)
            if isinstance(layer, nn.ReLU):
                if 2 <= len(maps) < 2 + len(self.gates):
                    result = result * self.gates[len(maps) - 2](maps[len(maps) - 2])
                maps.append(result)
        return result
"""
