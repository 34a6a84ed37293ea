"""Records: what is written is what is read, and what is damaged is said in one sentence."""

import dataclasses
import json
import types
import typing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catgan.core.errors import BadRecord
from catgan.core.files import write_jsonl
from catgan.formats.curated import CuratedNote
from catgan.formats.datasets import PictureRecord
from catgan.formats.photos import FaceRecord, PhotoRecord
from catgan.formats.records import from_json, read_object, read_records, to_json
from catgan.formats.runs import DataRecord, RunConfig
from catgan.formats.stats import EpochStats

RECORDS = (PhotoRecord, PictureRecord, CuratedNote, RunConfig, EpochStats)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def values_of(kind: Any) -> st.SearchStrategy[Any]:
    """Every value that a field of this type can have on disk."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is types.UnionType:
        return st.one_of(*map(values_of, arguments))
    if origin is tuple and arguments[-1] is ...:
        return st.lists(values_of(arguments[0]), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*map(values_of, arguments))
    if origin is dict:
        return st.dictionaries(st.text(), st.integers() | st.text(), max_size=3).map(
            lambda table: {k: str(v) if arguments[1] is str else 7 for k, v in table.items()}
        )
    if dataclasses.is_dataclass(kind):
        return records_of(typing.cast("type[Any]", kind))
    plain: dict[Any, st.SearchStrategy[Any]] = {
        type(None): st.none(),
        bool: st.booleans(),
        int: st.integers(-(2**62), 2**62),
        float: st.floats(allow_nan=False, allow_infinity=False),
        str: st.text(st.characters(codec="utf-8")),
    }
    return plain[kind]


COUNTS = st.integers(0, 10**9)
NARROWER: dict[tuple[type[Any], str], st.SearchStrategy[Any]] = {
    (PhotoRecord, "width"): COUNTS,
    (PhotoRecord, "height"): COUNTS,
    (PhotoRecord, "sha256"): st.just("") | st.text("0123456789abcdef", min_size=64, max_size=64),
    (PhotoRecord, "fingerprint"): st.just("") | st.text("0123456789af", min_size=16, max_size=16),
    (EpochStats, "epoch"): COUNTS,
    (EpochStats, "images_shown"): COUNTS,
    (EpochStats, "since"): st.none() | COUNTS,
    **{(DataRecord, name): COUNTS for name in ("size", "resized", "cut", "enlarged", "train")},
}
"""Fields that may not have every value of their type."""


def records_of(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Every record of a kind."""
    kinds = typing.get_type_hints(kind)
    return st.builds(
        kind,
        **{name: NARROWER.get((kind, name), values_of(one)) for name, one in kinds.items()},
    )


PHOTO = {"path": "a", "sha256": "", "width": 1, "height": 1, "verdict": "kept", "reason": ""}
RUN: dict[str, Any] = {"settings": {}, "data": {"name": "a", "folder": "/a", "train": 1}}


@pytest.mark.parametrize(
    ("kind", "good", "name", "value"),
    [
        (PhotoRecord, PHOTO, "fingerprint", "xyz"),
        (PhotoRecord, PHOTO, "fingerprint", "0" * 17),
        (PhotoRecord, PHOTO, "sha256", "/../../../x"),
        (PhotoRecord, PHOTO, "width", -1),
        (PhotoRecord, PHOTO, "height", 10**30),
        (RunConfig, RUN, "settings.size", "big"),
        (RunConfig, RUN, "settings.size", 0),
        (RunConfig, RUN, "settings.size", True),
        (RunConfig, RUN, "data.train", -1),
        (RunConfig, RUN, "data.size", 10**30),
        (EpochStats, {"epoch": 1, "images_shown": 1}, "epoch", -1),
        (EpochStats, {"epoch": 1, "images_shown": 1}, "since", 10**30),
    ],
)
def test_values_of_the_right_type_that_cannot_be_are_refused(
    tmp_path: Path, kind: type[Any], good: dict[str, Any], name: str, value: Any
) -> None:
    path = tmp_path / "x.jsonl"
    outer, _, inner = name.rpartition(".")
    bad = good | ({outer: good[outer] | {inner: value}} if outer else {inner: value})
    write_jsonl(path, [good, bad])
    with pytest.raises(BadRecord, match=rf"x\.jsonl, line 2, .*{inner} is"):
        list(read_records(path, kind))
    assert len(list(read_records(path, kind, forgiving=True))) == 1


@pytest.mark.parametrize("kind", RECORDS)
def test_what_is_written_is_what_is_read(kind: type[Any]) -> None:
    @settings(max_examples=60, deadline=None, derandomize=True)
    @given(records_of(kind))
    def holds(record: Any) -> None:
        table = json.loads(json.dumps(to_json(record), allow_nan=False))
        if isinstance(record, RunConfig) and record.start is not None:
            table["start"]["from_"] = table["start"].pop("from")  # `Run.read_config` does
        assert from_json(table, kind, "here") == record

    holds()


