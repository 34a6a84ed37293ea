"""Pages: what marks them as ours, and that a command replaces its own alone."""

from pathlib import Path

import pytest

from catgan.core.errors import BadUsage, FileRefused
from catgan.core.files import BEGINNING
from catgan.core.pages import check_page, page_environment

COMMANDS = ("compare", "inspect", "review", "sample")
PACKAGES = {
    "compare": "catgan.compare.report",
    "inspect": "catgan.inspect",
    "review": "catgan.review",
    "sample": "catgan.sample",
}
HEAD = '<!doctype html>\n<meta name="generator" content="{{ written_by }}">\n<title>x</title>\n'
OLD = '<!doctype html>\n<meta name="generator" content="catgan 0.1.0">\n<title>x</title>\n'


def page_of(command: str) -> str:
    return page_environment(PACKAGES[command], command).from_string(HEAD).render()


def check(path: Path, command: str) -> None:
    check_page(path, command, option="--page", usual="page.html")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_page_is_replaced_by_the_command_that_wrote_it(command: str, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(page_of(command), encoding="utf-8")
    check(page, command)
    for other in COMMANDS:
        if other == command:
            continue
        with pytest.raises(FileRefused, match=rf"catgan {command} wrote it; .*--page"):
            check(page, other)


@pytest.mark.parametrize("command", COMMANDS)
def test_one_of_an_older_catgan_is_replaced_by_any(command: str, tmp_path: Path) -> None:
    """The first pages did not say which command wrote them."""
    page = tmp_path / "page.html"
    page.write_text(OLD, encoding="utf-8")
    check(page, command)
    page.write_text("", encoding="utf-8")
    check(page, command)
    check(tmp_path / "new.html", command)


def test_what_only_looks_like_one_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    title = "<title>curated (catgan inspect)</title>"
    for text in (title, "x" * BEGINNING + page_of("inspect"), OLD.replace("catgan", "dogan")):
        page.write_text(text, encoding="utf-8")
        with pytest.raises(FileRefused, match="catgan did not write it"):
            check(page, "inspect")
    with pytest.raises(BadUsage, match="is a folder"):
        check(tmp_path, "inspect")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_template_has_the_mark_in_its_head(command: str) -> None:
    """Not in a comment or a sentence: as the line that `check_page` looks for."""
    loader = page_environment(PACKAGES[command], command).loader
    assert loader is not None
    (name,) = [one for one in loader.list_templates() if one.endswith(".html.j2")]
    source, _, _ = loader.get_source(page_environment(PACKAGES[command], command), name)
    begins = source.lower().index("<!doctype html>")
    head = source[begins : source.index("<title>", begins)]
    assert '\n<meta name="generator" content="{{ written_by }}">\n' in head
    assert len(head.encode()) < BEGINNING / 2
