# ruff: noqa: N818 (named for what to do about them, not for being errors)
"""Every way catgan says no. Each class is named for what the caller can do about it.

The text of an error is one sentence for the person at the keyboard: what is wrong, where, and
what to do. The library raises; only the command line catches.
"""


class CatganError(Exception):
    """Something that could not be done; the command ends with exit status 1."""

    exit_code = 1


class BadUsage(CatganError):
    """A setting or argument that cannot mean anything; exit status 2."""

    exit_code = 2


class NoSuchFolder(BadUsage):
    """The folder named is missing, or is not a folder."""


class FolderRefused(CatganError):
    """The folder is somebody else's, or lies inside the other one: name a different one."""


class FileRefused(CatganError):
    """The file to be written is somebody else's: name a different one."""


class NoPictures(CatganError):
    """There is no image to work on: name another folder."""


class UnreadablePhoto(CatganError):
    """The file is not an image that can be read whole; `curate` turns this into a verdict."""


class FaceTooSmall(CatganError):
    """The crop would have to be enlarged; `curate` turns this into a verdict."""


class BadRecipe(BadUsage):
    """The cascade or recipe named is missing or is not one."""


class TooFewPictures(CatganError):
    """Too few images to train or to measure on: add some."""


class UnequalSizes(CatganError):
    """Images of a data set differ in size: curate them, or resize them."""


class BadSettings(BadUsage):
    """A setting lies outside what it may be: change it."""


class SettingsDiffer(CatganError):
    """A run of this name exists with other settings: use another name, or those settings."""


class TrainingLost(CatganError):
    """The losses are NaN or infinite: train anew with other settings."""


class RankLost(CatganError):
    """Another process of a training ended or does not answer: rerun the same command."""


class SaidElsewhere(CatganError):
    """Another process of a training has said what is wrong: nothing is left to be said."""

    def __init__(self, exit_code: int) -> None:
        """Without a sentence.

        Args:
            exit_code: Of what is wrong.
        """
        super().__init__("")
        self.exit_code = exit_code


class OutOfMemory(CatganError):
    """The GPU has too little memory for these settings: lower the batch size or the widths."""


class CheckpointRefused(CatganError):
    """The file is not a checkpoint that may be loaded here."""


class BadRecord(CatganError):
    """A file that catgan wrote holds something else by now: restore it, or make it anew."""


class UnknownRun(CatganError):
    """There is no run of that name: pick one of those listed."""


class ExportFailed(CatganError):
    """A format could not be written so that it holds what it should: leave it out."""


class PushFailed(CatganError):
    """The Hub cannot be reached, or does not let this person in: check what the sentence names."""


class DiskFull(CatganError):
    """No room left: free some and rerun the same command."""


class NotWritable(CatganError):
    """A file or folder may not be written to: change its permissions, or name another place."""


class MissingPackage(CatganError):
    """A package is missing or broken: install what the sentence names."""


class NotReached(CatganError):
    """A server cannot be reached: fix the connection and rerun the same command."""


class WorkerUnfit(CatganError):
    """A worker of the cluster cannot do the work: fix what the sentence names."""


class FetchRefused(CatganError):
    """What was to be fetched is missing, broken, too large or unsafe: name something else."""


class OutputLost(CatganError):
    """Standard output cannot be written: give it room, or another place."""


class Interrupted(BaseException):
    """Somebody pressed Ctrl-C: rerun the same command to resume.

    Not a `CatganError`, nor even an `Exception`: it comes at any moment, and nothing that handles
    a broken photo or file may take it for one.
    """

    exit_code = 130  # what shells report for it
