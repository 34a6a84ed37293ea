"""What in a folder of photos is passed over: counted by kind, and said with what to do."""

from collections.abc import Mapping
from enum import StrEnum

from catgan.core.words import count


class Unused(StrEnum):
    """Why something in a folder of photos is not looked at."""

    ICLOUD = "icloud"
    JPEG_XL = "jpeg-xl"
    JPEG_2000 = "jpeg-2000"
    VIDEO = "video"
    LIVE_PHOTO = "live-photo"
    UNOPENED = "unopened"
    LINKED_FOLDER = "linked-folder"
    DEAD_LINK = "dead-link"
    SYSTEM_FOLDER = "system-folder"


_WORDS = {
    Unused.ICLOUD: (
        "photo is still in iCloud and only a placeholder here",
        "photos are still in iCloud and only placeholders here",
        "download the folder in Finder, and rerun the same command",
    ),
    Unused.JPEG_XL: ("JPEG XL file", "JPEG XL files", "export as JPEG"),
    Unused.JPEG_2000: ("JPEG 2000 file", "JPEG 2000 files", "export as JPEG"),
    Unused.VIDEO: ("video", "videos", "pip install av adds frames of them"),
    Unused.LIVE_PHOTO: (
        "video of a Live Photo, whose photo is used",
        "videos of Live Photos, whose photos are used",
        "",
    ),
    Unused.UNOPENED: (
        "file could not be opened",
        "files could not be opened",
        "check the permissions",
    ),
    Unused.LINKED_FOLDER: (
        "link to a folder, which is not followed",
        "links to folders, which are not followed",
        "copy the photos, or curate that folder",
    ),
    Unused.DEAD_LINK: (
        "link to a file that is not there",
        "links to files that are not there",
        "remove or mend",
    ),
    Unused.SYSTEM_FOLDER: (
        "folder of the system (thumbnails, recycle bin)",
        "folders of the system (thumbnails, recycle bins)",
        "",
    ),
}


def sentences(unused: Mapping[Unused, int]) -> list[str]:
    """One line for each kind that there is: how many, and what to do."""
    lines = []
    for kind, (one, many, what_to_do) in _WORDS.items():
        if number := unused.get(kind, 0):
            line = f"Not used: {number:,} {one if number == 1 else many}"
            lines.append(f"{line}; {what_to_do}." if what_to_do else f"{line}.")
    return lines


def reasons(whys: Mapping[str, int], most: int = 3) -> str:
    """The commonest reasons and how many files have each: "the file is empty (2 files)"."""
    commonest = sorted(whys.items(), key=lambda one: (-one[1], one[0]))
    told = [f"{why} ({count(number, 'file')})" for why, number in commonest[:most]]
    return ", ".join(told) + (", ..." if len(commonest) > most else "")
