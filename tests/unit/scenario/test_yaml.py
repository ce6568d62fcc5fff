"""YAML as it is read here: plain data with lines, and nothing that YAML could do beyond."""

from __future__ import annotations

import time
from typing import Any

import pytest
import yaml

from payment_simulator.scenario import yaml_text
from payment_simulator.scenario.yaml_text import (
    MAX_DEPTH,
    YamlError,
    copy_plain,
    read_yaml,
    write_yaml,
)
from tests.unit.scenario.samples import refusal

SECONDS = 5.0


def problem(text: str) -> tuple[str, int | None]:
    """Return why a text is refused, and the line."""
    with pytest.raises(YamlError) as caught:
        read_yaml(text)
    return str(caught.value), caught.value.line


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-1", -1),
        ("+1", 1),
        ("0", 0),
        ("1_000_000", 1_000_000),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e4", 1e4),
        ("1.5e-3", 0.0015),
        ("1e-07", 1e-7),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        (".inf", float("inf")),
        ("NO", "NO"),
        ("yes", "yes"),
        ("on", "on"),
        ("1:30", "1:30"),
        ("010", "010"),
        ("0x1F", "0x1F"),
        ("2024-01-01", "2024-01-01"),
        ("=", "="),
        ("<<", "<<"),
        ("'1'", "1"),
        ('"true"', "true"),
        ("1e", "1e"),
        ("_1", "_1"),
        ("-", [None]),
        ("1__0", 10),
        ("A", "A"),
    ],
)
def test_what_looks_like_a_number_is_one_and_nothing_else(text: str, value: Any) -> None:
    read = read_yaml(text)[0]
    assert read == value
    assert type(read) is type(value)


def test_keys_are_texts() -> None:
    assert read_yaml("1: a\ntrue: b\n~: c\nNO: d")[0] == {
        "1": "a",
        "true": "b",
        "~": "c",
        "NO": "d",
    }


def test_lines_of_everything() -> None:
    _, mark = read_yaml("a: 1\nb:\n  - x\n  -\n    c: 3\n\nd: {e: 4,\n  f: 5}\n")
    assert mark.parts["a"].line == 1
    assert mark.parts["b"].line == 2
    assert mark.parts["b"].parts[0].line == 3
    assert mark.parts["b"].parts[1].parts["c"].line == 5
    assert mark.parts["d"].parts["e"].line == 7
    assert mark.parts["d"].parts["f"].line == 8


def test_a_bomb_of_aliases_is_refused_at_its_first_anchor() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)]
    began = time.monotonic()
    words, line = problem("\n".join(lines))
    assert time.monotonic() - began < SECONDS
    assert words.startswith("&a0: anchors and aliases")
    assert line == 1


@pytest.mark.parametrize("text", ["a: *b", "*b : 1", "- *b"])
def test_an_alias_without_anchor_is_refused(text: str) -> None:
    assert "*b: anchors and aliases" in problem(text)[0]


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "[{a: "])
@pytest.mark.parametrize("n", [MAX_DEPTH + 1, 100_000])
def test_deep_nesting_is_refused(opening: str, n: int) -> None:
    began = time.monotonic()
    words, line = problem(opening * n)
    assert time.monotonic() - began < SECONDS
    assert f"nested more than {MAX_DEPTH} deep" in words
    assert line == 1


def test_the_deepest_nesting_that_is_read() -> None:
    value = read_yaml("[" * MAX_DEPTH + "]" * MAX_DEPTH)[0]
    for _ in range(MAX_DEPTH - 1):
        (value,) = value
    assert value == []


@pytest.mark.parametrize(
    "tag",
    [
        "!!python/object/apply:os.system ['touch /tmp/owned']",
        "!!python/name:os.system",
        "!!python/object:collections.OrderedDict {}",
        "!!int '5'",
        "!!str 5",
        "!!binary aGk=",
        "!!set {a}",
        "!own x",
        "!<tag:x> y",
    ],
)
def test_tags_are_refused(tag: str) -> None:
    words, line = problem(f"\nname: {tag}")
    assert "is not read here" in words
    assert line == 2


def test_a_key_that_is_there_twice_is_refused_with_both_lines() -> None:
    assert problem("a: 1\nb: 2\na: 3") == ("key 'a' is here a second time; first in line 1", 3)
    # However the key is written.
    assert "a second time" in problem("a: 1\n'a': 2")[0]
    assert "a second time" in problem("{x: {a: 1, a: 1}}")[0]


