"""TensorBoard's file of a run, written where it is asked for.

PyTorch's `SummaryWriter` writes in a thread of its own, in which a full disk is a traceback that
nobody can catch.
"""

import os
import socket
import time
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter
from torch.utils.tensorboard.summary import image, scalar

from catgan.core.pictures import Picture


class EventFile:
    """An event file that is added to."""

    def __init__(self, folder: Path, *, done: int) -> None:
        """Begin a new file in a run's folder.

        Args:
            folder: TensorBoard's, made already.
            done: Complete epochs; what older files have of later ones is not to be shown.

        Raises:
            OSError: It cannot be written.
        """
        name = f"events.out.tfevents.{time.time():010.0f}.{socket.gethostname()}.{os.getpid()}"
        # unbuffered: nothing is left to be written when it is closed
        self._file = (folder / name).open("ab", buffering=0)
        self._records = RecordWriter(self._file)
        self._write(Event(file_version="brain.Event:2"))
        self._write(Event(session_log=SessionLog(status=SessionLog.START), step=done + 1))

    def add(self, epoch: int, figures: dict[str, float], grid: Picture | None) -> None:
        """Add an epoch.

        Args:
            epoch: Which.
            figures: By name.
            grid: (H, W, 3) uint8; None for none.

        Raises:
            OSError: It cannot be written.
        """
        # one record for all: a record takes longer than an epoch of few images on a GPU
        parts = [scalar(name, value) for name, value in figures.items()]  # type: ignore[no-untyped-call]
        if grid is not None:
            parts.append(image("samples", grid, dataformats="HWC"))  # type: ignore[no-untyped-call]
        values = [value for part in parts for value in part.value]
        self._write(Event(summary=Summary(value=values), step=epoch))

    def close(self) -> None:
        """Let the file go."""
        self._file.close()

    def _write(self, event: Event) -> None:
        event.wall_time = time.time()
        self._records.write(event.SerializeToString())
