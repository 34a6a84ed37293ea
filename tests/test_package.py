"""What is released: what is in it, and that the wheel works outside the checkout."""

import email
import os
import re
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A source distribution, and the wheel that is built from it."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder)]
    subprocess.run([*build, str(ROOT)], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    (built,) = dist.glob("*.whl")
    return built


def test_the_wheel_holds_the_package_and_the_recipes_alone(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "catgan/cli/__init__.py" in names
    assert "catgan/cascades/quick.toml" in names
    assert "catgan/cascades/turned.toml" in names
    assert "catgan/model/base/generator.safetensors" in names
    assert "catgan/model/base/discriminator.safetensors" in names
    assert any(name.startswith("catgan/compare/report/templates/") for name in names)
    for name in ("static/review.js", "static/review.css", "templates/review.html.j2"):
        assert f"catgan/review/{name}" in names
    tops = {name.split("/")[0] for name in names}
    assert all(top == "catgan" or top.endswith(".dist-info") for top in tops), tops
    pictures = (".jpg", ".jpeg", ".png", ".xml", ".pt")
    assert not [name for name in names if name.endswith(pictures)]


def test_the_source_holds_what_runs_tests_and_explains_it(dist: Path) -> None:
    (built,) = dist.glob("*.tar.gz")
    with tarfile.open(built) as archive:
        names = [name.partition("/")[2] for name in archive.getnames()]
    for name in (
        "CITATION.cff",
        "LICENSE",
        "Makefile",
        "SECURITY.md",
        "benchmarks/train.py",
        "cascades/verified.toml",
        "catgan/model/base/generator.safetensors",
        "docs/install.md",
        "docs/pictures/base.jpg",
        "notebooks/catgan.ipynb",
        "tests/test_package.py",
    ):
        assert name in names
    for folder in ("raw", "curated", "runs", ".venv"):  # which may be full of a person's photos
        assert not [name for name in names if name.startswith(f"{folder}/")], folder
    assert built.stat().st_size < 20_000_000


def test_the_text_for_a_package_index_stands_by_itself(wheel: Path) -> None:
    """There are no files beside it there, so that a relative link or picture leads nowhere."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [one for one in archive.namelist() if one.endswith(".dist-info/METADATA")]
        metadata = email.message_from_bytes(archive.read(name))
    text = metadata.get_payload()
    assert isinstance(text, str)
    assert text.startswith("# catgan\n")
    assert metadata["Description-Content-Type"] == "text/markdown"
    links = re.findall(r"\]\(([^)]*)\)", text)
    assert not [link for link in links if not link.startswith("https://")]
    assert "docs/install.md" in text  # named, though not linked


def test_it_works_in_a_clean_environment(wheel: Path, tmp_path: Path, album: Path) -> None:
    """Installed without its dependencies, which are lent from this environment."""
    environment = tmp_path / "venv"
    venv.create(environment, with_pip=False)
    python = environment / ("Scripts" if os.name == "nt" else "bin") / "python"
    paths = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    site = Path(subprocess.run(paths, check=True, capture_output=True, text=True).stdout.strip())
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    subprocess.run([*pip, "--no-deps", "--no-index", str(wheel)], check=True, capture_output=True)
    lent = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    (site / "lent.pth").write_text("\n".join(lent) + "\n")

    outside = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [str(python.with_name("catgan")), *arguments],
            cwd=tmp_path,
            env=outside,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    where = subprocess.run(
        [str(python), "-c", "import catgan; print(catgan.__file__)"],
        cwd=tmp_path,
        env=outside,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert str(site) in where
    assert "curate" in run("--help")
    out = run("curate", str(album), "curated", "--cascade", "quick", "--workers", "1")
    assert "photos" in out
    assert (tmp_path / "curated" / "photos.jsonl").exists()
