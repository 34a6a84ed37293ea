"""What `export` can be told."""

import dataclasses
import re
from typing import Annotated

from catgan.core.settings import Option, require

AUTO = "auto"  # the best checkpoint where there is one, else the last
CHECKPOINTS = (AUTO, "best", "last")
REPO = re.compile(r"[\w.-]+/[\w.-]+")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ExportConfig:
    """The settings of `export`."""

    checkpoint: Annotated[str, Option("best or last.", default="best where there is one")] = AUTO
    onnx: Annotated[bool, Option("Also write an ONNX file, checked in onnxruntime.")] = True
    push: Annotated[
        str,
        Option(
            "A model on the Hugging Face Hub to upload the folder to. Without --send, only say "
            "what would be uploaded.",
            metavar="USER/NAME",
        ),
    ] = ""
    send: Annotated[bool, Option("With --push: upload it.", flag="--send")] = False
    public: Annotated[
        bool, Option("With --push: make a new model public; else it is private.", flag="--public")
    ] = False

    def __post_init__(self) -> None:
        """Check every setting.

        Raises:
            BadSettings: One lies outside what it may be.
        """
        require(
            self.checkpoint in CHECKPOINTS,
            f"--checkpoint is {self.checkpoint}; it may be best or last.",
        )
        require(
            not self.push or bool(REPO.fullmatch(self.push)),
            f"--push is {self.push}; it must be USER/NAME, say tama/cats.",
        )
        require(bool(self.push) or not self.send, "--send goes with --push USER/NAME.")
        require(bool(self.push) or not self.public, "--public goes with --push USER/NAME.")
