"""`export` from end to end: a run to a folder that can be passed on."""

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path

from safetensors.torch import save

from catgan.core.errors import BadUsage, CheckpointRefused, FolderRefused
from catgan.core.files import AnyPath, check_place, make_folder, read_there, write_bytes
from catgan.core.pages import for_notebook
from catgan.core.pictures import encode_png, sheet
from catgan.core.systems import LITTER
from catgan.core.version import program
from catgan.core.words import count
from catgan.export.card import MARK, ONNX, SAMPLES, WEIGHTS, Model, model_card
from catgan.export.config import AUTO, ExportConfig
from catgan.export.onnx import check_packages, to_onnx
from catgan.export.plain import PlainGenerator, layout_of, plain
from catgan.formats import cards
from catgan.formats.runs import Run, RunConfig, resolve_run
from catgan.formats.stats import EpochStats
from catgan.model.checkpoint import load_generator
from catgan.model.networks import Generator
from catgan.model.sample import draw_latents, sample_images

GRID, COLUMNS, SEED = 64, 8, 0
HARMLESS = LITTER | {".git", ".gitattributes", ".gitignore", ".cache", ".lock"}
"""What may lie in the folder beforehand: that of a repository, above all."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ExportPlan:
    """What is to be written; everything about it is checked."""

    run: Run
    """The run."""
    checkpoint: Path
    """The file that the generator comes from."""
    generator: Generator = dataclasses.field(repr=False)
    """In evaluation mode, on the CPU."""
    model: Model
    """What the card is about."""
    out: Path
    """The folder to write to."""

    @property
    def files(self) -> tuple[str, ...]:
        """The names of what is written."""
        onnx = (ONNX,) if self.model.with_onnx else ()
        return (cards.NAME, WEIGHTS, *onnx, SAMPLES)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ExportResult:
    """What was written."""

    plan: ExportPlan
    """What was to be done."""
    sizes: dict[str, int]
    """File -> bytes."""

    def __repr__(self) -> str:
        """One line."""
        return f"ExportResult({self.plan.out}: {count(len(self.sizes), 'file')})"

    def _repr_html_(self) -> str:
        """For a notebook: the samples as well."""
        path = self.plan.out / SAMPLES
        data = read_there(path)
        return for_notebook(repr(self), [] if data is None else [(str(path), "png", data)])


def plan_export(
    name: AnyPath, out: AnyPath, config: ExportConfig | None = None, *, runs: AnyPath = "runs"
) -> ExportPlan:
    """What `export_run` would do with the same arguments; nothing is written.

    Raises:
        What `export_run` does, but for `ExportFailed` and `DiskFull`.
    """
    config, out = config or ExportConfig(), Path(out)
    run = resolve_run(os.fspath(name), Path(runs))
    check_out(out)
    if config.onnx:
        check_packages()
    path = run.find_checkpoint(None if config.checkpoint == AUTO else config.checkpoint)
    record = run.read_config()
    if record is None:  # gone since it was found
        raise CheckpointRefused(f"{run.folder} has no settings any more; name another run.")
    generator, state = load_generator(path)
    model = Model(
        name=run.name,
        config=dataclasses.replace(record, settings=_known(record, state["settings"])),
        layout=layout_of(generator),
        epoch=state["epoch"],
        images_shown=state["images_shown"],
        figures=_figures(run, state["epoch"]),
        samples=GRID,
        seed=SEED,
        with_onnx=config.onnx,
    )
    return ExportPlan(run=run, checkpoint=path, generator=generator, model=model, out=out)


def export_run(
    name: AnyPath,
    out: AnyPath,
    config: ExportConfig | None = None,
    *,
    runs: AnyPath = "runs",
    progress: Callable[[str], None] | None = None,
) -> ExportResult:
    """Write a run's generator in formats that others read, with a card and samples.

    Everything is made and checked first; then the files are written, the card last.

    Args:
        name: A run's name under `runs`, or the path of its folder.
        out: New, empty, or of an earlier export.
        config: Settings; `push` and `send` are not this function's.
        runs: The folder of runs.
        progress: Told what is being done, a few words at a time.

    Raises:
        UnknownRun: There is no such run; lists those there are.
        CheckpointRefused: It has no such checkpoint, or a broken one; nothing was written.
        FolderRefused: The folder holds something else; nothing was written.
        BadUsage: It is a file, or cannot be made; nothing was written.
        MissingPackage: ONNX is wanted, and its packages are not there; nothing was written.
        ExportFailed: No ONNX file draws the same images; nothing was written.
        DiskFull: There is no room.
    """
    say = progress or (lambda words: None)
    plan = plan_export(name, out, config, runs=runs)
    say("drawing samples")
    latents = draw_latents(GRID, plan.model.layout.latent_dim, SEED)
    pictures = sample_images(plan.generator, latents)
    network = plain(plan.generator)
    made = {WEIGHTS: _weights(network, plan.model)}
    if plan.model.with_onnx:
        say("exporting to ONNX, and checking that")
        made[ONNX] = to_onnx(network, plan.model.layout.latent_dim)
    made[SAMPLES] = encode_png(sheet(pictures, columns=COLUMNS))
    make_folder(plan.out)
    for file, data in made.items():
        write_bytes(plan.out / file, data)
    if not plan.model.with_onnx:  # one of an earlier export would be of another generator
        (plan.out / ONNX).unlink(missing_ok=True)
    cards.write_card(plan.out, model_card(plan.model))
    sizes = {file: (plan.out / file).stat().st_size for file in plan.files}
    return ExportResult(plan=plan, sizes=sizes)


def check_out(out: Path) -> None:
    """Refuse a folder that would be wrong to write into; change nothing.

    Raises:
        BadUsage: It is a file, or cannot be made.
        FolderRefused: It holds something else than an earlier export.
    """
    if out.exists() and not out.is_dir():
        raise BadUsage(f"{out} is a file; name a folder to write to.")
    check_place(out / cards.NAME)
    if not out.exists():
        return
    strangers = sorted(
        path.name
        for path in out.iterdir()
        if path.name not in HARMLESS and not path.name.endswith(".partial")
    )
    if strangers and MARK not in (cards.read_card(out) or ""):
        raise FolderRefused(
            f"{out} was not made by catgan export (it holds {strangers[0]}); "
            "name a new or empty folder."
        )


def _known(record: RunConfig, settings: dict[str, object]) -> dict[str, object]:
    """The settings that the checkpoint was made with, in the order of the run's own."""
    return {name: settings.get(name, value) for name, value in record.settings.items()}


def _figures(run: Run, epoch: int) -> EpochStats | None:
    """The newest evaluation up to an epoch."""
    measured = [
        stats
        for stats in run.read_stats()
        if stats.epoch <= epoch and (stats.distance is not None or stats.recognised is not None)
    ]
    return measured[-1] if measured else None


def _weights(network: PlainGenerator, model: Model) -> bytes:
    layout = model.layout
    words = {
        "made_by": program(),
        "latent_dim": layout.latent_dim,
        "size": layout.size,
        "widths": ",".join(map(str, layout.widths)),
        "upsample": "nearest" if layout.nearest else "transposed",
        "gates": layout.gates,
        "epoch": model.epoch,
        "images_shown": model.images_shown,
    }
    return save(network.state_dict(), {name: str(value) for name, value in words.items()})
