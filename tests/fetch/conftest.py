"""A web server on this machine, with archives of drawn pictures."""

import gzip
import io
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest

from catgan.core.pictures import encode_jpeg


def photo(seed: int) -> bytes:
    """A JPEG of noise."""
    rng = np.random.default_rng(seed)
    return encode_jpeg(rng.integers(0, 256, (24, 32, 3), dtype=np.uint8))


def zip_of(files: dict[str, bytes]) -> bytes:
    """A ZIP file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def tar_of(files: dict[str, bytes], extra: tuple[tarfile.TarInfo, ...] = ()) -> bytes:
    """A tar packed by gzip, the same bytes each time."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for member in extra:
            archive.addfile(member)
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return gzip.compress(buffer.getvalue(), mtime=0)


class Site:
    """Files by path, how the server misbehaves, and what it was asked for."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.files: dict[str, bytes] = {}
        self.tag: str | None = '"1"'
        self.ranges = True
        self.says_length = True
        self.breaks_after: list[int] = []
        """Bytes after which the next answers break off, one an answer."""
        self.errors: list[int] = []
        """Codes of the next answers."""
        self.moved: dict[str, str] = {}
        self.asked: list[tuple[str, str | None]] = []
        """Path and range of every request."""

    def url(self, path: str) -> str:
        return f"{self.address}/{path}"


class Server(ThreadingHTTPServer):
    site: Site


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.close_connection = True
        site, path = self.server.site, self.path.lstrip("/")
        wanted = self.headers.get("Range")
        site.asked.append((path, wanted))
        if path in site.moved:
            self.send_response(302)
            self.send_header("Location", site.moved[path])
            self.end_headers()
            return
        if site.errors or path not in site.files:
            self.send_response(site.errors.pop(0) if site.errors else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        data, start = site.files[path], 0
        whole = len(data)
        if wanted and site.ranges and self.headers.get("If-Range") == site.tag:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            if start >= whole:
                self.send_response(416)
                self.end_headers()
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{whole - 1}/{whole}")
        else:
            self.send_response(200)
        if site.says_length:
            self.send_header("Content-Length", str(whole - start))
        if site.tag:
            self.send_header("ETag", site.tag)
        self.send_header("Connection", "close")
        self.end_headers()
        data = data[start:]
        if site.breaks_after:
            data = data[: site.breaks_after.pop(0)]
        self.wfile.write(data)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("catgan.fetch.download.PAUSE", 0.0)
    server = Server(("127.0.0.1", 0), Handler)
    server.site = Site(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
