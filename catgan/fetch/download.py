"""One file from a web server: resumed where it stopped, never larger than allowed."""

import dataclasses
import http.client
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from email.message import Message
from pathlib import Path
from typing import Any

from catgan.core.errors import BadUsage, FetchRefused, NotReached
from catgan.core.files import (
    check_own,
    explain_unwritable,
    flush_to_disk,
    open_own,
    read_there,
    write_json,
)
from catgan.core.version import program
from catgan.core.words import amount

TIMEOUT = 30.0  # seconds without a byte
TRIES = 5  # in a row without a byte more, until it is given up
PAUSE = 1.0  # seconds before the second try; doubled each time
CHUNK = 1 << 18  # bytes
SCHEMES = ("http", "https")

Progress = Callable[[int, int], None]
"""Told the bytes there are, and those there will be; 0 where the server does not say."""


class _OnlyWeb(urllib.request.HTTPRedirectHandler):
    """Redirects to other pages, never to files or other services."""

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        if urllib.parse.urlsplit(newurl).scheme not in SCHEMES:
            raise FetchRefused(f"{req.full_url} leads to {newurl}, which is not a web address.")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


@dataclasses.dataclass(frozen=True, slots=True)
class _Answer:
    """What a server says of a file."""

    start: int
    """The byte that its body begins with."""
    length: int
    """Bytes of the whole file; 0 where it does not say."""
    version: str
    """What tells this file from a later one of the same name; "" where nothing does."""


def is_url(source: str) -> bool:
    """Whether it is a web address, not a file's name."""
    return source.lower().startswith(tuple(f"{scheme}://" for scheme in SCHEMES))


def check_url(url: str) -> None:
    """Refuse what no server can be asked for.

    Raises:
        BadUsage: It has no host, or characters that addresses do not have.
    """
    try:
        parts = urllib.parse.urlsplit(url)
        good = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good or not url.isascii() or not url.isprintable() or " " in url:
        raise BadUsage(f"{url} is not a web address; copy it from your browser's address bar.")


def download(url: str, path: Path, *, most: int, progress: Progress) -> None:
    """Bring a file here.

    What a call that was stopped has brought stays beside it, and is gone on from, provided that
    the server still has the same file and can send the rest alone (RFC 9110, section 14).

    Args:
        url: A web address.
        path: Where to; its folder is there. A whole file of an earlier call is left as it is.
        most: Bytes that it may have.
        progress: Told where it stands.

    Raises:
        NotReached: The server cannot be reached, or broke off time and again.
        FetchRefused: It has no such file, or a larger one.
        DiskFull: There is no room.
    """
    if path.exists():
        return
    part = path.with_name(path.name + ".part")
    check_own(part)
    failures = 0
    while True:
        before = part.stat().st_size if part.exists() else 0
        try:
            _go_on(url, part, most, progress)
            break
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, urllib.error.HTTPError):
                _explain(url, error)
            more = part.exists() and part.stat().st_size > before
            failures = 0 if more else failures + 1
            if failures >= TRIES or (not before and not more and _is_offline(error)):
                raise NotReached(
                    f"{url} cannot be reached ({_why(error)}); check your connection and the "
                    "address, and rerun the same command to resume."
                ) from error
            time.sleep(PAUSE * 2 ** max(0, failures - 1))
    flush_to_disk(part)  # nothing is asked of a server again once the name says that it is whole
    part.replace(path)
    _notes(part).unlink(missing_ok=True)


def _go_on(url: str, part: Path, most: int, progress: Progress) -> None:
    """One connection: the rest of the file, or all of it.

    Raises:
        OSError, http.client.HTTPException: It broke off, or could not be made.
    """
    have = part.stat().st_size if part.exists() else 0
    notes = _read_notes(part)
    version = str(notes.get("version", "")) if notes.get("url") == url else ""
    if not version:
        have = 0  # nothing says that the rest would fit
    request = urllib.request.Request(url, headers={"User-Agent": program()})
    if have:
        request.add_header("Range", f"bytes={have}-")
        request.add_header("If-Range", version)
    opener = urllib.request.build_opener(_OnlyWeb)
    try:
        response = opener.open(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE and have:
            error.close()
            part.unlink()  # there is nothing behind what is here: begin anew
            raise ConnectionResetError("the file has changed") from None
        raise
    with response:
        answer = _answer(response.status, response.headers, have)
        if answer.length > most:
            raise FetchRefused(
                f"{url} has {amount(answer.length)}, more than the {amount(most)} allowed; "
                "use a larger --max-gigabytes."
            )
        write_json(_notes(part), {"url": url, "version": answer.version})
        _copy(url, response, part, answer, most, progress)


def _copy(
    url: str, response: Any, part: Path, answer: _Answer, most: int, progress: Progress
) -> None:
    have = answer.start
    flags = os.O_WRONLY | os.O_CREAT | (0 if have else os.O_TRUNC)
    with explain_unwritable(part):
        out = open_own(part, flags)
    with out:
        out.seek(have)
        while True:
            chunk = response.read(CHUNK)
            if not chunk:
                break
            have += len(chunk)
            if have > most:
                raise FetchRefused(
                    f"{url} has more than the {amount(most)} allowed; use a larger --max-gigabytes."
                )
            with explain_unwritable(part):
                out.write(chunk)
            progress(have, answer.length)
    if answer.length and have < answer.length:
        raise ConnectionResetError("the connection broke off")


def _answer(status: int, headers: Message, have: int) -> _Answer:
    tag = headers.get("ETag", "")
    # a weak tag does not promise the same bytes, and may not stand in If-Range
    version = tag if tag and not tag.startswith("W/") else headers.get("Last-Modified", "")
    size = _number(headers.get("Content-Length"))
    if status == http.client.PARTIAL_CONTENT:
        place = headers.get("Content-Range", "")  # bytes 100-199/200
        first, _, whole = place.removeprefix("bytes ").partition("/")
        if _number(first.partition("-")[0]) != have:
            raise ConnectionResetError("the server sent another part than was asked for")
        return _Answer(have, _number(whole) or (have + size if size else 0), version)
    return _Answer(0, size, version)


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else 0


def _notes(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _read_notes(part: Path) -> dict[str, Any]:
    try:
        found = json.loads(read_there(_notes(part)) or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _explain(url: str, error: urllib.error.HTTPError) -> None:
    """Say what a server's no means; nothing where trying again may help."""
    if error.code in (408, 429) or error.code >= 500:
        return
    raise FetchRefused(
        f"{url} cannot be fetched: the server says {error.code} {error.reason}; "
        "check the address in a browser."
    ) from error


def _is_offline(error: Exception) -> bool:
    """Whether not even a connection came about, so that waiting seconds will not help."""
    return isinstance(error, urllib.error.URLError) and not isinstance(
        error, urllib.error.HTTPError
    )


def _why(error: Exception) -> str:
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
    if isinstance(reason, OSError):
        reason = reason.strerror or reason
    return str(reason) or type(error).__name__
