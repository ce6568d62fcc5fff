"""The door: files, texts, mappings, and what comes of each that cannot be used."""

from __future__ import annotations

import os
import pickle
import sys
import time
from pathlib import Path

import pytest

from payment_simulator.errors import ScenarioError
from payment_simulator.scenario import load_scenario, parse_scenario
from payment_simulator.scenario.yaml_text import MAX_BYTES
from tests.unit.scenario.samples import FULL, SMALL, refusal, small

TEXT = """\
simulation: {ticks_per_day: 10, num_days: 1}
agents:
  - {id: A, opening_balance: 5}
  - {id: B, opening_balance: 5}
"""


def refused_file(path: str | Path) -> str:
    """Return the one line with which a file is refused."""
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    message = str(caught.value)
    assert message.isprintable()
    assert message.startswith(str(path))
    return message


def test_a_file_is_named_by_its_stem_unless_it_names_itself(tmp_path: Path) -> None:
    file = tmp_path / "two_period.yaml"
    file.write_text(TEXT)
    scenario = load_scenario(file)
    assert scenario.name == "two_period"
    assert scenario.text == TEXT
    assert load_scenario(str(file)) == scenario
    file.write_text("name: mine\n" + TEXT)
    assert load_scenario(file).name == "mine"


def test_a_text_and_a_mapping_say_the_same() -> None:
    text, mapping = parse_scenario(TEXT), parse_scenario(parse_scenario(SMALL).text)
    assert text.name == mapping.name == "scenario"
    assert parse_scenario(SMALL).agents == mapping.agents


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    assert load_scenario(file).text == TEXT


def test_a_problem_is_told_with_file_and_line(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(TEXT.replace("id: B, opening_balance: 5", "id: B, opening_balance: -5"))
    assert refused_file(file) == (
        f"{file}, line 4, agents[1].opening_balance: -5 is negative; "
        "expected a whole number from 0 to 10^15 (cents)"
    )


def test_more_problems_are_counted() -> None:
    data = small(end_of_day="x", queue_discipline="y", eod_rush_threshold=7)
    assert refusal(data).endswith("(and 2 more)")


def test_files_that_are_none(tmp_path: Path) -> None:
    assert "not there" in refused_file(tmp_path / "missing.yaml")
    assert "a folder" in refused_file(tmp_path)
    assert "not there" in refused_file(tmp_path / "no" / "folder.yaml")
    refused_file(tmp_path / ("x" * 5000))
    with pytest.raises(ScenarioError):
        load_scenario("nul\0byte")


@pytest.mark.skipif(sys.platform == "win32", reason="no such devices")
def test_devices_and_pipes_are_not_read(tmp_path: Path) -> None:
    assert "no file" in refused_file("/dev/zero")
    os.mkfifo(tmp_path / "pipe")
    assert "no file" in refused_file(tmp_path / "pipe")


@pytest.mark.parametrize("content", [b"", b"\n\n", b"# nothing\n", b"---\n", b"~"])
def test_empty_files(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "s.yaml"
    file.write_bytes(content)
    assert refused_file(file).endswith(": it is empty; expected a scenario")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x7fELF\x02\x01\x01\0\0", "binary"),
        ("agents: é".encode("utf-16"), "binary"),
        (b"name: a\nsource: Z\xfcrich\n", "line 2: not UTF-8"),
        (b"\xff\xfe", "line 1: not UTF-8"),
        (b"[1, 2]", "a list was given; expected a mapping"),
        (b"hello", "'hello' is text; expected a mapping"),
        (b"5", "5 was given; expected a mapping"),
    ],
)
def test_files_of_something_else(tmp_path: Path, content: bytes, words: str) -> None:
    file = tmp_path / "s.yaml"
    file.write_bytes(content)
    assert words in refused_file(file)


def test_a_huge_file_is_refused_without_being_parsed(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    with file.open("wb") as opened:
        opened.truncate(2**36)
    began = time.monotonic()
    assert "larger than 16 MiB" in refused_file(file)
    assert time.monotonic() - began < 5
    assert "larger than 16 MiB" in refusal(" " * (MAX_BYTES + 1))


def test_the_name_of_a_file_cannot_break_the_line() -> None:
    message = refusal("agents: ]", where="a\nb\x1b[31m.yaml")
    assert message.startswith("a\\nb\\x1b[31m.yaml, line 1: not YAML")


@pytest.mark.parametrize("source", [None, 5, b"agents", ["a"]])
def test_what_is_neither_text_nor_mapping(source: object) -> None:
    assert refusal(source).endswith("expected text or a mapping")


def test_keys_that_would_break_the_line_are_written_out() -> None:
    assert "['a\\nb']: unknown key" in refusal({"a\nb": 1})
    assert "\x1b" not in refusal({"\x1b[2J": 1})


def test_scenarios_go_to_other_processes() -> None:
    scenario = parse_scenario(FULL)
    copied = pickle.loads(pickle.dumps(scenario))
    assert copied == scenario
    assert copied.policies == scenario.policies
    assert copied.text == scenario.text
