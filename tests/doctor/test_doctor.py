"""The doctor finds what is wrong, and says what helps."""

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import requires
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from catgan.doctor import checks
from catgan.doctor.checks import Check, State
from catgan.doctor.examination import examine
from tests.cli.conftest import Catgan, catgan  # noqa: F401 (a fixture)


def nothing() -> Iterator[Check]:
    yield Check(name="device", found="auto is cpu")


def lend(**modules: Any) -> Callable[[str], object]:
    """An importer that has other modules than there are; an error is raised."""

    def load(name: str) -> object:
        found = modules.get(name)
        if isinstance(found, Exception):
            raise found
        return found if found is not None else SimpleNamespace()

    return load


def test_here_nothing_stops_the_work() -> None:
    """On the machine of whoever runs the tests, with what is really installed."""
    found = examine(nothing)
    assert found.works, [check for check in found.checks if check.state == State.STOPS]
    names = [check.name for check in found.checks]
    for name in ("Python", "torch", "numpy", "opencv-python", "OpenCV's cascades", "cache"):
        assert name in names
    assert len(names) == len(set(names))


def test_an_old_python() -> None:
    assert checks.check_python((3, 11, 0)).state == State.OK
    old = checks.check_python((3, 10, 12))
    assert (old.state, old.found) == (State.STOPS, "3.10.12")
    assert "3.11 or newer" in old.fix


def test_opencv_5_is_named_with_the_fix() -> None:
    found = checks.check_opencv(load=lend(cv2=SimpleNamespace(__version__="5.0.0")))
    assert found.state == State.STOPS
    assert found.found == "OpenCV 5.0.0 has none any more"
    assert "opencv-python>=4.10,<5" in found.fix
    whole = SimpleNamespace(__version__="4.12.0", CascadeClassifier=object)
    assert checks.check_opencv(load=lend(cv2=whole)).found.startswith("OpenCV 4.12.0")


def test_a_package_that_is_missing_too_old_or_broken() -> None:
    def check(line: str, **modules: Any) -> Check:
        (found,) = checks.check_packages([line], load=lend(**modules))
        return found

    missing = check("no-such-package-of-anybodys>=2")
    assert (missing.state, missing.found) == (State.STOPS, "missing")
    assert missing.fix == "pip install 'no-such-package-of-anybodys>=2'"
    old = check("numpy>=1000")
    assert old.state == State.STOPS
    assert old.found.endswith("but catgan needs >=1000")
    no_gl = ImportError("libGL.so.1: cannot open shared object file")
    broken = check("opencv-python>=4", cv2=no_gl)
    assert broken.state == State.STOPS
    assert "libGL.so.1" in broken.found
    assert "apt install libgl1" in broken.fix
    assert check("numpy>=1").state == State.OK
    assert not list(checks.check_packages(["heif>=1; extra == 'heic'"]))


def test_extras() -> None:
    lines = ["numpy>=1; extra == 'there'", "nobodys-package>=1; extra == 'away'", "torch>=2"]
    there, away = checks.check_extras(lines, ["there", "away", "all", "dev"])
    assert (there.name, there.state, there.found) == ("extra there", State.OK, "numpy")
    assert (away.state, away.fix) == (State.NOTE, "pip install 'nobodys-package>=1'")


@pytest.mark.parametrize(
    ("free", "state"),
    [(10**8, State.STOPS), (10**9, State.NOTE), (10**11, State.OK)],
)
def test_room(tmp_path: Path, free: int, state: State) -> None:
    assert checks.check_disk(tmp_path / "not" / "there", "disk", free=free).state == state


def test_nobodys_home_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    found = checks.check_disk(tmp_path / "cats", "disk", free=10**11)
    assert str(tmp_path) not in found.found
    assert "cats" in found.found


def test_a_device_that_fails_stops_the_work() -> None:
    def broken() -> Iterator[Check]:
        raise RuntimeError("driver too old")
        yield

    found = examine(broken)
    (device,) = [check for check in found.checks if check.name == "device"]
    assert device.state == State.STOPS
    assert "driver too old" in device.found
    assert not found.works


def test_what_cannot_be_looked_at_is_said_and_the_rest_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken() -> Any:
        raise ImportError("No module named 'platformdirs'")

    monkeypatch.setattr(checks, "cache_folder", broken)
    found = examine(nothing)
    (disks,) = [check for check in found.checks if check.name == "disks"]
    assert disks.state == State.NOTE
    assert "platformdirs" in disks.found
    assert found.checks[-1].name == "variables"


def test_every_module_of_a_requirement_has_its_name() -> None:
    """Else the doctor would call a sound package broken."""
    for check in checks.check_packages(requires("catgan") or [], load=importlib.import_module):
        assert "cannot be loaded" not in check.found, check


def test_slow_training_is_worth_knowing() -> None:
    """It is not called ok, and the time that a run would take is in the line."""
    slow = checks.check_speed(2.5, needed=25_000, what="recipe projected")
    assert slow.state == State.NOTE
    assert "2.5 training images a second" in slow.found
    assert "2 h 47 min" in slow.found
    assert "--start-from base" in slow.fix
    quick = checks.check_speed(45.2, needed=25_000, what="recipe projected")
    assert (quick.state, quick.fix) == (State.OK, "")
    assert "45 training images a second" in quick.found


class TestCommand:
    """`catgan doctor`."""

    def test_a_sound_machine(self, catgan: Catgan) -> None:  # noqa: F811
        ended = catgan("doctor", "--json")
        assert ended.code == 0, ended.err
        found = json.loads(ended.out)
        assert found["works"] is True
        by_name = {check["name"]: check for check in found["checks"]}
        assert by_name["device"]["found"].startswith("auto is ")
        assert "training images a second" in by_name["speed"]["found"] or (
            "TFLOP/s" in by_name["speed"]["found"]
        )

    def test_a_broken_one(
        self,
        catgan: Catgan,  # noqa: F811
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setitem(sys.modules, "cv2", SimpleNamespace(__version__="5.1.0"))
        ended = catgan("doctor", "--no-speed")
        assert ended.code == 1
        assert "This stops the work: OpenCV's cascades" in ended.out