@pytest.mark.parametrize("kind", RECORDS)
def test_fields_that_a_newer_catgan_adds_are_passed_over(kind: type[Any]) -> None:
    @settings(max_examples=20, deadline=None, derandomize=True)
    @given(records_of(kind), ANYTHING)
    def holds(record: Any, more: Any) -> None:
        table = to_json(dataclasses.replace(record, **without_start(record)))
        assert from_json(table | {"whiskers": more}, kind, "here") == from_json(table, kind, "here")

    holds()


def without_start(record: Any) -> dict[str, None]:
    return {"start": None} if isinstance(record, RunConfig) else {}


@pytest.mark.parametrize("kind", RECORDS)
def test_anything_in_any_field_is_a_record_or_one_sentence(kind: type[Any], tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"

    @settings(max_examples=150, deadline=None, derandomize=True)
    @given(records_of(kind), st.data())
    def holds(record: Any, data: st.DataObject) -> None:
        table = to_json(record)
        name = data.draw(st.sampled_from([field.name for field in dataclasses.fields(kind)]))
        table[name] = data.draw(ANYTHING)
        path.write_text(json.dumps(table) + "\n", encoding="utf-8", errors="surrogatepass")
        try:
            (found,) = read_records(path, kind)
        except BadRecord as error:
            sentence = str(error)
            assert sentence.startswith(f"{path}, line 1,")
            assert "\n" not in sentence
        else:
            assert isinstance(found, kind)

    holds()


HOSTILE = {
    "nested": b'{"path": ' + b"[" * 100_000,
    "nested and closed": b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a number of 5,000 digits": b'{"epoch": ' + b"9" * 5000 + b', "images_shown": 1}',
    "too large": b'{"epoch": 1, "images_shown": 1, "kid": 1e999}',
    "not a number": b'{"epoch": 1, "images_shown": 1, "kid": NaN}',
    "half a surrogate": rb'{"path": "\ud800"}',
    "a list": b"[1, 2]",
    "no JSON": b"cats",
    "other bytes": b"\xff\xfe\x00\x01",
    "nothing but zeros": bytes(64),
}


@pytest.mark.parametrize("line", HOSTILE.values(), ids=HOSTILE)
def test_hostile_lines(line: bytes, tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b'{"epoch": 1, "images_shown": 10}\n' + line + b"\n")
    with pytest.raises(BadRecord, match=r"lines\.jsonl, line 2,") as caught:
        list(read_records(path, EpochStats))
    assert len(str(caught.value)) < 500 + len(str(path))
    assert [one.epoch for one in read_records(path, EpochStats, forgiving=True)] == [1]
    path.write_bytes(line)
    with pytest.raises(BadRecord):
        from_json(read_object(path) or {}, EpochStats, str(path))


def test_the_sentence_names_file_line_and_field(tmp_path: Path) -> None:
    path = tmp_path / "photos.jsonl"
    record = {"path": "a", "sha256": "", "width": 1, "height": 1, "verdict": "kept", "reason": ""}
    face = {"box": [1, 2, 3, "wide"], "roll": 0, "score": 0, "recipe": "x"}
    write_jsonl(path, [record, record | {"faces": [face]}])
    with pytest.raises(BadRecord) as caught:
        list(read_records(path, PhotoRecord))
    assert str(caught.value).startswith(
        f"{path}, line 2, is not what catgan wrote there (faces[0].box[3]: Expected float, got str)"
    )


def test_a_last_line_cut_short_by_a_kill_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "stats.jsonl"
    whole = b'{"epoch": 1, "images_shown": 10}\n{"epoch": 2, "images_shown": 20}\n'
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        epochs = [record.epoch for record in read_records(path, EpochStats)]
        assert epochs == [1, 2][: whole[: end + 1].count(b"\n")]


def test_a_missing_file_holds_nothing(tmp_path: Path) -> None:
    assert list(read_records(tmp_path / "none.jsonl", EpochStats)) == []
    assert read_object(tmp_path / "none.json") is None


def test_a_folder_in_its_place_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadRecord, match="irectory"):
        read_object(tmp_path)
    with pytest.raises(BadRecord, match="irectory"):
        list(read_records(tmp_path, EpochStats))


def test_what_is_none_is_left_out() -> None:
    face = FaceRecord(box=(1, 2, 3, 4), roll=0.0, score=1.0, recipe="x")
    assert to_json(face) == {"box": [1, 2, 3, 4], "roll": 0.0, "score": 1.0, "recipe": "x"}


def test_what_is_in_a_mapping_is_kept() -> None:
    data = DataRecord(name="a", folder="/a", train=3)
    config = RunConfig(settings={"scale": None, "recipe": "article"}, data=data)
    assert to_json(config)["settings"] == {"scale": None, "recipe": "article"}
