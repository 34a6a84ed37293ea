"""Faults on the way: Ctrl-C, odd standard outputs, half-made folders, a moved project."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from catgan.cli import streams
from catgan.compare.inputs.candidate import open_run
from catgan.core.errors import OutputLost
from catgan.core.files import locked
from catgan.formats.curated import NAME
from catgan.formats.runs import Run
from tests.cli.conftest import Catgan, one_sentence
from tests.drawing import Head, draw_photo, encode

BEFORE = Path(__file__).parents[1] / "fixtures" / "before"
LINE = [sys.executable, "-m", "catgan"]

posix = pytest.mark.skipif(os.name == "nt", reason="no such signals or files on Windows")


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", **more}


@pytest.fixture
def curated(tmp_path: Path) -> Path:
    shutil.copytree(BEFORE / "curated", tmp_path / "curated")
    return tmp_path / "curated"


@posix
@pytest.mark.slow
class TestCtrlC:
    def test_no_good_photo_is_called_broken(self, tmp_path: Path) -> None:
        """In the process that decodes: the exception must not pass for a broken photo's."""
        raw = tmp_path / "raw"
        raw.mkdir()
        photo = draw_photo(2400, 1800, Head(cx=1200, cy=900, w=700), seed=1)
        for number in range(24):
            (raw / f"{number}.png").write_bytes(encode(photo, "PNG") + bytes(number))
        line = [*LINE, "curate", str(raw), str(tmp_path / "curated"), "--cascade", "quick"]
        line += ["--workers", "1", "--no-duplicate-screen"]
        for wait in (0.2, 0.35, 0.5):
            process = subprocess.Popen(
                line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
            )
            pictures = tmp_path / "curated" / "full-body" / "train"
            while process.poll() is None and not list(pictures.glob("*.png")):
                time.sleep(0.01)
            time.sleep(wait)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=60)
            assert process.returncode in (0, 130)
            assert "Traceback" not in err
        done = subprocess.run([*line, "--json"], capture_output=True, text=True, env=environment())
        assert json.loads(done.stdout)["verdicts"]["unreadable"] == 0

    @pytest.mark.parametrize("wait", [0.08, 0.15, 0.3])
    def test_while_python_imports_and_three_in_a_row(self, curated: Path, wait: float) -> None:
        process = subprocess.Popen(
            [*LINE, "inspect", str(curated)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        time.sleep(wait)
        for _ in range(3):
            process.send_signal(signal.SIGINT)
            time.sleep(0.05)
        _, err = process.communicate(timeout=60)
        # before our first line Python itself answers, with a traceback of its own or the signal's
        ours = "catgan: " in err or process.returncode == 0
        assert process.returncode in (0, 130, -signal.SIGINT)
        assert "Traceback" not in err or not ours


class TestStandardOutput:
    @pytest.mark.parametrize("encoding", ["cp1252", "latin1", "ascii", "cp437"])
    def test_of_another_encoding(self, curated: Path, encoding: str) -> None:
        done = subprocess.run(
            [*LINE, "inspect", str(curated)],
            capture_output=True,
            env=environment(PYTHONIOENCODING=encoding),
        )
        assert done.returncode == 0, done.stderr
        assert b"full-body" in done.stdout

    def test_our_own_signs_have_plain_ones(self) -> None:
        written = "0.5 \N{PLUS-MINUS SIGN} 0.1, \N{MINUS SIGN}3, \N{CAT FACE}"
        assert written.encode("ascii", errors=streams.HANDLER) == b"0.5 +/- 0.1, -3, ?"

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
    @pytest.mark.parametrize("more", [[], ["--json"]])
    def test_full(self, curated: Path, more: list[str]) -> None:
        with Path("/dev/full").open("wb") as full:
            done = subprocess.run(
                [*LINE, "inspect", str(curated), *more],
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                env=environment(),
            )
        assert done.returncode == 1
        complaints = [line for line in done.stderr.splitlines() if line.startswith("catgan: ")]
        assert len(complaints) == 1
        assert "Standard output could not be written" in complaints[0]
        assert "Traceback" not in done.stderr

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
    def test_a_full_standard_error_changes_no_exit_status(self, tmp_path: Path) -> None:
        with Path("/dev/full").open("wb") as full:
            line = [*LINE, "curate", str(tmp_path / "nowhere"), str(tmp_path / "out")]
            done = subprocess.run(line, stderr=full, env=environment())
        assert done.returncode == 2

    @posix
    def test_a_pipe_closed_early(self, curated: Path) -> None:
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run(
            [*LINE, "inspect", str(curated)],
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        os.close(writer)
        assert done.returncode == 1
        assert "Standard output could not be written" in done.stderr
        assert "Traceback" not in done.stderr

    def test_a_closed_stream_says_so_once(self) -> None:
        stream = streams.Stream(None, "Standard output", must=True)
        with pytest.raises(OutputLost, match="closed"):
            stream.write("cat")
        stream.write("cat")  # and goes on without
        stream.flush()


class TestHalfMade:
    def test_train_waits_for_curate(self, catgan: Catgan, curated: Path, tmp_path: Path) -> None:
        note = json.loads((curated / NAME).read_text(encoding="utf-8"))
        (curated / NAME).write_text(json.dumps(note | {"finished": False, "raw": "../my raw"}))
        for named in (curated, curated / "full-body"):
            line = ("train", named, "--runs", tmp_path / "runs", "--device", "cpu")
            sentence = one_sentence(catgan(*line))
            assert "interrupted" in sentence
            assert f"catgan curate '{tmp_path / 'my raw'}' {curated}" in sentence
            with locked(curated):
                assert "being curated right now" in one_sentence(catgan(*line))
        assert not (tmp_path / "runs").exists()

    @posix
    def test_a_finished_one_may_be_read_only(
        self, catgan: Catgan, curated: Path, tmp_path: Path
    ) -> None:
        where: tuple[str | Path, ...] = (curated / "full-body", "--runs", tmp_path / "runs")
        line = ("train", *where, "--dry-run", "--size", "16", "--batch-size", "2")
        curated.chmod(0o555)
        try:
            ended = catgan(*line, "--device", "cpu")
        finally:
            curated.chmod(0o755)
        assert "8 are needed" in ended.err  # five images are too few, and nothing else is wrong


@posix
class TestNamesThatAreNoUnicode:
    """Whatever bytes a folder or a file is called by, every command reads and writes it."""

    def place(self, tmp_path: Path) -> Path:
        place = tmp_path / os.fsdecode(b"Fot\xf3s")
        try:
            place.mkdir()
        except OSError:
            pytest.skip("this file system takes Unicode names only")
        return place

    def test_curate_and_inspect(self, catgan: Catgan, tmp_path: Path) -> None:
        place = self.place(tmp_path)
        raw, curated = place / os.fsdecode(b"r\xe1w"), tmp_path / "curated"
        raw.mkdir()
        photo = draw_photo(320, 240, Head(cx=150, cy=120, w=100), seed=1)
        (raw / os.fsdecode(b"caf\xe9.png")).write_bytes(encode(photo, "PNG"))
        line = ("curate", raw, curated, "--cascade", "quick", "--workers", "1", "--json")
        assert catgan(*line).code == 0
        again = catgan(*line)
        assert json.loads(again.out)["fresh"] == 0
        page = place / "page.html"
        seen = catgan("inspect", curated, "--page", page, "--json")
        assert seen.code == 0, seen.err
        assert json.loads(seen.out)["gone"] == 0
        assert page.read_text(encoding="utf-8")

    def test_train_again_and_open_to_compare(self, catgan: Catgan, tmp_path: Path) -> None:
        place = self.place(tmp_path)
        data, runs = place / os.fsdecode(b"d\xe9s"), place / "runs"
        data.mkdir()
        for number in range(20):
            name = os.fsdecode(b"\xe9") * (number % 2) + f"{number}.png"
            picture = draw_photo(16, 16, seed=number)
            (data / name).write_bytes(encode(picture, "PNG"))
        small = ("--size", "16", "--ngf", "8", "--ndf", "8", "--held-out", "10")
        line = ("train", data, *small, "--name", "a", "--runs", runs, "--device", "cpu")
        for epochs in ("1", "2"):
            ended = catgan(*line, "--evaluate-every", "0", "--epochs", epochs)
            assert ended.code == 0, ended.err
        split = open_run(Run(folder=runs / "a")).split
        assert (len(split.train), len(split.held_out)) == (10, 10)

    def test_a_cascade_of_ones_own(self, catgan: Catgan, tmp_path: Path) -> None:
        cascade = self.place(tmp_path) / os.fsdecode(b"\xe9.xml")
        cascade.write_text("<nothing/>")
        ended = catgan("curate", tmp_path, tmp_path / "curated", "--cascade", cascade)
        assert ended.code == 2
        assert "is not a cascade" in one_sentence(ended)


@pytest.mark.parametrize("name", ["notes.html", "curated/photos.jsonl"])
def test_a_page_never_replaces_what_catgan_did_not_write_there(
    catgan: Catgan, curated: Path, tmp_path: Path, name: str
) -> None:
    page = tmp_path / name
    if not page.exists():
        page.write_bytes(b"<html>mine</html>")
    before = page.read_bytes()
    sentence = one_sentence(catgan("inspect", curated, "--page", page))
    assert "name another file: --page" in sentence
    assert page.read_bytes() == before
    assert catgan("inspect", curated, "--page", curated).code == 2
    for _ in range(2):  # its own may be written again
        assert catgan("inspect", curated, "--page", tmp_path / "page.html").code == 0


class TestAMovedProject:
    def test_its_data_set_is_found(self, catgan: Catgan, tmp_path: Path) -> None:
        old, new = tmp_path / "old", tmp_path / "new"
        old.mkdir()
        for name in ("blobs", "runs"):
            shutil.copytree(BEFORE / name, old / name)
        line = ("train", old / "blobs", "--runs", old / "runs", "--epochs", "121")
        assert catgan(*line, "--device", "cpu").code == 0
        old.rename(new)
        compare = ("compare", "blobs", "--runs", new / "runs", "--dry-run")
        assert catgan(*compare).code == 0
        (new / "blobs").rename(tmp_path / "elsewhere")
        assert "--data" in one_sentence(catgan(*compare))
        assert catgan(*compare, "--data", tmp_path / "elsewhere").code == 0


@pytest.mark.parametrize(
    "line",
    [
        ("curate", "raw", "new", "--max-megapixels", "inf"),
        ("curate", "raw", "new", "--workers", "2147483648"),
        ("train", "x", "--ngf", "1000000000"),
        ("train", "x", "--latent-dim", "1000000000"),
        ("train", "x", "--checkpoint-minutes", "nan"),
        ("compare", "x", "--seed", "4294967296"),
        ("demo", "new", "--workers", "1000000000"),
    ],
    ids=" ".join,
)
def test_numbers_too_large_are_refused_at_once(
    catgan: Catgan, line: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = catgan(*line)
    assert ended.code == 2
    assert f"{line[-2]} is" in one_sentence(ended)
    assert not list(tmp_path.iterdir())
