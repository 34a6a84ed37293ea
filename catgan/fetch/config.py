"""What `fetch` can be told."""

import dataclasses
import re
from typing import Annotated

from catgan.core.settings import Option, check_most, require

MOST = {"max_gigabytes": 10_000.0}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FetchConfig:
    """The settings of `fetch`."""

    sha256: Annotated[
        str,
        Option(
            "SHA-256 that the archive must have, 64 hexadecimal digits.",
            default="not checked; an album has its publisher's checksum",
            metavar="HEX",
        ),
    ] = ""
    max_gigabytes: Annotated[
        float, Option("Refuse what is larger, packed or unpacked, in gigabytes.")
    ] = 20.0

    def __post_init__(self) -> None:
        """Check every setting.

        Raises:
            BadSettings: One lies outside what it may be.
        """
        require(
            not self.sha256 or re.fullmatch(r"[0-9a-fA-F]{64}", self.sha256) is not None,
            f"--sha256 is {self.sha256}; it must be 64 hexadecimal digits.",
        )
        require(
            self.max_gigabytes > 0,
            f"--max-gigabytes is {self.max_gigabytes:g}; it must be above 0.",
        )
        check_most(self, MOST)

    @property
    def most_bytes(self) -> int:
        """The limit in bytes."""
        return int(self.max_gigabytes * 1e9)
