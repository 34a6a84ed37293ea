"""`compare` from end to end: names of runs to a comparison."""

from collections.abc import Callable, Sequence
from pathlib import Path

from catgan.compare.arm import equal_reference, measure_arm
from catgan.compare.config import CompareConfig
from catgan.compare.gallery import Gallery, open_gallery
from catgan.compare.source import open_sources
from catgan.compare.summary import Comparison
from catgan.measure import EfficientNetLite0, Extractor


def compare_runs(
    names: Sequence[str],
    config: CompareConfig | None = None,
    *,
    runs: Path = Path("runs"),
    extractor: Extractor | None = None,
    progress: Callable[[str], None] | None = None,
) -> Comparison:
    """Measure runs against pictures held out of their training, all in the same way.

    Everything that can be wrong with a name, a folder or a file is found before the first picture
    is looked at, except for a picture or checkpoint that is broken inside.

    Args:
        names: Names of runs under `runs`, or paths of run folders.
        config: Settings.
        runs: The folder of runs.
        extractor: Looks at the pictures, instead of the net that comes with catgan.
        progress: Told what is being done, a few words at a time.

    Raises:
        BadUsage: No run was named, or one twice.
        UnknownRun: One is none; lists those there are.
        CheckpointRefused: One has no checkpoint yet, or a broken one.
        NoPictures: The pictures that one was trained on are gone.
        UnreadablePhoto: One of them is broken.
        MissingPackage: The net that comes with catgan cannot be loaded.
    """
    config = config or CompareConfig()
    say = progress or (lambda words: None)
    sources = open_sources(names, runs)
    if extractor is None:
        say("loading the net that looks at the pictures")
        extractor = EfficientNetLite0(device=config.device)
    n_real = equal_reference(
        [min(len(source.reference_files), config.max_reference) for source in sources]
    )
    galleries: dict[object, Gallery] = {}
    keys = [(source.yardstick, source.train, source.size) for source in sources]
    arms = []
    for index, (source, key) in enumerate(zip(sources, keys, strict=True)):
        if key not in galleries:
            galleries[key] = open_gallery(
                source,
                extractor,
                seed=config.seed,
                max_training=config.max_training,
                max_reference=config.max_reference,
                progress=say,
            )
        arms.append(
            measure_arm(
                source,
                galleries[key],
                config,
                extractor,
                n_real=n_real,
                arms=len(sources),
                progress=say,
            )
        )
        if key not in keys[index + 1 :]:  # runs on the same pictures share them; others need room
            del galleries[key]
    return Comparison(arms=tuple(arms), config=config, extractor=extractor.name, n_real=n_real)
