"""Makes the base model that is kept in the package out of a finished run.

    python -m benchmarks.base export RUN catgan/model/base

RUN is a run's folder, or a checkpoint; of a folder the last checkpoint is taken, since a run on all
pictures holds none out to tell its best epoch by.
"""

import argparse
from pathlib import Path

from catgan.model.base import BaseFacts, save_base
from catgan.model.checkpoint import load_checkpoint

MOST_BYTES = 8_000_000  # both files together


def export(run: Path, folder: Path) -> int:
    """Write a run's averaged generator and its discriminator into a folder; the bytes written."""
    state = load_checkpoint(run if run.is_file() else run / "checkpoints" / "last.pt")
    settings = state["settings"]
    facts = BaseFacts(
        ngf=settings["ngf"],
        ndf=settings["ndf"],
        latent_dim=settings["latent_dim"],
        size=settings["size"],
        norm=settings["norm"],
        images_shown=state["images_shown"],
    )
    generator = state["average" if "average" in state else "generator"]
    save_base(folder, facts, generator, state["discriminator"])
    return sum(path.stat().st_size for path in folder.glob("*.safetensors"))


def main() -> None:
    """Export, and say how large the files are."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    commands = parser.add_subparsers(dest="command", required=True)
    exporting = commands.add_parser("export", help="write the two files of the package")
    exporting.add_argument("run", type=Path)
    exporting.add_argument("folder", type=Path)
    options = parser.parse_args()
    written = export(options.run, options.folder)
    print(f"{options.folder}: {written / 1e6:.2f} MB")
    if written > MOST_BYTES:
        raise SystemExit(f"more than {MOST_BYTES / 1e6:g} MB: take a narrower net")


if __name__ == "__main__":
    main()
