"""What a release says in several places is the same in all of them."""

import re
import tomllib
from pathlib import Path

import pytest

from catgan.core.version import HOMEPAGE, __version__

ROOT = Path(__file__).resolve().parent.parent
CLASSIFIER = re.compile(r"Programming Language :: Python :: (3\.\d+)")


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_version_is_one() -> None:
    """The newest section of changes that is released, the citation, and the wheel's name."""
    released = re.search(r"^## (\S+) \((\d{4}-\d\d-\d\d)\)$", text_of("CHANGELOG.md"), re.MULTILINE)
    cited = re.compile(r'^(version|date-released): "?([^"\n]+)"?$', re.MULTILINE)
    citation = dict(cited.findall(text_of("CITATION.cff")))
    assert released is not None
    assert released.groups() == (citation["version"], citation["date-released"])
    assert released[1] == __version__
    wheels = set(re.findall(r"catgan-([\w.]+)-py3-none-any\.whl", text_of("docs/install.md")))
    assert wheels == {__version__}


def test_sections_of_changes_are_newest_first() -> None:
    numbers = re.findall(r"^## (\d+(?:\.\d+)*) ", text_of("CHANGELOG.md"), re.MULTILINE)
    order = [tuple(map(int, number.split("."))) for number in numbers]
    assert order
    assert order == sorted(set(order), reverse=True)


def test_every_python_that_is_named_is_tested() -> None:
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    named = [match[1] for one in project["classifiers"] if (match := CLASSIFIER.fullmatch(one))]
    assert project["requires-python"] == f">={named[0]}"
    workflow = ROOT / ".github" / "workflows" / "test.yml"
    if not workflow.exists():
        pytest.skip("the workflows are in a checkout, not in the source distribution")
    matrix = re.search(r"python: \[(.*)\]", workflow.read_text(encoding="utf-8"))
    assert matrix is not None
    assert set(named) <= set(re.findall(r'"([\d.]+)"', matrix[1]))


def test_actions_are_pinned_to_commits() -> None:
    """A tag can be moved to other code, which would then run with our rights."""
    workflows = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
    if not workflows:
        pytest.skip("the workflows are in a checkout, not in the source distribution")
    used = [
        line.split("uses: ")[1]
        for workflow in workflows
        for line in workflow.read_text(encoding="utf-8").splitlines()
        if "uses: " in line and "uses: ./" not in line
    ]
    assert used
    assert not [one for one in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", one)]


def test_the_citation_names_the_address_where_there_is_one() -> None:
    found = re.search(r"^repository-code: (.*)$", text_of("CITATION.cff"), re.MULTILINE)
    assert (found[1] if found else "") == HOMEPAGE
