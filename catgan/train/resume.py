"""Which settings a run is trained with, and whether the one on disk may be carried on."""

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from catgan.core import words
from catgan.core.errors import (
    BadRecord,
    BadSettings,
    CheckpointRefused,
    FolderRefused,
    SettingsDiffer,
)
from catgan.core.files import LOCK, Json, locked, partial_of
from catgan.core.names import printable
from catgan.core.settings import Change, changes, flag_of, to_json
from catgan.formats.records import from_json
from catgan.formats.runs import CONFIG, DataRecord, Run, RunConfig
from catgan.model.checkpoint import State, load_checkpoint
from catgan.train.config import (
    AUTO,
    DEFAULT_RECIPE,
    FREE,
    MACHINE,
    TrainConfig,
    default_recipe,
    fitting_batch,
)
from catgan.train.data import RunData
from catgan.train.opening import OpenNetworks, open_start

EARLIER: Json = {
    "recipe": "article", "epochs": 400, "batch_size": 4, "size": 64, "latent_dim": 100,
    "ngf": 64, "ndf": 64, "upsample": "transposed", "skip": False, "discriminator": "pixels",
    "lr_g": 2e-4, "lr_d": 2e-4, "beta1": 0.5, "beta2": 0.999,
    "norm": "batch", "start_d": "dcgan", "start_from": "", "r1": 0.0, "r1_every": 8,
    "flip": False, "augment": "", "average_kimg": 0.0, "precision": "float32", "graphs": "auto",
    "held_out": -1, "seed": 0, "evaluate_every": -1, "evaluate_samples": 500,
    "stop_when_lost": False, "sample_every": 5, "checkpoint_minutes": 1.0, "device": "auto",
}  # fmt: skip
"""What runs did before there was a setting, which they therefore have not on record. No recipe and
no default of today has a say in it; a new setting gets the value here that changes nothing."""


def settle(
    run: Run,
    named: Mapping[str, Any],
    open_networks: OpenNetworks = open_start,
    *,
    images: int | None = None,
) -> TrainConfig:
    """The settings of a run: those named, and for all others its own, or those of a recipe.

    A run that is there keeps what it began with, whatever the defaults and its recipe are by now;
    named settings that change nothing of what an epoch brings win all the same. A new run follows
    the recipe named, or the one of the networks that it starts from, whose shape it then has, or
    the default one for so many images.

    Args:
        run: The run, there or not.
        named: Fields of `TrainConfig` that a person named, and their values.
        open_networks: Finds what `start_from` names.
        images: Of the data set, those held out among them; None where that is not known.

    Raises:
        BadSettings: A setting lies outside what it may be.
        SettingsDiffer: A named setting is another one than the run's.
        FolderRefused, BadRecord, CheckpointRefused: The folder holds something else, or a run that
            is damaged or of another version.
        NoSuchFolder, MissingPackage: See `open_start`.
    """
    record = read_run(run)
    if record is None:
        return _new(named, open_networks, images)
    own = recorded_settings(record.settings, run.config)
    fixed = {name: value for name, value in named.items() if name not in FREE - {"recipe"}}
    _refuse(run, changes({name: getattr(own, name) for name in fixed}, fixed))
    machine = {name: getattr(TrainConfig(), name) for name in MACHINE}
    return dataclasses.replace(own, **machine | dict(named))


def _new(named: Mapping[str, Any], open_networks: OpenNetworks, images: int | None) -> TrainConfig:
    """The settings of a new run; see `settle`."""
    others = {name: value for name, value in named.items() if name != "recipe"}
    recipe, shape = DEFAULT_RECIPE, {}
    if images is not None:
        held_out = TrainConfig(held_out=named.get("held_out", AUTO)).held_out_of(images)
        images -= held_out
        recipe = default_recipe(images)
    if named.get("start_from"):
        networks = open_networks(named["start_from"])
        recipe, shape = networks.recipe, networks.shape
    config = TrainConfig.of_recipe(named.get("recipe", recipe), **shape | others)
    if images is not None and "recipe" not in named and "batch_size" not in named:
        return dataclasses.replace(config, batch_size=fitting_batch(config.batch_size, images))
    return config


def read_run(run: Run) -> RunConfig | None:
    """What `config.json` says of a run, or None where there is no run yet.

    Raises:
        FolderRefused: The folder holds something else.
        BadRecord: The run is damaged, or another version's.
    """
    record = run.read_config()
    if record is None and run.folder.exists() and not _is_untouched(run):
        raise FolderRefused(
            f"{run.folder} exists already, but is not a run of catgan (it has no {CONFIG}); "
            "use another --name."
        )
    return record


def recorded_settings(settings: Json, where: object) -> TrainConfig:
    """The settings that a run or a checkpoint was made with.

    Those that came into being later are as in `EARLIER`, whatever the defaults are by now.

    Args:
        settings: As recorded.
        where: The file.

    Raises:
        BadRecord: One is of another type than it may be, or out of its range.
        CheckpointRefused: One is unknown here.
    """
    known = {field.name for field in dataclasses.fields(TrainConfig)}
    settings = EARLIER | settings
    if isinstance(graphs := settings.get("graphs"), bool):  # as it was before it could be `auto`
        settings = settings | {"graphs": "on" if graphs else "off"}
    if unknown := settings.keys() - known:
        raise CheckpointRefused(
            f"{where} has a setting that this version of catgan does not know "
            f"({sorted(unknown)[0]}); use a newer one."
        )
    try:
        return from_json(settings, TrainConfig, str(where))
    except BadSettings as error:  # said of flags, which nobody gave
        raise BadRecord(
            f"{where} holds a setting that cannot be ({str(error).rstrip('.')}); "
            "put the file back as it was, or train the run anew."
        ) from error