@pytest.mark.parametrize("text", ["? [a]\n: 1", "{[a]: 1}", "? {a: 1}\n: 2"])
def test_only_texts_are_keys(text: str) -> None:
    assert "as a key" in problem(text)[0]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: [1", 1),
        ("a:\n\tb: 1", 2),
        ("a: 'x", 1),
        ("a: b: c", 1),
        ("}", 1),
        ("a: @b", 1),
        ("%YAML 9.9.9\n---\na", 1),
        ("--- a\n--- b", 2),
    ],
)
def test_what_is_no_yaml_is_refused_with_a_line(text: str, line: int) -> None:
    found = problem(text)[1]
    assert found is not None
    assert abs(found - line) <= 1


def test_too_many_values_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_text, "MAX_VALUES", 4)
    assert read_yaml("[1, 2, 3]")[0] == [1, 2, 3]
    assert problem("[1, 2,\n3, 4]") == ("more than 4 values", 2)


def test_a_number_of_many_digits_is_refused() -> None:
    assert "more than 100 characters" in problem("a: " + "9" * 5000)[0]
    assert "more than 100 characters" in problem("a: 0." + "9" * 5000)[0]
    assert read_yaml("a: '" + "9" * 5000 + "'")[0] == {"a": "9" * 5000}


@pytest.mark.parametrize("text", ["a: \x01", "a: \x7f", "\ud800", "a: \x00"])
def test_characters_that_no_text_has(text: str) -> None:
    assert refusal(text).startswith("scenario")


def test_the_python_parser_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where PyYAML was installed without its compiled part."""
    text = "a: 1\nb: ['x', 2.5, ~]\nc: {d: NO}\n"
    expected = read_yaml(text)
    monkeypatch.setattr(yaml_text, "_LOADER", yaml.SafeLoader)
    assert read_yaml(text) == expected
    assert "nested" in problem("[" * 10_000)[0]
    assert "anchors" in problem("a: &b c")[0]
    assert "cannot stand in YAML" in problem("a: \x01")[0]


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "1", "1e5", "true", "NO", "~", "null", "1:30", "a: b", "- a", "#", "&a", "*a"),
        *(
            "!x",
            "%",
            "@",
            "`",
            "'",
            '"',
            "\\",
            "\n",
            "a\nb",
            "\t",
            "\r\n",
            "\x85",
            "\u2028",
            "\x7f",
        ),
        *("\x00", "\x1b[31m", "é", "漢字", "😀", "\ufeff", "x" * 500, " lead", "trail ", "{", "["),
    ],
)
def test_texts_are_written_so_that_they_are_read_as_they_were(text: str) -> None:
    data = {"a": text, text or "k": [text]}
    assert read_yaml(write_yaml(data))[0] == data


@pytest.mark.parametrize(
    "number", [0, -1, 10**18, 0.1, 1e-7, 1e22, 1.5e300, 5e-324, float("inf"), float("-inf")]
)
def test_numbers_are_written_so_that_they_are_read_as_they_were(number: float) -> None:
    read = read_yaml(write_yaml([number]))[0]
    assert read == [number]
    assert type(read[0]) is type(number)


def test_shared_parts_are_written_out() -> None:
    part = {"x": [1]}
    assert read_yaml(write_yaml({"a": part, "b": part}))[0] == {"a": part, "b": part}


class TestCopyPlain:
    """Data that a program gives instead of a text."""

    def test_nothing_is_shared_with_the_original(self) -> None:
        given = {"a": [1, {"b": 2}], "t": (1, 2)}
        copied = copy_plain(given)
        assert copied == {"a": [1, {"b": 2}], "t": [1, 2]}
        given["a"].append(3)  # type: ignore[attr-defined]
        assert copied["a"] == [1, {"b": 2}]

    def test_numpy_scalars_become_plain(self) -> None:
        import numpy as np

        copied = copy_plain({"a": np.int64(3), "b": np.float64(0.5), "c": np.bool_(True)})
        assert copied == {"a": 3, "b": 0.5, "c": True}
        assert [type(value) for value in copied.values()] == [int, float, bool]

    @pytest.mark.parametrize("value", [object(), {1}, b"x", 1j, len, {1: 2}, {None: 1}, "\ud800"])
    def test_what_yaml_cannot_say_is_refused(self, value: Any) -> None:
        with pytest.raises(YamlError):
            copy_plain({"a": value})
        assert refusal({"name": value}).startswith("scenario: ")

    def test_a_mapping_within_itself_is_refused(self) -> None:
        endless: dict[str, Any] = {}
        endless["a"] = endless
        with pytest.raises(YamlError, match="nested"):
            copy_plain(endless)

    def test_shared_lists_that_would_grow_without_end_are_refused(self) -> None:
        part: list[Any] = ["x"] * 10
        for _ in range(20):
            part = [part] * 10
        with pytest.raises(YamlError, match="more values"):
            copy_plain(part, n_most=10_000)
