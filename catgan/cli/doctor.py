"""`catgan doctor`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from catgan.cli.options import ConfigOption, JsonOption
from catgan.core.version import program
from catgan.core.words import count

if TYPE_CHECKING:
    from catgan.doctor.checks import Check


def doctor(
    speed: Annotated[
        bool, typer.Option("--speed/--no-speed", help="Train for a few seconds to see how fast.")
    ] = True,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Check that this machine has what catgan needs.

    Looks at Python, the packages, the device that training would use and its speed, extras, fonts,
    disks and the cache. Exit status 1 if something stops the work. Attach the output of --json to a
    bug report: it names no folder in your home.
    """
    from catgan.console import Screen
    from catgan.core.threads import wait_politely
    from catgan.doctor.checks import State
    from catgan.doctor.examination import examine

    wait_politely()  # before PyTorch is loaded
    screen = Screen(as_json=json)
    with screen.progress("Examining this machine"):
        found = examine(lambda: _device(speed=speed))
    screen.table(
        program(),
        ("what", "state", "found"),
        [(check.name, check.state, check.found) for check in found.checks],
    )
    for state, words in ((State.STOPS, "This stops the work"), (State.NOTE, "Worth knowing")):
        for check in found.checks:
            if check.state == state:
                fix = f" To fix it: {check.fix}" if check.fix else ""
                screen.say(f"{words}: {check.name}: {check.found}.{fix}")
    wrong = sum(check.state == State.STOPS for check in found.checks)
    screen.say(f"{count(wrong, 'problem')} to fix." if wrong else "Everything needed is there.")
    screen.result(found.to_json())
    if not found.works:
        raise typer.Exit(1)


def _device(*, speed: bool) -> "Iterator[Check]":
    """What `auto` chooses here, and how fast training is on it."""
    import torch

    from catgan.doctor.checks import Check, check_speed
    from catgan.model.device import pick_device, product_speed
    from catgan.train.config import TrainConfig
    from catgan.train.device import describe_device, pick_computing
    from catgan.train.outlook import look_ahead, probe_speed

    settings = TrainConfig()
    chosen = pick_device(settings.device)
    device = describe_device(chosen, pick_computing(settings, chosen))
    how = f"{device.computing.precision}{', CUDA graphs' if device.computing.graphs else ''}"
    threads = f", {count(device.threads, 'thread')}" if device.kind == "cpu" else ""
    yield Check(name="device", found=f"auto is {device.kind} ({device.name}{threads}, {how})")
    cuda = torch.version.cuda
    yield Check(name="PyTorch's build", found=f"for CUDA {cuda}" if cuda else "without CUDA")
    if not speed:
        return
    rate = probe_speed(settings)
    if rate is None:  # a training comes to speed only once its steps are recorded
        teraflops = product_speed(chosen, device.computing.precision) / 1e12
        found = f"{teraflops:.0f} TFLOP/s (products of matrices, {device.computing.precision})"
        yield Check(name="speed", found=found)
        return
    needed = look_ahead(settings, 1).half
    assert needed is not None  # of the default recipe
    what = f"recipe {settings.recipe}, {settings.size} x {settings.size} pixels"
    yield check_speed(rate, needed=needed, what=f"{what}, batch {settings.batch_size}")
