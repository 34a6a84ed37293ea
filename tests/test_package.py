"""The wheel: what is in it, and that it works outside the checkout."""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    subprocess.run([*build, str(ROOT)], check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
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

    def run(*arguments: str) -> str:
        outside = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
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
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert str(site) in where
    assert "curate" in run("--help")
    out = run("curate", str(album), "curated", "--cascade", "quick", "--workers", "1")
    assert "photos" in out
    assert (tmp_path / "curated" / "photos.jsonl").exists()
