"""Recipes by name, by file, and what is none."""

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest
from cv2.data import haarcascades

from catgan.core.errors import BadRecipe
from catgan.curate.choices import STRICTNESS
from catgan.curate.recipe import (
    load_classifier,
    load_recipe,
    recipe_names,
)

XML = Path(haarcascades) / "haarcascade_frontalcatface.xml"
GOOD = f"""
side = 480
turns = [0, 20]
min_size = 0.1
min_score = 0.5
[[cascade]]
file = "{XML.name}"
scale_step = 1.2
min_neighbors = 2
"""


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_that_comes_along_loads(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name
    assert all(cascade.file.is_file() for cascade in recipe.cascades)
    assert recipe.digest() == load_recipe(name).digest()


def test_those_that_the_readme_names_are_among_them() -> None:
    assert {"quick", "turned"} <= set(recipe_names())
    assert load_recipe("quick").turns == (0,)
    assert set(load_recipe("turned").turns) == {0, -20, 20, -40, 40}


def test_a_recipe_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD)
    recipe = load_recipe(str(path))
    assert (recipe.name, recipe.side, recipe.turns) == ("mine", 480, (0.0, 20.0))
    (cascade,) = recipe.cascades
    assert (cascade.file, cascade.scale_step, cascade.min_neighbors) == (XML.resolve(), 1.2, 2)


def test_a_cascade_beside_the_recipe_comes_first(tmp_path: Path) -> None:
    (tmp_path / XML.name).write_bytes(XML.read_bytes())
    (tmp_path / "mine.toml").write_text(GOOD)
    (cascade,) = load_recipe(str(tmp_path / "mine.toml")).cascades
    assert cascade.file == (tmp_path / XML.name).resolve()


class TestStrictness:
    """From which score a verifier takes something for a face."""

    def test_the_default_has_both_cascades_and_three_points(self) -> None:
        recipes = [load_recipe("verified", name) for name in STRICTNESS]
        for recipe in recipes:
            assert len({cascade.file for cascade in recipe.cascades}) == 2
            assert recipe.verifier is not None
        limits = [recipe.min_score for recipe in recipes]
        assert limits == sorted(set(limits)), "lenient first, strict last"
        assert len({recipe.digest() for recipe in recipes}) == len(STRICTNESS)
        assert load_recipe("verified") == recipes[STRICTNESS.index("normal")]

    def test_when_cascades_are_asked_and_on_what(self, tmp_path: Path) -> None:
        (tmp_path / "v.safetensors").write_bytes(b"")
        path = tmp_path / "mine.toml"
        path.write_text('verifier = "v.safetensors"\n' + GOOD)
        recipe = load_recipe(str(path))
        assert (recipe.min_cat, recipe.cascade_side) == (0, 0)
        path.write_text('verifier = "v.safetensors"\nmin_cat = 0.1\ncascade_side = 240\n' + GOOD)
        other = load_recipe(str(path))
        assert (other.min_cat, other.cascade_side, other.side) == (0.1, 240, 480)
        digests = {
            one.digest()
            for one in (
                recipe,
                other,
                dataclasses.replace(recipe, min_cat=0.1),
                dataclasses.replace(recipe, cascade_side=240),
            )
        }
        assert len(digests) == 4

    def test_a_cascade_may_have_turns_of_its_own(self, tmp_path: Path) -> None:
        path = tmp_path / "mine.toml"
        path.write_text(GOOD + "turns = [-30]\n")
        recipe = load_recipe(str(path))
        assert recipe.turns == (0.0, 20.0)
        assert recipe.cascades[0].turns == (-30.0,)
        plain = dataclasses.replace(recipe.cascades[0], turns=None)
        assert recipe.digest() != dataclasses.replace(recipe, cascades=(plain,)).digest()

    def test_the_map_alone_asks_no_cascade(self) -> None:
        alone = load_recipe("map")
        assert (alone.cascades, alone.verifier is not None) == ((), True)

    def test_an_older_recipe_of_ones_own(self, tmp_path: Path) -> None:
        (tmp_path / "v.safetensors").write_bytes(b"")
        path = tmp_path / "mine.toml"
        path.write_text('side = 384\nmin_score = 5\nverifier = "v.safetensors"\n')
        recipe = load_recipe(str(path))
        assert (recipe.min_score, recipe.cascades) == (5.0, ())

    def test_a_point_that_the_recipe_lacks(self, tmp_path: Path) -> None:
        path = tmp_path / "mine.toml"
        path.write_text(GOOD.replace("min_score = 0.5", "min_scores = { normal = 1, strict = 2 }"))
        assert load_recipe(str(path)).min_score == 1
        assert load_recipe(str(path), "strict").min_score == 2
        with pytest.raises(BadRecipe, match="mine cannot be more or less strict"):
            load_recipe(str(path), "lenient")

    def test_cascades_alone_cannot_be_strict(self) -> None:
        with pytest.raises(BadRecipe, match="quick cannot be more or less strict"):
            load_recipe("quick", "strict")

    @pytest.mark.parametrize("limits", ["3", "[3]", '{normal = "a"}', "{normal = nan}", "{}"])
    def test_what_are_no_limits(self, tmp_path: Path, limits: str) -> None:
        path = tmp_path / "mine.toml"
        path.write_text(GOOD.replace("min_score = 0.5", f"min_scores = {limits}"))
        with pytest.raises(BadRecipe, match="is not a recipe that can be"):
            load_recipe(str(path))


