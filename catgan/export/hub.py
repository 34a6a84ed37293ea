"""The Hugging Face Hub: the files of an export to a model of somebody's own."""

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path

from catgan.core.errors import MissingPackage, PushFailed
from catgan.core.version import program

LOGIN = "hf auth login"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """Where the files are now."""

    repo: str
    """USER/NAME."""
    address: str
    """Of its page."""


def push(folder: Path, files: Sequence[str], repo: str, *, public: bool = False) -> Pushed:
    """Upload the files of an export, in one commit; the model is made where it is missing.

    Which server and whose account, huggingface_hub knows (HF_ENDPOINT, HF_TOKEN, `hf auth login`).

    Args:
        folder: Of the export.
        files: Names in it; nothing else is uploaded.
        repo: USER/NAME.
        public: Whether a new model is for everybody to see; one that is there stays as it is.

    Raises:
        MissingPackage: huggingface_hub is not there.
        PushFailed: The server cannot be reached, or refuses; what was there before stays.
    """
    try:
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")  # read when it is imported
        from huggingface_hub import CommitOperationAdd, HfApi, get_token
        from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError
    except ImportError as error:
        raise MissingPackage(
            f"--push needs a package that is not there ({error}): pip install huggingface_hub"
        ) from error
    if get_token() is None:
        raise PushFailed(f"You are not logged in to the Hub; do that first: {LOGIN}")
    hub = HfApi(library_name="catgan")
    operations = [
        CommitOperationAdd(path_in_repo=file, path_or_fileobj=folder / file) for file in files
    ]
    try:
        hub.create_repo(repo, private=not public, exist_ok=True)
        commit = hub.create_commit(repo, operations, commit_message=f"Written by {program()}")
    except LocalTokenNotFoundError as error:
        raise PushFailed(f"You are not logged in to the Hub; do that first: {LOGIN}") from error
    except HfHubHTTPError as error:
        raise PushFailed(_refused(repo, error.response.status_code)) from error
    except Exception as error:  # of whatever library it speaks to the server with
        raise PushFailed(
            f"The Hub at {hub.endpoint} cannot be reached ({type(error).__name__}); nothing was "
            "uploaded. Check the network, and rerun the same command."
        ) from error
    return Pushed(repo=repo, address=commit.repo_url.url)


def _refused(repo: str, code: int) -> str:
    why = {
        401: f"does not know you; log in with a token that may write: {LOGIN}",
        403: f"does not let you write to {repo}; use a token that may write, or your own USER/NAME",
        404: f"has no place for {repo}; check USER/NAME",
    }.get(code, f"refused to take {repo} (status {code}); try again later")
    return f"The Hub {why}. Nothing was uploaded."
