"""`compare` from end to end: names of runs to a comparison."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

from catgan.compare.arm import Arm
from catgan.compare.comparison import Comparison
from catgan.compare.config import CompareConfig
from catgan.compare.gallery import Gallery, open_gallery
from catgan.compare.measured import Eyes, Measured, measure_run, samples_of
from catgan.compare.plan import Group, plan_groups
from catgan.compare.real import Real, measure_real
from catgan.compare.reals import Reals
from catgan.measure import (
    MIN_PICTURES,
    CachedExtractor,
    Extractor,
    FaceFinder,
    FoundFaces,
    judge_of,
    open_extractor,
)
from catgan.model.device import pick_device

NO_FINDER = "no face finder was handed in"
NOT_ASKED = "--faces is 0"


def compare_runs(
    names: Sequence[str],
    config: CompareConfig | None = None,
    *,
    runs: Path = Path("runs"),
    extractor: Extractor | None = None,
    finder: FaceFinder | None = None,
    why_no_finder: str = NO_FINDER,
    cache: Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> Comparison:
    """Measure runs against pictures held out of their training, all in the same way.

    Everything that can be wrong with a name, a folder or a file is found before the first picture
    is looked at, except for a picture or checkpoint that is broken inside.

    Args:
        names: Names of runs under `runs`, or paths of run folders; what the names of several runs
            share, which are then one arm (`face-crop` for `face-crop-s0`, `face-crop-s1`); or
            folders of pictures, which are taken for samples.
        config: Settings.
        runs: The folder of runs.
        extractor: Looks at the pictures, instead of the net that the settings name.
        finder: Says in which pictures there is a face; None to look for none.
        why_no_finder: Why there is none, in a few words, for the table.
        cache: Folder to keep features in; None keeps none.
        progress: Told what is being done, a few words at a time.

    Raises:
        BadUsage: Nothing was named, or one run twice; or it is not said what a folder of pictures
            is to be measured against.
        UnknownRun: One is none; lists those there are.
        CheckpointRefused: One has no checkpoint yet, or a broken one.
        NoPictures: The pictures that one was trained on are gone.
        UnreadablePhoto: One of them is broken.
        BadSettings: There is no such device.
        MissingPackage: The net that looks at the pictures cannot be loaded.
    """
    config = config or CompareConfig()
    say = progress or (lambda words: None)
    groups = plan_groups(names, runs, against=config.against, apart=config.apart)
    config = dataclasses.replace(config, device=pick_device(config.device))
    if extractor is None:
        say("loading the net that looks at the pictures")
        extractor = open_extractor(
            config.features, weights=config.weights, device=config.device, cache=cache
        )
    if finder is not None and config.faces == 0:
        finder, why_no_finder = None, NOT_ASKED
    eyes = Eyes(extractor=extractor, faces=_keep(finder, cache))
    n_fake = equal_count(
        [samples_of(source, config.samples) for group in groups for source in group.sources]
    )
    n_real = equal_count(
        [min(len(_reals(group).reference_files), config.max_reference) for group in groups]
    )
    galleries: dict[object, tuple[Gallery, Real]] = {}
    keys = [_reals(group) for group in groups]
    arms = []
    for index, (group, key) in enumerate(zip(groups, keys, strict=True)):
        if key not in galleries:
            gallery = open_gallery(
                key,
                extractor,
                seed=config.seed,
                max_training=config.max_training,
                max_reference=n_real or config.max_reference,
                progress=say,
            )
            real = measure_real(
                gallery,
                config,
                eyes,
                n_fake=n_fake or config.samples,
                arms=len(groups),
                progress=say,
            )
            galleries[key] = gallery, real
        gallery, real = galleries[key]
        measured = tuple(
            measure_run(
                source,
                gallery,
                config,
                eyes,
                n_fake=samples_of(source, n_fake or config.samples),
                arms=len(groups),
                with_album=place == 0,
                progress=say,
            )
            for place, source in enumerate(group.sources)
        )
        arms.append(_arm(group, measured, real))
        if key not in keys[index + 1 :]:  # arms on the same pictures share them; others need room
            del galleries[key]
    return Comparison(
        arms=tuple(arms),
        config=config,
        extractor=extractor.name,
        judge=judge_of(extractor),
        n_fake=n_fake or config.samples,
        n_real=n_real,
        why_no_faces="" if eyes.faces is not None else why_no_finder,
    )


def equal_count(counts: Sequence[int]) -> int | None:
    """How many pictures to measure in every arm: most measures depend on the count.

    Args:
        counts: How many each of them has.

    Returns:
        The smallest count that is large enough to measure on; None where there is none. An arm with
        fewer takes nothing from the others.
    """
    return min((count for count in counts if count >= MIN_PICTURES), default=None)


def _keep(finder: FaceFinder | None, cache: Path | None) -> Extractor | None:
    if finder is None:
        return None
    found = FoundFaces(finder)
    return found if cache is None else CachedExtractor(found, cache)


def _reals(group: Group) -> Reals:
    return group.sources[0].reals


def _arm(group: Group, measured: tuple[Measured, ...], real: Real) -> Arm:
    several = len(group.sources) > 1
    notes = [
        f"{source.name}: {note}" if several else note
        for source in group.sources
        for note in source.notes
    ]
    return Arm(
        label=group.label,
        runs=measured,
        real=real,
        # what all runs of an arm share is said once
        notes=(*group.notes, *dict.fromkeys(notes)),
    )