def test_an_xml_alone_is_a_recipe(tmp_path: Path) -> None:
    path = tmp_path / "katze.xml"
    path.write_bytes(XML.read_bytes())
    recipe = load_recipe(str(path))
    assert (recipe.name, recipe.turns) == ("katze", (0.0,))


def test_the_digest_is_of_all_that_matters(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD)
    recipe = load_recipe(str(path))
    others = [
        dataclasses.replace(recipe, side=481),
        dataclasses.replace(recipe, turns=(0.0,)),
        dataclasses.replace(recipe, min_size=0.2),
        dataclasses.replace(recipe, min_score=0.6),
        dataclasses.replace(
            recipe, cascades=(dataclasses.replace(recipe.cascades[0], min_neighbors=3),)
        ),
    ]
    xml = tmp_path / XML.name
    xml.write_bytes(
        XML.read_bytes().replace(b"<maxWeakCount>16<", b"<maxWeakCount>16 <", 1) + b"\n"
    )
    others.append(load_recipe(str(path)))
    digests = {recipe.digest(), *(other.digest() for other in others)}
    assert len(digests) == 1 + len(others)


class TestRefused:
    def test_an_unknown_name_lists_the_recipes(self) -> None:
        with pytest.raises(BadRecipe, match=r"no cascade or recipe trned; .*quick.*turned"):
            load_recipe("trned")

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "side = ",
            "\0",
            GOOD.replace("[[cascade]]", "[cascade]"),
            GOOD.replace("side = 480", ""),
            GOOD.replace("side = 480", 'side = "wide"'),
            GOOD.replace("side = 480", "side = 8"),
            "cascade_side = 8\n" + GOOD,
            GOOD + "turns = []\n",
            GOOD + "turns = [181]\n",
            "min_cat = 1.5\n" + GOOD,
            "min_cat = nan\n" + GOOD,
            GOOD.replace("[0, 20]", "20"),
            GOOD.replace("[0, 20]", "[]"),
            GOOD.replace("[0, 20]", "[[0]]"),
            GOOD.replace("min_size = 0.1", "min_size = 0"),
            GOOD.replace("min_size = 0.1", "min_size = nan"),
            GOOD.replace("scale_step = 1.2", "scale_step = 1"),
            GOOD.replace("min_neighbors = 2", "min_neighbors = -1"),
            GOOD.split("[[cascade]]")[0] + "cascade = []",
        ],
    )
    def test_a_toml_that_is_no_recipe(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "mine.toml"
        path.write_text(text)
        with pytest.raises(BadRecipe, match=r"mine\.toml is not a recipe that can be"):
            load_recipe(str(path))

    def test_a_recipe_whose_cascade_is_missing(self, tmp_path: Path) -> None:
        path = tmp_path / "mine.toml"
        path.write_text(GOOD.replace(XML.name, "nowhere.xml"))
        with pytest.raises(BadRecipe, match=r"The cascade nowhere\.xml is neither in"):
            load_recipe(str(path))

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"hello",
            b"<html></html>",
            b"<?xml version='1.0'?><opencv_storage><x>1</x></opencv_storage>",
            XML.read_bytes()[:20_000],
            b"\x89PNG\r\n\x1a\n" + bytes(100),
        ],
        ids=["empty", "text", "html", "other storage", "cut short", "png"],
    )
    def test_an_xml_that_is_no_cascade(
        self, tmp_path: Path, data: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "cat.xml"
        path.write_bytes(data)
        assert load_classifier(path) is None
        with monkeypatch.context() as patch:
            patch.setattr("catgan.curate.recipe.WINDOWS", True)
            elsewhere = tmp_path / "Kötetsu.xml"
            elsewhere.write_bytes(data)
            assert load_classifier(elsewhere) is None
        with pytest.raises(BadRecipe, match=r"cat\.xml is not a cascade that OpenCV can load"):
            load_recipe(str(path))
        (tmp_path / "mine.toml").write_text(GOOD.replace(XML.name, "cat.xml"))
        with pytest.raises(BadRecipe, match=r"cat\.xml is not a cascade"):
            load_recipe(str(tmp_path / "mine.toml"))

    def test_a_folder(self, tmp_path: Path) -> None:
        with pytest.raises(BadRecipe, match="no cascade or recipe"):
            load_recipe(str(tmp_path))


def test_on_windows_a_path_may_have_any_letters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenCV does not open such a file there; what it reads from memory finds the same."""
    elsewhere = tmp_path / "小鉄.xml"
    elsewhere.write_bytes(XML.read_bytes())
    monkeypatch.setattr("catgan.curate.recipe.WINDOWS", True)
    # smooth noise, in which a cascade without neighbours to ask for finds something
    noise = np.random.default_rng(0).integers(0, 256, (40, 40), dtype=np.uint8)
    picture = cv2.resize(noise, (320, 320), interpolation=cv2.INTER_CUBIC)
    found = []
    for path in (XML, elsewhere):
        classifier = load_classifier(path)
        assert classifier is not None
        found.append(sorted(map(tuple, classifier.detectMultiScale(picture, 1.05, 0))))
    assert found[0] == found[1]
    assert found[0]


HAAR = """<?xml version="1.0"?>
<opencv_storage><cascade type_id="opencv-cascade-classifier"><stageType>BOOST</stageType>
<featureType>HAAR</featureType><height>24</height><width>24</width>
<stageParams><maxWeakCount>1</maxWeakCount></stageParams>
<featureParams><maxCatCount>0</maxCatCount></featureParams><stageNum>1</stageNum>
<stages><_><maxWeakCount>1</maxWeakCount><stageThreshold>-1.0</stageThreshold><weakClassifiers>
<_><internalNodes>0 -1 {index} 0.0</internalNodes><leafValues>1.0 1.0</leafValues></_>
</weakClassifiers></_></stages>
<features><_><rects><_>0 0 12 12 -1.</_><_>0 0 6 12 2.</_></rects><tilted>0</tilted></_></features>
</cascade></opencv_storage>
"""


@pytest.mark.parametrize(("index", "sound"), [(0, True), (2_000_000_000, False)])
def test_a_foreign_cascade_is_tried_in_another_process(
    tmp_path: Path, index: int, sound: bool
) -> None:
    """One whose feature is not there ends the process that looks with it."""
    path = tmp_path / "foreign.xml"
    path.write_text(HAAR.format(index=index), encoding="utf-8")
    if sound:
        assert load_recipe(str(path)).cascades[0].file == path.resolve()
    else:
        with pytest.raises(BadRecipe, match="not a cascade"):
            load_recipe(str(path))


@pytest.mark.parametrize(
    "change",
    [
        "side = 1000000000",
        "side = inf",
        "turns = [nan]",
        f"turns = {[0] * 100_000}",
        "min_score = nan",
        "[[cascade]]\nfile = 'haarcascade_frontalcatface.xml'\nscale_step = 1.0000001\n"
        "min_neighbors = 1",
        "[[cascade]]\nfile = 'haarcascade_frontalcatface.xml'\nscale_step = 1.1\n"
        "min_neighbors = 10000000000000000000000000",
    ],
    ids=range(7),
)
def test_a_recipe_that_would_never_end_is_refused(tmp_path: Path, change: str) -> None:
    lines = {"side": "320", "min_score": "0.0", "turns": "[0]"}
    if not change.startswith("["):
        name, value = change.split(" = ", 1)
        lines[name] = value
        change = (
            "[[cascade]]\nfile = 'haarcascade_frontalcatface.xml'\nscale_step = 1.1\n"
            "min_neighbors = 1"
        )
    text = "\n".join(f"{name} = {value}" for name, value in lines.items())
    (tmp_path / "mine.toml").write_text(f"{text}\n\n{change}\n", encoding="utf-8")
    with pytest.raises(BadRecipe, match=r"mine\.toml is not a recipe"):
        load_recipe(str(tmp_path / "mine.toml"))
