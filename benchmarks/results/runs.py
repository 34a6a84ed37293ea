"""The runs of a study, ours and other programs'."""

import json
from collections.abc import Iterator
from pathlib import Path

from catgan.formats.datasets import FACE_CROP, FULL_BODY, FULL_BODY_KEPT
from catgan.formats.runs import Run, find_runs

CLEANED = (FULL_BODY, FULL_BODY_KEPT, FACE_CROP)
RECIPES = ("article", "balanced", "projected")
PEERS = {
    "dcgan-example": "PyTorch's DCGAN example, batch 64",
    "diffusion": "a small diffusion model (denoising-diffusion-pytorch)",
}


def arms_of(study: Path) -> dict[str, list[Run]]:
    """The finished runs of each arm."""
    arms: dict[str, list[Run]] = {}
    for run in find_runs(study / "runs"):
        config = run.read_config()
        if config is not None and config.finished:
            arms.setdefault(run.name.rpartition("-s")[0], []).append(run)
    return arms


def marks_of(study: Path, peer: str) -> Iterator[tuple[float, Path, int]]:
    """Minutes, samples, and images shown by then, of another program's run."""
    folder = study / "peers" / peer
    if (folder / "marks.jsonl").is_file():
        for line in (folder / "marks.jsonl").read_text(encoding="utf-8").splitlines():
            mark = json.loads(line)
            yield mark["minutes"], folder / f"{mark['minutes']:g}", mark["images_shown"]
