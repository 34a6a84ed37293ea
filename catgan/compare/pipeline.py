"""`compare` from end to end: names of runs to a comparison."""

import dataclasses
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from catgan.compare.comparison import Comparison
from catgan.compare.config import CompareConfig
from catgan.compare.inputs.arms import PlannedArm, plan_arms
from catgan.compare.inputs.real_images import RealImages, open_real_images
from catgan.compare.inputs.split import DataSplit
from catgan.compare.measured.arm import Arm
from catgan.compare.measured.copies import copying_note
from catgan.compare.measured.real import MeasuredReal, measure_real
from catgan.compare.measured.run import MeasuredRun, measure_run
from catgan.compare.quantities.catalogue import QUANTITIES
from catgan.compare.quantities.evidence import Instruments
from catgan.compare.quantities.quantity import Quantity
from catgan.core.errors import MissingPackage
from catgan.core.files import AnyPath
from catgan.measure.choices import MIN_PICTURES
from catgan.measure.extractors.base import Extractor
from catgan.measure.extractors.cache import CachedExtractor
from catgan.measure.extractors.opening import open_extractor, open_second
from catgan.measure.metrics.faces import FaceFinder, FoundFaces
from catgan.model.device import pick_device

NO_FINDER = "no face finder was handed in"
NOT_ASKED = "--faces is 0"
NO_SECOND = "no second network was handed in"
NOT_SECOND = "--second-judge is 0"


def compare_runs(
    names: AnyPath | Sequence[AnyPath],
    config: CompareConfig | None = None,
    *,
    runs: AnyPath = "runs",
    extractor: Extractor | None = None,
    finder: FaceFinder | None = None,
    why_no_finder: str = NO_FINDER,
    second: Extractor | None = None,
    cascades: FaceFinder | None = None,
    why_no_cascades: str = NO_FINDER,
    quantities: Sequence[Quantity[Any]] = (),
    cache: AnyPath | None = None,
    progress: Callable[[str], None] | None = None,
) -> Comparison:
    """Measure runs against images held out of their training, all in the same way.

    Everything that can be wrong with a name, a folder or a file is found before the first image
    is looked at, except for an image or checkpoint that is broken inside.

    Args:
        names: Names of runs under `runs`, or paths of run folders; what the names of several runs
            share, which are then one arm (`face-crop` for `face-crop-s0`, `face-crop-s1`); or
            folders of images, which are taken for samples. One may stand by itself.
        config: Settings.
        runs: The folder of runs.
        extractor: Sees features, instead of the network that the settings name.
        finder: Says in which images there is a face; None to look for none.
        why_no_finder: Why there is none, in a few words, for the table.
        second: A second network that says what is a cat, for a second opinion; where neither it nor
            `extractor` is given, a larger one than what catgan chooses with.
        cascades: Another face finder, for a second opinion; None for none.
        why_no_cascades: Why there is none, likewise.
        quantities: What to measure beside the usual.
        cache: Folder to keep features in; None keeps none.
        progress: Told what is being done, a few words at a time.

    Raises:
        BadUsage: Nothing was named, or one run twice; or it is not said what a folder of images
            is to be measured against.
        UnknownRun: One is not a run; lists those there are.
        BadRecord: What one wrote down is damaged.
        CheckpointRefused: One has no checkpoint yet, or a broken one.
        NoPictures: The images that one was trained on are gone.
        UnreadablePhoto: One of them is broken.
        BadSettings: There is no such device.
        MissingPackage: The network that images are measured with cannot be loaded.
    """
    config = config or CompareConfig()
    say = progress or (lambda words: None)
    every = [names] if isinstance(names, str | os.PathLike) else names
    named = [os.fspath(name) for name in every]
    runs, cache = Path(runs), None if cache is None else Path(cache)
    planned = plan_arms(named, runs, against=config.against, apart=config.apart, data=config.data)
    config = dataclasses.replace(config, device=str(pick_device(config.device)))
    why_no_second = NO_SECOND if config.second_judge else NOT_SECOND
    if extractor is None:
        say("loading the networks that images are measured with")
        extractor = open_extractor(
            config.features, weights=config.weights, device=config.device, cache=cache
        )
        if second is None and config.second_judge:
            second, why_no_second = _second(config.device, cache)
    if config.faces == 0:
        finder, why_no_finder = None, NOT_ASKED
        cascades, why_no_cascades = None, NOT_ASKED
    instruments = Instruments(
        extractor=extractor,
        faces=_keep(finder, cache),
        why_no_faces=why_no_finder,
        second=second if config.second_judge else None,
        why_no_second=why_no_second,
        cascades=_keep(cascades, cache),
        why_no_cascades=why_no_cascades,
    )
    everything = (*QUANTITIES, *quantities)
    splits = [arm.candidates[0].split for arm in planned]
    n_fake = equal_count([one.count(config.samples) for arm in planned for one in arm.candidates])
    n_real = equal_count(
        [min(len(split.reference_files), config.max_reference) for split in splits]
    )
    opened: dict[DataSplit, tuple[RealImages, MeasuredReal]] = {}
    arms = []
    for index, (arm, split) in enumerate(zip(planned, splits, strict=True)):
        if split not in opened:
            images = open_real_images(
                split,
                extractor,
                config,
                n_reference=n_real or config.max_reference,
                say=say,
                second=instruments.second,
            )
            opened[split] = (
                images,
                measure_real(
                    images,
                    everything,
                    instruments,
                    config,
                    n_fake=n_fake or config.samples,
                    say=say,
                ),
            )
        images, real = opened[split]
        measured = [
            measure_run(
                one,
                images,
                everything,
                instruments,
                config,
                n_fake=one.count(n_fake or config.samples),
                say=say,
            )
            for one in arm.candidates
        ]
        arms.append(_arm(arm, measured, real))
        if split not in splits[index + 1 :]:  # arms on the same images share them; others need room
            del opened[split], images
    return Comparison(
        arms=tuple(arms),
        quantities=everything,
        config=config,
        extractor=extractor.name,
        judge=instruments.judge,
        n_fake=n_fake or config.samples,
        n_real=n_real,
    )


def equal_count(counts: Sequence[int]) -> int | None:
    """How many images to measure in every arm: most measures depend on the count.

    Args:
        counts: How many each of them has.

    Returns:
        The smallest count that is large enough to measure on; None where there is none. An arm with
        fewer takes nothing from the others.
    """
    return min((count for count in counts if count >= MIN_PICTURES), default=None)


def _second(device: str, cache: Path | None) -> tuple[Extractor | None, str]:
    """The second network, or why there is none: the rest can be measured without."""
    try:
        return open_second(device=device, cache=cache), ""
    except MissingPackage as error:
        return None, str(error)


def _keep(finder: FaceFinder | None, cache: Path | None) -> Extractor | None:
    if finder is None:
        return None
    found = FoundFaces(finder)
    return found if cache is None else CachedExtractor(found, cache)


def _arm(planned: PlannedArm, runs: Sequence[MeasuredRun], real: MeasuredReal) -> Arm:
    several = len(runs) > 1
    notes = [
        f"{run.candidate.name}: {note}" if several else note
        for run in runs
        for note in (*copying_note(run), *run.candidate.notes)
    ]
    return Arm(
        label=planned.label,
        runs=tuple(runs),
        real=real,
        # what all runs of an arm share is said once
        notes=(*planned.notes, *dict.fromkeys(notes)),
    )
