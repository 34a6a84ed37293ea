"""The program: `catgan`, and `python -m catgan`."""

import os
import signal
from types import FrameType
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line; Ctrl-C while Python is still importing ends it quietly."""
    signal.signal(signal.SIGINT, _leave)  # nothing is under way yet
    from catgan.cli import main as run

    try:
        run()
    finally:
        # What is left is the end of Python itself, in which a signal has its default effect.
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _leave(_: int, __: FrameType | None) -> NoReturn:
    os.write(2, b"catgan: Interrupted.\n")
    os._exit(130)


if __name__ == "__main__":
    main()
