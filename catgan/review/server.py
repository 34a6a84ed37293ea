"""What answers the page's requests."""

import json
from collections.abc import Awaitable, Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from catgan.core.errors import CatganError, UnreadablePhoto
from catgan.core.pages import page_environment
from catgan.core.pictures import encode_png
from catgan.core.systems import command_line
from catgan.formats.records import to_json
from catgan.review import orders
from catgan.review.album import VIEWS
from catgan.review.learn import LEAST
from catgan.review.ledger import Ledger
from catgan.review.likeness import Likeness
from catgan.review.pictures import PictureShelf
from catgan.review.requests import decisions_of, read_wish
from catgan.review.rows import about_photo, row
from catgan.review.scissors import Scissors

STATIC = {"review.css": "text/css; charset=utf-8", "review.js": "text/javascript; charset=utf-8"}
MOST_ALIKE = 5000
LOOK_AHEAD = 10  # rejections before the learnt order is of use that crops begin to be looked at


class Review:
    """The page's back end, for one curated folder."""

    def __init__(
        self,
        ledger: Ledger,
        shelf: PictureShelf,
        likeness: Likeness,
        scissors: Scissors,
        raw: Path | None,
    ) -> None:
        """Wire it up.

        Args:
            ledger: The album and its decisions.
            shelf: The pictures.
            likeness: Which crops are alike.
            scissors: Cuts faces as the data sets have them.
            raw: The folder of photos; None where it is not known.
        """
        self._ledger = ledger
        self._shelf = shelf
        self._likeness = likeness
        self._scissors = scissors
        self._raw = raw
        self._stamp = ledger.stamp

    def app(self) -> Starlette:
        """The routes; every one is by number."""
        return Starlette(
            routes=[
                Route("/", self._answer(self._page)),
                Route("/static/{name}", self._answer(self._static)),
                Route("/api/album", self._answer(self._album)),
                Route("/api/changes/{since:int}", self._answer(self._changes)),
                Route("/api/order/{name}", self._answer(self._order)),
                Route("/api/like/{item:int}", self._answer(self._like)),
                Route("/api/photo/{photo:int}", self._answer(self._photo)),
                Route("/api/decide", self._decide, methods=["POST"]),
                Route("/tile/{item:int}", self._answer(self._tile)),
                Route("/photo/{photo:int}", self._answer(self._whole)),
            ]
        )

    def _answer(
        self, function: Callable[[Request], Response]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            return await run_in_threadpool(_told, function, request)

        return answer

    def _page(self, _: Request) -> Response:
        line = ["catgan", "curate", str(self._raw or "raw/"), str(self._ledger.curated)]
        return _plain(
            page_environment("catgan.review", "review")
            .get_template("review.html.j2")
            .render(
                folder=str(self._ledger.curated),
                line=command_line(line),
                static=False,
                style="",
                script="",
                data="",
                policy="",
            ),
            "text/html; charset=utf-8",
        )

    def _static(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in STATIC:
            return _missing()
        return _plain(
            files("catgan.review").joinpath("static", name).read_text(encoding="utf-8"),
            STATIC[name],
        )

    def _album(self, _: Request) -> Response:
        with self._ledger.lock:
            self._ledger.refresh()
            album = self._ledger.album
            return _json(
                {
                    "version": album.version,
                    "stamp": self._ledger.stamp,
                    "size": self._scissors.size,
                    "views": list(map(str, VIEWS)),
                    "items": [row(index, item) for index, item in enumerate(album.items)],
                    "photos": [[photo.path, photo.reason] for photo in album.photos],
                    "pending": self._ledger.pending(),
                    "photographs": self._raw is not None,
                    "least": LEAST,
                }
            )

    def _changes(self, request: Request) -> Response:
        since = request.path_params["since"]
        with self._ledger.lock:
            self._ledger.refresh()
            return _json(self._since(since))

    def _since(self, since: int) -> dict[str, Any]:
        album = self._ledger.album
        changed = (
            []
            if album.version == since
            else [
                row(index, item) for index, item in enumerate(album.items) if item.changed > since
            ]
        )
        return {
            "version": album.version,
            "stamp": self._ledger.stamp,
            "items": changed,
            "rejections": album.rejections,
            "pending": self._ledger.pending(),
        }

    def _order(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in orders.ORDERS:
            return _missing()
        with self._ledger.lock:
            album = self._ledger.album
            rejections = album.rejections
            if rejections >= LEAST - LOOK_AHEAD or name == "likeness":
                self._look()
        # without the lock from here on: an order may take a while, and things are only added
        if name == "folder":
            return _json({"order": orders.by_folder(album)})
        if name == "time":
            return _json({"order": orders.by_time(album, self._raw)})
        if name == "sure":
            learnt = orders.by_chance(album, self._likeness)
            order = learnt or orders.by_score(album)
            return _json({"order": order, "learnt": rejections if learnt else 0})
        found = self._likeness.row()
        return _json({"order": orders.only(found, album)} if found else self._waiting())

    def _like(self, request: Request) -> Response:
        item = request.path_params["item"]
        with self._ledger.lock:
            self._look()
            if item >= len(self._ledger.album.items):
                return _missing()
        found = self._likeness.nearest(item)[:MOST_ALIKE]
        return _json({"order": found} if found else self._waiting())

    def _look(self) -> None:
        if self._stamp != self._ledger.stamp:  # other crops
            self._stamp, self._likeness = self._ledger.stamp, self._likeness.fresh()
        files = {
            index: path
            for index, item in enumerate(self._ledger.album.items)
            if (path := self._shelf.file(item)) is not None
        }
        self._likeness.start(files)

    def _waiting(self) -> dict[str, Any]:
        if self._likeness.why_not:
            return {"refused": self._likeness.why_not}
        if self._likeness.vectors is not None:
            return {"refused": "this one was drawn since the data sets were made"}
        return {"wait": [self._likeness.done, self._likeness.total]}

    def _photo(self, request: Request) -> Response:
        photo = request.path_params["photo"]
        with self._ledger.lock:
            album = self._ledger.album
            if photo >= len(album.photos):
                return _missing()
            return _json(about_photo(album, photo, self._scissors))

    async def _decide(self, request: Request) -> Response:
        body = await request.body()
        return await run_in_threadpool(self._decided, body)

    def _decided(self, body: bytes) -> Response:
        try:
            wish = read_wish(json.loads(body))
        except (ValueError, RecursionError, CatganError) as error:
            return _json({"refused": str(error)}, status=400)
        with self._ledger.lock:
            self._ledger.refresh()
            if wish.album != self._ledger.stamp:
                refused = "the data sets were made anew meanwhile; reload the page"
                return _json({"refused": refused}, status=409)
            album = self._ledger.album
            before = album.version
            try:
                made, back = decisions_of(wish, album, self._scissors)
            except CatganError as error:
                return _json({"refused": str(error)}, status=400)
            try:
                self._ledger.decide(made)
            except CatganError as error:  # a full disk, most likely: nothing was decided
                return _json({"refused": str(error)}, status=507)
            return _json({**self._since(before), "undo": list(map(to_json, back))})

    def _tile(self, request: Request) -> Response:
        index = request.path_params["item"]
        with self._ledger.lock:
            album = self._ledger.album
            if index >= len(album.items):
                return _missing()
            item = album.items[index]
            record = album.photos[item.photo]
        data = encode_png(self._shelf.tile(item, record))
        # its address has a number that changes with the picture
        return _plain(data, "image/png", cache="private, max-age=86400, immutable")

    def _whole(self, request: Request) -> Response:
        photo = request.path_params["photo"]
        with self._ledger.lock:
            if photo >= len(self._ledger.album.photos):
                return _missing()
            record = self._ledger.album.photos[photo]
        return _plain(
            self._shelf.shown(record), "image/jpeg", cache="private, max-age=86400, immutable"
        )


def _told(function: Callable[[Request], Response], request: Request) -> Response:
    try:
        return function(request)
    except UnreadablePhoto as error:
        return _plain(f"{error}\n", "text/plain; charset=utf-8", status=404)
    except CatganError as error:
        return _json({"refused": str(error)}, status=500)


def _json(table: dict[str, Any], *, status: int = 200) -> Response:
    body = json.dumps(table, separators=(",", ":"), allow_nan=False)
    return _plain(body, "application/json", status=status)


def _plain(body: str | bytes, kind: str, *, status: int = 200, cache: str = "no-store") -> Response:
    return Response(body, status, {"cache-control": cache, "content-type": kind})


def _missing() -> Response:
    return _plain("There is no such thing here.\n", "text/plain; charset=utf-8", status=404)
