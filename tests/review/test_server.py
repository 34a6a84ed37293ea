"""The page's back end: what it tells, what it keeps, and whom it refuses."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from catgan.core.errors import FolderRefused, NoSuchFolder
from catgan.core.systems import WINDOWS
from catgan.curate.pipeline import curate_photos
from catgan.formats.decisions import NAME
from catgan.formats.photos import read_photos
from catgan.review.opening import open_curated
from tests.curate.test_crop import assert_eyes
from tests.drawing import EyeDetector, eyes
from tests.review.conftest import EVIL, FACES, HERE, Client, decided, reviewing

PORT = re.compile(r"http://127\.0\.0\.1:(\d+)/\?token=([\w-]+)")


@pytest.fixture
def address(album: Path) -> Iterator[str]:
    with reviewing(album) as address:
        yield address


@pytest.fixture
def client(address: str) -> Client:
    return Client(address)


def change(item: list[Any], choice: str, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"photo": item[1], "choice": choice, **more}
    if item[6] is not None:
        found |= {"box": item[6][:4], "roll": item[6][4]}
    return found


def picture(data: bytes) -> np.ndarray[Any, Any]:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


class TestWhoMayAsk:
    PATHS = ("/", "/static/review.js", "/api/album", "/tile/0", "/photo/0", "/api/photo/0")

    @pytest.mark.parametrize("cookie", ["", "catgan-review-1=x", "nonsense; ;;="])
    def test_nobody_without_the_token(self, address: str, cookie: str) -> None:
        stranger = Client(address, cookie=cookie)
        stranger.cookie = cookie.replace("-1=", f"-{stranger.port}=")
        for path in (*self.PATHS, "/?token=", "/?token=abc", "/api/album?token=abc"):
            assert stranger.ask("GET", path)[0] == 403, path
        assert stranger.ask("POST", "/api/decide", {})[0] == 403

    def test_the_token_is_long_and_new_each_time(self, album: Path) -> None:
        tokens = []
        for _ in range(2):
            with reviewing(album) as address:
                found = PORT.fullmatch(address)
                assert found is not None
                tokens.append(found[2])
        assert tokens[0] != tokens[1]
        assert min(map(len, tokens)) >= 40

    def test_the_token_opens_only_the_page(self, address: str) -> None:
        token = address.split("token=")[1]
        stranger = Client(address, cookie="")
        assert stranger.ask("GET", f"/api/album?token={token}")[0] == 403
        assert stranger.ask("POST", f"/api/decide?token={token}", {})[0] == 403

    def test_the_cookie_is_for_this_page_alone(self, address: str) -> None:
        stranger = Client(address, cookie="")
        _, headers, _ = stranger.ask("GET", "/?" + address.split("?")[1])
        assert headers["set-cookie"].endswith("; Path=/; HttpOnly; SameSite=Strict")

    @pytest.mark.parametrize("host", ["", "evil.example", "evil.example:{port}", "127.0.0.1:1",
                                      "127.0.0.1", "127.0.0.1.evil.example:{port}",
                                      "10.0.0.7:{port}"])  # fmt: skip
    def test_no_other_host(self, client: Client, host: str) -> None:
        host = host.format(port=client.port)
        assert client.ask("GET", "/api/album", Host=host)[0] in (400, 403)

    def test_its_own_names(self, client: Client) -> None:
        for host in (f"127.0.0.1:{client.port}", f"localhost:{client.port}"):
            assert client.ask("GET", "/api/album", Host=host)[0] == 200

    @pytest.mark.parametrize("origin", ["", "null", "http://evil.example", "https://{here}",
                                        "http://{here}.evil.example"])  # fmt: skip
    def test_no_other_origin(self, client: Client, album: Path, origin: str) -> None:
        origin = origin.format(here=f"{client.host}:{client.port}")
        wish = {"changes": [{"photo": 0, "choice": "rejected"}]}
        assert client.ask("POST", "/api/decide", wish, Origin=origin)[0] == 403
        if origin:
            assert client.ask("GET", "/api/album", Origin=origin)[0] == 403
        assert decided(album) == []

    @pytest.mark.parametrize("path", [
        "/static/../server.py", "/static/..%2fserver.py", "/static/%2e%2e/server.py", "/static/",
        "/static/review.html.j2", "/../../etc/passwd", "/tile/../../curated/photos.jsonl",
        "/tile/0.png", "/tile/-1", "/tile/99999", "/tile/%2e%2e%2fphotos.jsonl", "/photo/99999",
        "/photo//etc/passwd", "/photos.jsonl", "/curated/decisions.jsonl", "/api/order/..",
        "/api/photo/4294967296", "/api/like/99999", "//127.0.0.1/etc/passwd",
    ])  # fmt: skip
    def test_nothing_but_what_has_a_number(self, client: Client, path: str) -> None:
        assert client.ask("GET", path)[0] == 404

    @pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT"])
    def test_no_other_method(self, client: Client, method: str) -> None:
        assert client.ask(method, "/api/album")[0] in (400, 403, 405)

    def test_every_answer_says_what_it_is_and_lets_nothing_else_run(self, client: Client) -> None:
        kinds = {"/": "text/html; charset=utf-8", "/static/review.js": "text/javascript; "
                 "charset=utf-8", "/static/review.css": "text/css; charset=utf-8",
                 "/api/album": "application/json", "/tile/0": "image/png",
                 "/photo/0": "image/jpeg", "/nowhere": "text/plain; charset=utf-8"}  # fmt: skip
        for path, kind in kinds.items():
            _, headers, _ = client.ask("GET", path)
            assert headers["content-type"] == kind
            assert headers["x-content-type-options"] == "nosniff"
            policy = headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert headers["referrer-policy"] == "no-referrer"
        page = client.ask("GET", "/")[2].decode()
        assert not re.search(r"<script(?! src=)|\son\w+=|<style|style=", page)

    @pytest.mark.skipif(WINDOWS, reason="links need a right there")
    def test_nothing_outside_the_two_folders(self, album: Path) -> None:
        secret = album / "secret.jpg"
        secret.write_bytes((album / "raw" / "00.jpg").read_bytes())
        (album / "raw" / "00.jpg").unlink()
        (album / "raw" / "00.jpg").symlink_to(secret)
        crop = next((album / "curated" / "face-crop" / "train").glob("00-*.png"))
        secret_crop = album / "secret.png"
        crop.rename(secret_crop)
        crop.symlink_to(secret_crop)
        with reviewing(album) as address:
            client = Client(address)
            told = client.get("/api/album")
            number = next(n for n, photo in enumerate(told["photos"]) if photo[0] == "00.jpg")
            item = next(item for item in told["items"] if item[1] == number)
            status, _, body = client.ask("GET", f"/photo/{number}")
            assert (status, b"outside" in body) == (404, True)
            assert client.ask("GET", f"/tile/{item[0]}")[0] == 404

    @pytest.mark.parametrize(
        "name", ["../../../secret.png", "/etc/hostname", "..", "../../photos.jsonl"]
    )
    def test_records_that_name_other_files(self, album: Path, name: str) -> None:
        """Somebody may have been handed a curated folder."""
        (album / "secret.png").write_bytes(b"secret")
        path = album / "curated" / "photos.jsonl"
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        lines[0]["faces"][0]["file"] = name
        lines[0]["path"] = "../secret.png"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        with reviewing(album) as address:
            client = Client(address)
            for kind in ("tile", "photo"):
                status, _, body = client.ask("GET", f"/{kind}/0")
                assert status == 404
                assert b"secret" not in body

    def test_names_are_data(self, client: Client) -> None:
        told = client.get("/api/album")
        assert any(photo[0] == f"folder/{EVIL}" for photo in told["photos"])
        assert EVIL not in client.ask("GET", "/")[2].decode()


class TestDeciding:
    def test_it_is_on_the_disk_when_the_answer_comes(self, client: Client, album: Path) -> None:
        told = client.get("/api/album")
        answer = client.decide(change(told["items"][0], "rejected"))
        (one,) = decided(album)
        record = {photo.path: photo for photo in read_photos(album / "curated")}[
            told["photos"][told["items"][0][1]][0]
        ]
        assert (one.sha256, one.decision) == (record.sha256, "rejected")
        assert one.box == record.faces[0].box
        assert [row[4] for row in answer["items"]] == [2]
        assert answer["pending"]

    def test_undo_at_any_depth(self, client: Client) -> None:
        before = [row[4:] for row in client.get("/api/album")["items"]]
        items = client.get("/api/album")["items"]
        stack = []
        for choice in ("rejected", "kept", "rejected", "cleared", "kept"):
            stack.append(client.decide(*(change(item, choice) for item in items[:5]))["undo"])
        crop = client.get("/api/photo/3")["faces"][0]["crop"]
        moved = [crop[0] + 9, crop[1] + 2, crop[2] * 0.9, crop[3] + 4]
        stack.append(client.decide(change(items[3], "kept", crop=moved))["undo"])
        stack.append(client.decide(change(items[3], "rejected"))["undo"])
        stack.append(client.decide({"photo": 3, "choice": "kept", "crop": [60, 60, 90, 0]})["undo"])
        while stack:
            client.decide(*stack.pop())
        after = [row[4:] for row in client.get("/api/album")["items"]]
        assert after[: len(before)] == before
        assert all(row[0] == 0 for row in after[len(before) :])

    def test_a_square_is_what_curate_then_cuts(self, client: Client, album: Path) -> None:
        told = client.get("/api/album")
        number = next(n for n, photo in enumerate(told["photos"]) if photo[0] == "two.jpg")
        item = next(item for item in told["items"] if item[1] == number)
        faces = client.get(f"/api/photo/{number}")["faces"]
        second = faces[1]["crop"]
        client.decide(change(item, "kept", crop=second))
        status, _, tile = client.ask("GET", f"/tile/{item[0]}?v=1")
        assert status == 200
        assert_eyes(picture(tile), margin=HERE.margin)
        again = client.get(f"/api/photo/{number}")["faces"][0]["crop"]
        assert again == pytest.approx(second, abs=0.2)  # records have tenths of a pixel
        curate_photos(album / "raw", album / "curated", HERE, make_detector=EyeDetector())
        record = next(one for one in read_photos(album / "curated") if one.path == "two.jpg")
        cut = picture((album / "curated" / record.outputs["face-crop"]).read_bytes())
        assert np.abs(cut.astype(int) - picture(tile)).mean() < 2
        with reviewing(album) as fresh:  # the same crop, now from the data set
            crops = Client(fresh).get(f"/api/photo/{number}")["faces"][0]["crop"]
            assert crops == pytest.approx(second, abs=0.2)

    def test_a_missed_face_and_a_duplicate_are_rescued(self, client: Client, album: Path) -> None:
        told = client.get("/api/album")
        views = told["views"]
        (empty,) = [row for row in told["items"] if views[row[2]] == "no-face"]
        (double,) = [row for row in told["items"] if views[row[2]] == "duplicate"]
        assert eyes(picture(client.ask("GET", f"/tile/{double[0]}")[2]))[0]
        client.decide(change(double, "kept"))
        answer = client.decide({"photo": empty[1], "choice": "kept", "crop": [120, 100, 96, 5]})
        (new,) = [row for row in answer["items"] if row[1] == empty[1]]
        assert (new[2], new[4]) == (0, 1)
        assert client.ask("GET", f"/tile/{new[0]}")[0] == 200
        result = curate_photos(album / "raw", album / "curated", HERE, make_detector=EyeDetector())
        assert (result.decisions.kept, result.decisions.drawn) == (1, 1)
        assert result.counts["no-face"] == result.counts["duplicate"] == 0

    @pytest.mark.parametrize("body", [
        b"", b"[]", b"{", b'{"changes": []}', b'{"changes": 7}', b"[" * 5000,
        b'{"changes": [{"photo": 999, "choice": "kept"}]}',
        b'{"changes": [{"photo": -1, "choice": "kept"}]}',
        b'{"changes": [{"photo": 0, "choice": "deleted"}]}',
        b'{"changes": [{"photo": 0, "choice": "kept", "box": [0, 0, -5, 5]}]}',
        b'{"changes": [{"photo": 0, "choice": "kept", "crop": [1e308, 1e308, 1e308, 1]}]}',
        b'{"changes": [{"photo": 0, "choice": "kept", "crop": [5, 5, 0, 0]}]}',
        b'{"changes": [{"photo": 0, "choice": "kept", "roll": 1e9, "box": [1, 1, 5, 5]}]}',
        b'{"changes": [{"photo": 1, "choice": "kept"}, {"photo": 0, "choice": "no"}]}',
    ])  # fmt: skip
    def test_what_makes_no_sense_decides_nothing(
        self, client: Client, album: Path, body: bytes
    ) -> None:
        stamp = json.dumps(client.get("/api/album")["stamp"]).encode()
        body = body.replace(b'{"changes"', b'{"album": ' + stamp + b', "changes"')
        status, _, said = client.ask("POST", "/api/decide", body)
        assert status == 400, said
        assert json.loads(said)["refused"]
        assert decided(album) == []

    def test_a_request_too_large_is_not_read(self, client: Client, album: Path) -> None:
        assert client.ask("POST", "/api/decide", b" " * (5 << 20))[0] == 403
        assert decided(album) == []

    @pytest.mark.skipif(WINDOWS, reason="of POSIX")
    def test_what_cannot_be_kept_is_refused_in_words(self, client: Client, album: Path) -> None:
        (album / "curated" / NAME).symlink_to(album / "elsewhere")
        answer = client.decide({"photo": 0, "choice": "rejected"}, status=507)
        assert "is a link" in answer["refused"]
        assert client.get("/api/album")["version"] == 0

    def test_two_windows_see_each_other(self, address: str) -> None:
        one, other = Client(address), Client(address)
        items = one.get("/api/album")["items"]
        assert other.get("/api/changes/0")["items"] == []
        one.decide(change(items[4], "rejected"))
        told = other.get("/api/changes/0")
        assert [(row[0], row[4]) for row in told["items"]] == [(items[4][0], 2)]
        assert other.get(f"/api/changes/{told['version']}")["items"] == []

    def test_after_another_curate_old_numbers_are_refused(
        self, client: Client, album: Path
    ) -> None:
        items = client.get("/api/album")["items"]
        client.decide(change(items[0], "rejected"))
        (album / "raw" / "00.jpg").unlink()
        curate_photos(album / "raw", album / "curated", HERE, make_detector=EyeDetector())
        answer = client.decide(change(items[5], "rejected"), status=409)
        assert "reload" in answer["refused"]
        told = client.get("/api/changes/0")
        assert told["stamp"] != client.stamp
        client.stamp = told["stamp"]
        assert not told["pending"]
        fresh = client.get("/api/album")
        assert "00.jpg" not in [photo[0] for photo in fresh["photos"]]
        assert client.decide(change(fresh["items"][5], "rejected"))["pending"]

    def test_what_another_program_adds_is_seen(self, album: Path, address: str) -> None:
        one = Client(address)
        with reviewing(album) as second:
            other = Client(second)
            items = other.get("/api/album")["items"]
            other.decide(change(items[0], "rejected"))
            other.decide(change(items[1], "kept"))
        assert sorted(row[4] for row in one.get("/api/changes/0")["items"]) == [1, 2]
        one.decide(change(items[0], "kept"))
        assert len(decided(album)) == 3


class TestOrders:
    def test_everything_is_in_every_order_once(self, client: Client) -> None:
        items = client.get("/api/album")["items"]
        for name in ("sure", "time", "folder", "likeness"):
            for _ in range(200):
                told = client.get(f"/api/order/{name}")
                if "order" in told:
                    break
                time.sleep(0.05)
            assert sorted(told["order"]) == [row[0] for row in items], name
        scores = {row[0]: row[3] for row in items if row[2] == 0}
        sure = [
            scores[index] for index in client.get("/api/order/sure")["order"] if index in scores
        ]
        assert sure == sorted(sure)

    def test_the_most_alike_come_first(self, client: Client) -> None:
        items = client.get("/api/album")["items"]
        number = next(row[0] for row in items if row[2] == 0)
        for _ in range(200):
            told = client.get(f"/api/like/{number}")
            if "order" in told:
                break
            time.sleep(0.05)
        assert told["order"][0] == number
        assert len(told["order"]) >= FACES


class TestEnds:
    def serve(self, album: Path) -> tuple["subprocess.Popen[str]", str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "catgan", "review", str(album / "curated"), "--no-browser"],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"COLUMNS": "300", "PYTHONUNBUFFERED": "1"},
        )
        assert process.stdout is not None
        said = ""
        while not (found := PORT.search(said)):
            line = process.stdout.readline()
            assert line, said
            said += line
        return process, found[0]

    @pytest.mark.slow
    @pytest.mark.skipif(WINDOWS, reason="of POSIX")
    def test_a_kill_in_a_burst_of_decisions_loses_none_that_was_answered(self, album: Path) -> None:
        process, address = self.serve(album)
        answered: list[int] = []
        client = Client(address)
        items = client.get("/api/album")["items"]

        def click() -> None:
            try:
                for turn in range(10_000):
                    client.decide(change(items[turn % 20], ("rejected", "kept")[turn % 2]))
                    answered.append(turn)
            except OSError:
                return

        thread = threading.Thread(target=click)
        thread.start()
        while len(answered) < 15:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        thread.join()
        kept = decided(album)
        # one more may have come to the disk without an answer
        assert len(kept) - len(answered) in (0, 1)
        assert [one.decision for one in kept[:2]] == ["rejected", "kept"]
        with reviewing(album) as again:
            choices = [row[4] for row in Client(again).get("/api/album")["items"]]
        last = {turn % 20: (2, 1)[turn % 2] for turn in range(len(kept))}
        assert all(choices[items[place][0]] == choice for place, choice in last.items())

    @pytest.mark.slow
    @pytest.mark.skipif(WINDOWS, reason="of POSIX")
    @pytest.mark.parametrize("decides", [False, True])
    def test_ctrl_c_is_how_one_finishes(self, album: Path, decides: bool) -> None:
        """No mishap, so the exit status is 0; the next step is named where there is one."""
        process, address = self.serve(album)
        client = Client(address)
        items = client.get("/api/album")["items"]
        if decides:
            client.decide(change(items[0], "rejected"))
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        assert ("To apply them: catgan curate" in said) == decides
        assert ("no new decisions" in said) != decides


class TestOpening:
    def test_a_folder_that_cannot_be_reviewed_is_refused(self, album: Path) -> None:
        with pytest.raises(NoSuchFolder):
            open_curated(album / "nowhere")
        with pytest.raises(FolderRefused, match="curate"):
            open_curated(album / "raw")
        with pytest.raises(NoSuchFolder):
            open_curated(album / "curated", album / "nowhere")

    def test_without_its_photos_the_crops_can_be_reviewed(self, album: Path) -> None:
        (album / "raw").rename(album / "moved")
        with reviewing(album) as address:
            client = Client(address)
            assert client.ask("GET", "/tile/0")[0] == 200
            assert client.ask("GET", "/photo/0")[0] == 404
            client.decide(change(client.get("/api/album")["items"][0], "rejected"))
        assert len(decided(album)) == 1
        assert open_curated(album / "curated", album / "moved").raw == album / "moved"

    def test_an_old_file_with_a_torn_last_line_is_read(self, album: Path) -> None:
        with reviewing(album) as address:
            client = Client(address)
            items = client.get("/api/album")["items"]
            client.decide(change(items[0], "rejected"))
        with (album / "curated" / NAME).open("ab") as file:
            file.write(b'{"sha256": "0123')
        with reviewing(album) as address:
            client = Client(address)
            assert client.get("/api/album")["items"][items[0][0]][4] == 2
            client.decide(change(items[1], "kept"))
        assert [one.decision for one in decided(album)] == ["rejected", "kept"]
