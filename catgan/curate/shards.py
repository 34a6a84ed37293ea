"""Parts of a folder of photos that are looked at by machines which know nothing of each other.

A photo belongs to a shard by a hash of its path alone. So it stays in it whatever is added or
removed, and no machine has to know what the others do; a place in the sorted list would shift with
every photo that is added. Each part is a curated folder without verdicts, in `shards/`; merging
moves its pictures and findings into the curated folder, and goes on as any run does.
"""

import dataclasses
import hashlib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from catgan.core.errors import BadUsage, FolderRefused
from catgan.core.files import locked
from catgan.core.names import name_bytes
from catgan.core.remote import Remote
from catgan.core.settings import changes
from catgan.core.systems import LITTER, command_line
from catgan.core.words import listed
from catgan.curate.config import AFTERWARDS
from catgan.curate.find import PhotoFile
from catgan.curate.finding import Finding
from catgan.curate.folder import LATER, MERGED, SHARDS, CuratedFolder
from catgan.formats.curated import read_note

MOST = 10_000  # shards of a folder
MOST_NAMED = 8  # of them in a sentence
_RETIRED = re.compile(re.escape(MERGED) + r"-\d{1,6}")
_PART = re.compile(r"(\d+)-of-(\d+)")


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Shard:
    """One part of a folder."""

    number: int
    """From 1 on."""
    count: int
    """How many there are."""

    @classmethod
    def of(cls, text: str) -> "Shard":
        """The shard that `3/16` names.

        Raises:
            BadUsage: It names none.
        """
        found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text, re.ASCII)
        if found is None or not 1 <= int(found[1]) <= int(found[2]) <= MOST:
            raise BadUsage(
                f"--shard is {text}; name a part and how many there are, such as 3/16 (at most "
                f"{MOST:,})."
            )
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        """As it is named on the command line."""
        return f"{self.number}/{self.count}"

    @property
    def folder(self) -> str:
        """What its folder is called."""
        return f"{self.number:0{len(str(self.count))}}-of-{self.count}"

    def holds(self, name: str) -> bool:
        """Whether a photo belongs to it.

        Args:
            name: The photo's path relative to the folder of photos, with forward slashes.
        """
        digest = hashlib.sha256(name_bytes(name)).digest()
        return int.from_bytes(digest[:8], "big") % self.count == self.number - 1


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts of a curated folder that are not merged yet."""

    main: CuratedFolder
    """The curated folder."""

    def folder(self, shard: Shard) -> CuratedFolder:
        """Where a part lies."""
        return dataclasses.replace(self.main, root=self.main.root / SHARDS / shard.folder)

    def there(self) -> list[Shard]:
        """The parts there are, finished or not, by number.

        Raises:
            FolderRefused: Something else lies among them.
        """
        folder = self.main.root / SHARDS
        if not folder.is_dir():
            return []
        shards = []
        for child in folder.iterdir():
            found = _PART.fullmatch(child.name)
            shard = None if found is None else Shard(int(found[1]), int(found[2]))
            if shard is None or shard.folder != child.name or not child.is_dir():
                if child.name in LITTER:
                    continue
                raise FolderRefused(
                    f"{child} was not made by catgan; move it away, and rerun the same command."
                )
            shards.append(shard)
        return sorted(shards)

    def check_count(self, shard: Shard) -> None:
        """Refuse a part of another division than those that are there.

        Raises:
            FolderRefused: They are of another number of parts.
        """
        other = next((one for one in self.there() if one.count != shard.count), None)
        if other is not None:
            raise FolderRefused(
                f"{self.main.root / SHARDS} holds parts of {other.count}, but --shard {shard} is "
                f"one of {shard.count}: some photos would be in two parts, others in none. "
                f"Use --shard N/{other.count}, or remove that folder to start again."
            )

    def missing(self, count: int) -> list[Shard]:
        """The parts that are not finished, by number."""
        shards = (Shard(number, count) for number in range(1, count + 1))
        return [shard for shard in shards if not self._is_finished(shard)]

    def _is_finished(self, shard: Shard) -> bool:
        note = read_note(self.folder(shard).root)
        return note is not None and note.finished

    def ready(self, raw: Path | Remote) -> list[Shard]:
        """All parts, if they can be merged; nothing is changed.

        Raises:
            BadUsage: There are none.
            FolderRefused: One is missing, not finished, or made with other settings; named.
        """
        shards = self.there()
        if not shards:
            if self._retired():  # killed while it cleared up
                return []
            line = command_line(
                ["catgan", "curate", str(raw), str(self.main.root), "--shard", "1/4"]
            )
            raise BadUsage(
                f"{self.main.root} holds no parts to merge; make them first, for example four: "
                f"{line}"
            )
        self.check_count(shards[0])
        for shard in shards:
            self._check_settings(shard)
        if missing := self.missing(shards[0].count):
            named = listed([str(shard) for shard in missing[:MOST_NAMED]])
            more = f" (and {len(missing) - MOST_NAMED:,} more)" if missing[MOST_NAMED:] else ""
            are = "is" if len(missing) == 1 else "are"
            raise FolderRefused(
                f"Of the {shards[0].count:,} parts in {self.main.root / SHARDS}, "
                f"{named}{more} {are} missing or not finished; run catgan curate with "
                "--shard for each, then rerun the same command. Nothing was changed."
            )
        return shards

    def _check_settings(self, shard: Shard) -> None:
        part = self.folder(shard)
        note = read_note(part.root)
        if note is None:
            return
        told = [
            str(change)
            for change in changes(LATER | note.settings, part.settings, ignore=AFTERWARDS)
        ]
        if not told and part.is_of_other_method():
            told = [f"catgan {note.catgan}, which looks at photos in another way"]
        if told:
            raise FolderRefused(
                f"Part {shard} was made with other settings ({listed(told)}). Merge with those, or "
                "make it again with these. Nothing was changed."
            )

    @contextmanager
    def held(self, shards: Collection[Shard]) -> Iterator[None]:
        """Keep others out of parts while the block runs.

        Raises:
            FolderRefused: Somebody is at work in one.
        """
        with ExitStack() as stack:
            for shard in shards:
                stack.enter_context(locked(self.folder(shard).root))
            yield

    def adopt(self, shards: Sequence[Shard]) -> dict[str, Finding]:
        """Move all that was found and drawn in parts into the main folder.

        Returns:
            What they found unreadable, by path; the rest is on record here, once and not twice.
        """
        unreadable: dict[str, Finding] = {}
        known = self.main.known() if shards else {}
        for shard in shards:
            found = self.main.adopt(self.folder(shard), known)
            unreadable |= {path: one for path, one in found.items() if not one.readable}
        return unreadable

    def retire(self) -> None:
        """Take the parts out of the way at once, when the main folder is finished.

        Killed while they are cleared away, what is left is not taken for parts of which some are
        missing.
        """
        number = 1 + max((int(one.name.rpartition("-")[2]) for one in self._retired()), default=0)
        with suppress(OSError):  # none there; or Windows, while they are held
            (self.main.root / SHARDS).rename(self.main.root / f"{MERGED}-{number}")

    def clear(self) -> None:
        """Clear away what `retire` took out of the way; what somebody else put there stays."""
        for retired in self._retired():
            for part in retired.iterdir():
                if _PART.fullmatch(part.name) and part.is_dir():
                    dataclasses.replace(self.main, root=part).clear()
                elif part.name in LITTER:
                    part.unlink(missing_ok=True)
            with suppress(OSError):
                retired.rmdir()

    def _retired(self) -> list[Path]:
        return [one for one in self.main.root.glob(f"{MERGED}-*") if _RETIRED.fullmatch(one.name)]


def still_unreadable(
    photos: Sequence[PhotoFile], unreadable: Mapping[str, Finding]
) -> dict[str, Finding]:
    """What parts found unreadable and has not changed since: a merge need not try it again."""
    found = {}
    for photo in photos:
        one = unreadable.get(photo.name)
        if one is None:
            continue
        if (one.bytes, one.modified) == (photo.bytes, photo.modified):
            found[photo.name] = one
    return found
