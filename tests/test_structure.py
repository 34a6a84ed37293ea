"""The structure of the package: imports point down, and what is imported is declared."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "catgan"

# From the ground up. What stands on one floor does not know its neighbours.
FLOORS = (
    ("core",),
    ("formats",),
    ("measure", "model"),
    (
        "compare",
        "curate",
        "demo",
        "doctor",
        "export",
        "fetch",
        "inspect",
        "review",
        "runs",
        "sample",
        "train",
    ),
    ("console",),
    ("cli",),
    ("__init__", "__main__"),
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
MODULES = sorted(path for path in PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT).with_suffix("")).replace("/", ".").replace("\\", ".")


def room_of(module: str) -> str:
    """The room that a module of catgan stands in; `catgan` itself is `__init__`."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def imports_of(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in it, for types too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            assert node.module is not None
            yield node.module
            if node.module == "catgan":
                yield from (f"catgan.{alias.name}" for alias in node.names)


def test_every_room_has_its_floor() -> None:
    rooms = {path.stem if path.is_file() else path.name for path in PACKAGE.iterdir()}
    # what is no code: the mark for types, and what Python keeps
    assert rooms - {"py", "__pycache__"} == FLOOR.keys()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_point_down(path: Path) -> None:
    room = room_of(name_of(path).removesuffix(".__init__"))
    for imported in imports_of(path):
        if imported.split(".")[0] != "catgan" or room == "__init__":
            continue
        other = room_of(imported)
        assert other == room or FLOOR[other] < FLOOR[room], f"{name_of(path)} imports {imported}"


ALONE = {
    "cv2": "catgan.curate.opencv",
    "av": ("catgan.curate.clip", "catgan.sample.video"),
    "typer": "catgan.cli",
    "rich": "catgan.console",
    "msgspec": "catgan.formats.records",
    "platformdirs": "catgan.core.places",
    "filelock": "catgan.core",
    "timm": "catgan.measure",
    "torch_fidelity": "catgan.measure",
    "jinja2": "catgan.core.pages",
    "onnxruntime": ("catgan.curate.onnx", "catgan.export.onnx"),
    "huggingface_hub": "catgan.export.hub",
    "starlette": "catgan.review",
    "uvicorn": "catgan.review",
    "distributed": "catgan.core.cluster",
    "fsspec": "catgan.core.remote",
}
"""Libraries that one place alone knows; of PyAV one that reads videos, and one that writes them."""


@pytest.mark.parametrize("library", ALONE)
def test_some_libraries_are_known_in_one_place(library: str) -> None:
    known = ALONE[library]
    places = (known,) if isinstance(known, str) else known
    users = [
        name_of(path)
        for path in MODULES
        if any(imported.split(".")[0] == library for imported in imports_of(path))
    ]
    # cv2.data holds paths of files, and needs nothing of OpenCV's own
    users = [user for user in users if (library, user) != ("cv2", "catgan.curate.recipe")]
    assert users
    for user in users:
        assert any(user == place or user.startswith(f"{place}.") for place in places), user


def test_what_is_imported_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    optional = [one for name, lines in extras.items() if name != "dev" for one in lines]
    wanted = [*project["dependencies"], *optional]
    declared = {plain(re.split(r"[<>=!~\[; ]", line)[0]) for line in wanted}
    brings = packages_distributions()
    missing = {}
    for path in MODULES:
        for imported in imports_of(path):
            top = imported.split(".")[0]
            if top == "catgan" or top in sys.stdlib_module_names:
                continue
            homes = {plain(home) for home in brings.get(top, [top])}
            if not homes & declared:
                missing[top] = name_of(path)
    assert not missing


def plain(name: str) -> str:
    """A distribution's name as an index compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