def check_settings(run: Run, config: TrainConfig) -> RunConfig | None:
    """What `config.json` says of a run that may be carried on as far as its settings tell.

    It asks neither for its images nor for its checkpoint, so it is quick; see `check_run`.

    Returns:
        None where there is no run of this name yet.

    Raises:
        SettingsDiffer: A run under other settings has this name.
        FolderRefused, BadRecord, CheckpointRefused: See `settle`.
    """
    record = read_run(run)
    if record is not None:
        _refuse(run, _changed(recorded_settings(record.settings, run.config), config))
    return record


def check_run(run: Run, config: TrainConfig, data: RunData) -> State | None:
    """What a run of this name has come to, if it may be carried on; changes nothing.

    Returns:
        Its last checkpoint, or None where there is none yet.

    Raises:
        SettingsDiffer: A run under other settings or on other images has this name.
        FolderRefused, BadRecord: See `settle`.
        CheckpointRefused: Its checkpoint is broken, of another version or of another run.
    """
    record = check_settings(run, config)
    if record is None:
        return None
    if record.data.digest != data.record.digest:
        raise SettingsDiffer(
            f"{run.folder} was trained on other images than {data.record.folder} holds now "
            f"({record.data.folder}, {_counts(record.data)}; now {_counts(data.record)}). "
            f"Use --name tries for a run on the new ones; with --start-from {run.folder} it begins "
            "with what this one has learned."
        )
    if tuple(map(printable, record.data.held_out)) != tuple(map(printable, data.record.held_out)):
        raise SettingsDiffer(
            f"{run.folder} was trained with other images of {data.record.folder} held out than "
            "would be now (which belong together has changed). Use --name tries for a new run."
        )
    if not run.last.exists():
        if record.slim:
            raise CheckpointRefused(
                f"{run.folder} was made slim (catgan runs --slim), so it cannot be trained "
                f"further. Use --name tries for another run; with --start-from {run.folder} it "
                "begins with what this one has learned."
            )
        return None
    state = load_checkpoint(run.last)
    if state["data_digest"] != data.record.digest:
        raise CheckpointRefused(
            f"{run.last} belongs to other images than this run's; remove it to train the run "
            "anew, or use another --name."
        )
    if changed := _changed(recorded_settings(state["settings"], run.last), config):
        raise CheckpointRefused(
            f"{run.last} belongs to a run with different settings ({_listed(changed)}); "
            "remove it to train the run anew, or use another --name."
        )
    return state


def mark_finished(run: Run, config: TrainConfig) -> None:
    """Say in `config.json` that a run is over, and under which settings it is so.

    A kill may come between its last epoch and that; or fewer epochs are asked for by now.

    Raises:
        FolderRefused: There is something to say, but another process is training the run.
    """
    if _over(run, config) is None:
        return
    with locked(run.folder):
        over = _over(run, config)
        if over is not None:
            run.write_config(over)


def _over(run: Run, config: TrainConfig) -> RunConfig | None:
    """What `config.json` is to say of a run that is over; None where it does."""
    record = run.read_config()
    if record is None:
        return None
    own = recorded_settings(record.settings, run.config)
    free = {
        name: value
        for name in sorted(FREE - MACHINE)
        if (value := getattr(config, name)) != getattr(own, name)
    }
    if record.finished and not free:
        return None
    return dataclasses.replace(record, finished=True, settings=record.settings | free)


Stamp = tuple[int, int, int] | None
"""What tells one checkpoint file from the next; None where there is none."""


def stamp_of(run: Run) -> Stamp:
    """The stamp of a run's last checkpoint, to be taken before it is read; see `locked_at`."""
    try:
        found = run.last.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


@contextmanager
def locked_at(run: Run, stamp: Stamp) -> Iterator[None]:
    """Keep a second catgan out of a run while the block runs, if none has gone on with it.

    Args:
        run: The run.
        stamp: Of the checkpoint that this process goes on from.

    Raises:
        FolderRefused: Another process is training it, or has until now.
    """
    with locked(run.folder):
        if stamp_of(run) != stamp:
            raise FolderRefused(
                f"Another catgan has trained {run.folder} meanwhile; rerun the same command to go "
                "on from there."
            )
        yield


def _changed(own: TrainConfig, config: TrainConfig) -> list[Change]:
    return changes(to_json(own), to_json(config), ignore=FREE)


def _refuse(run: Run, changed: list[Change]) -> None:
    if changed:
        raise SettingsDiffer(
            f"{run.folder} was started with different settings ({_listed(changed)}). "
            "Use those settings, or --name tries for a run beside it; nothing is deleted."
        )


def _listed(changed: list[Change]) -> str:
    return "; ".join(
        f"{flag_of(change.name)[2:]} {words.setting(change.then)}, now {words.setting(change.now)}"
        for change in changed
    )


def _is_untouched(run: Run) -> bool:
    """Whether a folder holds nothing but what a first start leaves that was killed at once."""
    leftovers = {LOCK, partial_of(run.config).name}
    return run.folder.is_dir() and all(path.name in leftovers for path in run.folder.iterdir())


def _counts(data: DataRecord) -> str:
    return f"{data.train} to train on and {len(data.held_out)} held out"
