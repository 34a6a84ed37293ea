"""Whether a worker on another machine can do its share: it sees the same folders, with the same
programs."""

import dataclasses
import functools
import os
import platform
import secrets
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib import metadata
from pathlib import Path

from catgan.core.errors import CatganError, WorkerUnfit
from catgan.core.files import write_text
from catgan.core.remote import Remote
from catgan.core.version import __version__
from catgan.curate.find import PhotoFile
from catgan.curate.folder import METHOD
from catgan.curate.selection import MEETING, check_wanted, meeting_of

# What a picture or a verdict depends on to the last bit, and what reads kinds of photos.
PACKAGES = (
    "numpy",
    "pillow",
    "opencv-python",
    "simplejpeg",
    "onnxruntime",
    "pillow-heif",
    "av",
)
PATIENCE = 10.0  # seconds until a network drive shows what another machine has just written
PAUSE = 0.5  # seconds between two looks
ADVICE = "stop that worker, and rerun the same command"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FolderSite:
    """What has to be so on a worker of a cluster; a `core.executors.Site`."""

    root: Path
    """The curated folder, absolute."""
    raw: Path | Remote
    """The folder of photos, absolute."""
    token: str
    """What stands in the curated folder for as long as somebody waits for the work."""
    versions: Mapping[str, str]
    """Program -> its version where the work comes from; "" where it is not installed."""

    def check_place(self) -> None:
        """That this machine has the programs and sees both folders.

        Raises:
            WorkerUnfit: It does not; names it.
        """
        for name, wanted in self.versions.items():
            found = versions()[name]
            if found != wanted:
                raise WorkerUnfit(
                    f"The worker on {_me()} {_difference(name, found, wanted)}: results would "
                    f"depend on which worker a photo came to. Install the same there, or {ADVICE}."
                )
        if isinstance(self.raw, Remote):
            try:
                self.raw.check()
            except CatganError as error:
                raise WorkerUnfit(
                    f"The worker on {_me()} cannot read the photos: {error}"
                ) from error
        elif not _holds_anything(self.raw):
            raise WorkerUnfit(
                f"The worker on {_me()} does not see the photos in {self.raw}; "
                f"mount that folder there under the same path, or {ADVICE}."
            )
        self._check_curated()

    def check(self, items: Sequence[PhotoFile]) -> None:
        """The same, and that one of these photos at least is there.

        Raises:
            WorkerUnfit: See `check_place`.
        """
        self.check_place()
        paths = [item.path for item in items if isinstance(item.path, Path) and item.seen]
        if len(paths) > 1 and not any(path.exists() for path in paths):
            raise WorkerUnfit(
                f"The worker on {_me()} sees a different folder {self.raw}, without "
                f"{paths[0].name}; mount the same one there, or {ADVICE}."
            )

    def check_wanted(self) -> None:
        """That whoever asked for the work still waits for it: else another one may be at it.

        Raises:
            WorkerUnfit: It has ended, or begun anew.
        """
        check_wanted(self.root, self.token)

    def _check_curated(self) -> None:
        """Network drives show other machines' files late: looked for more than once."""
        until = time.monotonic() + PATIENCE
        while (found := meeting_of(self.root)) != self.token:
            if time.monotonic() > until:
                what = "does not see" if found is None else "sees a different"
                raise WorkerUnfit(
                    f"The worker on {_me()} {what} {self.root}, where images are written. "
                    "It must be on a drive that all machines share under the same path: mount "
                    f"it there, or {ADVICE}."
                )
            time.sleep(PAUSE)
        if not os.access(self.root, os.W_OK | os.X_OK):
            raise WorkerUnfit(
                f"The worker on {_me()} may not write to {self.root}; give it permission, or "
                f"{ADVICE}."
            )


@contextmanager
def meeting(root: Path, raw: Path | Remote) -> Iterator[FolderSite]:
    """A site for the workers of a cluster, while the block runs.

    Args:
        root: The curated folder, which is there.
        raw: The folder of photos.
    """
    token = secrets.token_hex(16)
    place = root / MEETING
    write_text(place, token)
    try:
        yield FolderSite(
            root=root.absolute(),
            raw=raw.absolute() if isinstance(raw, Path) else raw,
            token=token,
            versions=versions(),
        )
    finally:
        with suppress(OSError):  # Windows, while a worker reads it; the next run removes it
            place.unlink()


@functools.cache
def versions() -> dict[str, str]:
    """What is installed here, of what the results depend on; "" for what is not."""
    found = {
        "Python": ".".join(platform.python_version_tuple()[:2]),
        "catgan": f"{__version__} (method {METHOD})",
    }
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = ""
    return found


def _difference(name: str, found: str, wanted: str) -> str:
    if not found:
        return f"does not have {name}, but this run uses {wanted}"
    return f"has {name} {found}, but this run {f'uses {wanted}' if wanted else 'does without'}"


def _me() -> str:
    return f"{socket.gethostname()} (process {os.getpid()})"


def _holds_anything(folder: Path) -> bool:
    """A drive that is not mounted leaves an empty folder, or none."""
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is not None
    except OSError:
        return False
