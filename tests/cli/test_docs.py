"""`docs/commands` says what the commands do: the pages are those that the code makes."""

import importlib.util
import re
import shlex
from pathlib import Path
from types import ModuleType

import pytest

from catgan.cli import app
from tests.cli.conftest import Catgan

DOCS = Path(__file__).parents[2] / "docs"
COMMANDS = [one.callback.__name__ for one in app.registered_commands if one.callback]


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_pages_are_what_the_code_makes(generate: ModuleType) -> None:
    there = {
        path.name: path.read_text(encoding="utf-8") for path in (DOCS / "commands").glob("*.md")
    }
    assert there == generate.pages(), "run: make docs"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_page_has_every_flag_of_help_and_no_other(catgan: Catgan, command: str) -> None:
    """The parser's own word for it, not the generator's."""
    shown = catgan(command, "--help").out.split("Options:")[1]
    flags = set(re.findall(r"(?:^  |/ ?)(--[a-z0-9-]+)", shown, re.MULTILINE))
    page = (DOCS / "commands" / f"{command}.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`--.*?) \|", page, re.MULTILINE)
    assert {flag.strip("`") for row in rows for flag in row.split()} == flags


@pytest.mark.parametrize("command", COMMANDS)
def test_two_examples_with_flags_that_there_are(generate: ModuleType, command: str) -> None:
    lines = [shlex.split(line) for line, _ in generate.EXAMPLES[command]]
    assert len(lines) == 2
    page = (DOCS / "commands" / f"{command}.md").read_text(encoding="utf-8")
    for line in lines:
        assert line[:2] == ["catgan", command]
        for flag in (word for word in line if word.startswith("--")):
            assert f"`{flag}`" in page


def test_they_link_to_nothing_outside() -> None:
    for path in (DOCS / "commands").glob("*.md"):
        assert not re.search(r"https?://|pypi|conda", path.read_text(encoding="utf-8")), path
