"""Fixtures that several test files share."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The drawn album of `tests.drawing`; to be read only."""
    from tests.drawing import draw_album  # needs OpenCV, which tests of training do not

    folder = tmp_path_factory.mktemp("drawn") / "album"
    draw_album(folder)
    return folder


@pytest.fixture(scope="session")
def photos() -> Path:
    """The folder of labelled photos beside the checkout; its README says what may be measured."""
    folder = ROOT.parent / "shared" / "photos"
    if not folder.is_dir():
        pytest.skip(f"needs the folder of labelled photos beside the checkout: {folder}")
    return folder
