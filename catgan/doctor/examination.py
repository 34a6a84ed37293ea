"""All checks together."""

import dataclasses
import importlib
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, metadata, requires
from typing import Any

from catgan.core.version import __version__
from catgan.doctor import checks
from catgan.doctor.checks import Check, Importer, State

UPDATE = "try --device cpu with the other commands, and update the driver or PyTorch"

Probe = Callable[[], Iterator[Check]]
"""Looks at the device, which is the business of `train`; may raise whatever it likes."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What was found."""

    checks: tuple[Check, ...]
    """One after the other."""

    @property
    def works(self) -> bool:
        """Whether nothing stops the work."""
        return all(check.state != State.STOPS for check in self.checks)

    def to_json(self) -> dict[str, Any]:
        """For a bug report."""
        return {
            "catgan": __version__,
            "works": self.works,
            "checks": [dataclasses.asdict(check) for check in self.checks],
        }


def examine(probe: Probe, *, load: Importer = importlib.import_module) -> Examination:
    """Look at everything.

    Args:
        probe: Looks at the device.
        load: Imports a module.
    """
    return Examination(checks=tuple(_checks(probe, load)))


def _checks(probe: Probe, load: Importer) -> Iterator[Check]:
    yield checks.check_python()
    yield checks.check_system()
    try:
        needed, extras = requires("catgan") or [], metadata("catgan").get_all("Provides-Extra", [])
    except PackageNotFoundError:
        yield Check(
            name="catgan",
            found="not installed, only run from its folder",
            state=State.NOTE,
            fix="pip install -e .",
        )
        needed, extras = [], []
    packages = list(checks.check_packages(needed, load=load))
    yield from packages
    yield checks.check_opencv(load=load)
    broken = {check.name for check in packages if check.state == State.STOPS}
    if "torch" in broken:
        yield Check(name="device", found="unknown, as PyTorch cannot be used", state=State.NOTE)
    else:
        yield from _surely("device", probe, State.STOPS, fix=UPDATE)
    yield from _surely("fonts", lambda: iter([checks.check_fonts()]))
    yield from checks.check_extras(needed, extras)
    yield from _surely("disks", checks.check_places)
    yield checks.check_variables()


def _surely(name: str, look: Probe, state: State = State.NOTE, *, fix: str = "") -> Iterator[Check]:
    """What a check finds, or that it could not look: a doctor survives what packages do.

    Args:
        name: Of the check.
        look: Looks.
        state: How it stands where looking fails.
        fix: What to do then.
    """
    try:
        yield from look()
    except Exception as error:  # of drivers, of libraries that are missing or broken
        why = str(error).strip().splitlines()
        found = f"{type(error).__name__}: {why[0] if why else 'no reason given'}"
        yield Check(name=name, found=f"cannot be looked at ({found})", state=state, fix=fix)
