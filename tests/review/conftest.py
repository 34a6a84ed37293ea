"""A drawn album, curated, and its page served."""

import http.client
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from numpy.typing import NDArray

from catgan.core.pictures import Pictures
from catgan.curate.config import CurateConfig
from catgan.curate.pipeline import curate_photos
from catgan.curate.scissors import CurateScissors
from catgan.formats.decisions import NAME, Decision, read_decisions
from catgan.review.likeness import Likeness
from catgan.review.opening import open_curated
from catgan.review.pictures import PictureShelf
from tests.drawing import EyeDetector, Head, draw_photo, encode, write

HERE = CurateConfig(workers=1, duplicate_screen=True)
FACES = 24
EVIL = '<img src=x onerror=alert(1)>&".jpg'


def draw(raw: Path) -> None:
    """24 photos with a face, one of two, one of none, one twice; names that would be HTML."""
    rng = np.random.default_rng(0)
    for number in range(FACES):
        cx, cy, w = rng.uniform((110, 100, 84), (200, 140, 120))
        head = Head(cx=cx, cy=cy, w=w, roll=rng.uniform(-20, 20))
        write(raw / f"{number:02}.jpg", encode(draw_photo(320, 240, head, seed=number + 20)))
    two = Head(cx=110, cy=130, w=120), Head(cx=290, cy=130, w=90)
    write(raw / "two.jpg", encode(draw_photo(400, 260, *two, seed=12)))
    write(raw / "nobody.jpg", encode(draw_photo(320, 240, seed=4)))
    again = draw_photo(320, 240, Head(cx=150, cy=120, w=100), seed=1)
    write(raw / "burst 1.jpg", encode(again))
    write(raw / "burst 2.jpg", encode(again, quality=60))
    write(raw / "folder" / EVIL, encode(draw_photo(300, 240, Head(cx=150, cy=120, w=90), seed=77)))


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `raw` and `curated`; to be copied."""
    folder = tmp_path_factory.mktemp("review")
    try:
        draw(folder / "raw")
    except OSError:
        pytest.skip("this system has no such names")
    curate_photos(folder / "raw", folder / "curated", HERE, make_detector=EyeDetector())
    return folder


@pytest.fixture
def album(made: Path, tmp_path: Path) -> Path:
    """The same, to be changed."""
    for name in ("raw", "curated"):
        shutil.copytree(made / name, tmp_path / name)
    return tmp_path


def colours(pictures: Pictures) -> NDArray[np.float32]:
    """What stands in for a network's features."""
    small = pictures[:, ::16, ::16].reshape(len(pictures), -1)
    return np.asarray(small, dtype=np.float32)


@contextmanager
def reviewing(folder: Path) -> Iterator[str]:
    """The page of a folder, served; its address."""
    pytest.importorskip("starlette", reason="needs the extra: pip install 'catgan[review]'")
    pytest.importorskip("uvicorn", reason="needs the extra: pip install 'catgan[review]'")
    from catgan.review.server import Review
    from catgan.review.serving import served

    opened = open_curated(folder / "curated")
    scissors = CurateScissors(size=opened.size, margin=opened.margin)
    shelf = PictureShelf(folder / "curated", opened.raw, scissors)
    app = Review(opened.ledger, shelf, Likeness(colours), scissors, opened.raw).app()
    with served(app, host="127.0.0.1", port=0) as address:
        yield address


def decided(folder: Path) -> list[Decision]:
    """What is on the disk."""
    return read_decisions(folder / "curated" / NAME)


class Client:
    """Somebody who asks by HTTP, as a browser does."""

    def __init__(self, address: str, *, cookie: str | None = None) -> None:
        parts = urlsplit(address)
        assert parts.port is not None
        self.host, self.port = str(parts.hostname), parts.port
        self.cookie = cookie
        self.stamp = ""
        if cookie is None:
            status, headers, _ = self.ask("GET", f"/?{parts.query}")
            assert status == 200
            self.cookie = headers["set-cookie"].split(";")[0]

    def ask(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of an answer; a header of "" is left out."""
        own = {"Host": f"{self.host}:{self.port}"}
        if self.cookie:
            own["Cookie"] = self.cookie
        if method == "POST":
            own |= {"Origin": f"http://{self.host}:{self.port}"}
        own |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in own.items():
            if value:
                connection.putheader(name, value)
        if method == "POST":
            connection.putheader("Content-Length", str(len(data)))
        connection.endheaders(data if method == "POST" else None)
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        result = answer.status, found, answer.read()
        connection.close()
        return result

    def get(self, path: str) -> Any:
        """The JSON at a path."""
        status, _, body = self.ask("GET", path)
        assert status == 200, body
        return json.loads(body)

    def decide(self, *changes: dict[str, Any], status: int = 200) -> Any:
        """The answer to a decision."""
        if not self.stamp:
            self.stamp = self.get("/api/album")["stamp"]
        wish = {"album": self.stamp, "changes": list(changes)}
        found, _, body = self.ask("POST", "/api/decide", wish)
        assert found == status, body
        return json.loads(body)
