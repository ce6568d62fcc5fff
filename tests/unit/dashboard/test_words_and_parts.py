"""Small parts of the pages: words, numbers from addresses, pages of tables, pictures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from payment_simulator.dashboard import parameters, words
from payment_simulator.dashboard.bars import bar_width, kinds_of, scale_of, whisker
from payment_simulator.dashboard.data import rounded
from payment_simulator.dashboard.proposers import proposers_of
from payment_simulator.dashboard.tables import Pager
from payment_simulator.errors import InputError
from payment_simulator.wording import plain_name


@pytest.mark.parametrize(
    ("cents", "expected"),
    [
        (None, "\N{EN DASH}"),
        (0.0, "0.00"),
        (-0.0, "0.00"),
        (123456.0, "1,234.56"),
        (-5.0, "\N{MINUS SIGN}0.05"),
        (1e17, "1,000,000,000,000,000.00"),
    ],
)
def test_money_is_in_currency_units(cents: float | None, expected: str):
    assert words.money(cents) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "\N{EN DASH}"),
        (1234567, "1,234,567"),
        (0.1 + 0.2, "0.3"),
        (-2.5, "\N{MINUS SIGN}2.5"),
        (1553024.2, "1,553,024"),
    ],
)
def test_numbers_have_the_digits_that_tell_something(value: float | None, expected: str):
    assert words.number(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "\N{EN DASH}"),
        (0.25, "0.25 s"),
        (12.34, "12.3 s"),
        (61.0, "1 min 01 s"),
        (3725.0, "1 h 02 min"),
    ],
)
def test_lengths_of_time(value: float | None, expected: str):
    assert words.seconds(value) == expected


def test_texts_keep_their_lines_and_show_what_is_hidden_in_them():
    assert words.plain("a\tb\r\n\x1b[31m\u202e") == "a\tb\n\\x1b[31m\\u202e"
    assert words.plain("x" * 400_001).endswith("1 more characters are in the record.")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [""]),
        ("twelve_period", ["twelve_", "period"]),
        ("a--b/c.d e", ["a--", "b/", "c.", "d ", "e"]),
        ("__x", ["__", "x"]),
        ("x" * 30, ["x" * 24, "x" * 6]),
        ("a\u202eb", ["a\\u202eb"]),
    ],
)
def test_a_name_is_broken_after_its_signs_alone(text: str, expected: list[str]):
    assert words.pieces(text) == expected


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"proposer": {"kind": "search", "sampler": "tpe"}}, ("search/tpe",)),
        ({"proposer": {"kind": "grid", "model": None}}, ("grid",)),
        ({"proposer": {"kind": "python", "object": "mine:Best"}}, ("mine:Best",)),
        (
            {
                "proposer": {"kind": "grid"},
                "optimized_agents": {
                    "B": {"proposer": {"kind": "llm", "model": "anthropic:x"}},
                    "A": {"proposer": None},
                    "C": {},
                },
            },
            ("anthropic:x", "grid"),
        ),
        (
            {"proposer": {"kind": "search", "sampler": ["tpe"]}, "optimized_agents": [1]},
            ("search",),
        ),
        ({"proposer": {"kind": ["search"]}, "optimized_agents": {"A": 7}}, ()),
        ({"proposer": "search"}, ()),
        ([], ()),
    ],
)
def test_who_proposes_is_read_from_any_configuration(config: object, expected: tuple[str, ...]):
    assert proposers_of(json.dumps(config)) == expected
    assert proposers_of("[" * 100_000) == proposers_of("no") == ()


def test_json_is_set_out_and_other_texts_stay_as_they_are():
    assert words.indented('{"a":[1,"ä"]}') == '{\n  "a": [\n    1,\n    "ä"\n  ]\n}'
    assert words.indented("{not json") == "{not json"
    assert words.indented("[" * 100_000) == "[" * 100_000


def test_commands_are_typed_as_a_shell_takes_them():
    assert words.command("resume", "a b'c", "--db", "x.db") == (
        "payment-sim resume 'a b'\"'\"'c' --db x.db"
    )


def test_a_command_names_its_database_where_it_is_not_the_usual_one():
    assert words.game_command("report", "a b", Path("simulation.db")) == (
        "payment-sim report 'a b'"
    )
    assert words.game_command("export", "g", Path("my x.db"), "--to", "d") == (
        "payment-sim export g --to d --db 'my x.db'"
    )


@given(st.text())
def test_a_plain_name_leads_nowhere_else(text: str):
    name = plain_name(text)
    assert 1 <= len(name) <= 80
    assert not set(name) & set('/\\:"\r\n ')
    assert not name.startswith((".", "-"))


@given(st.text())
def test_an_address_brings_back_what_was_put_in_it(text: str):
    address = words.link("/game", id=text, page=None)
    path, _, query = address.partition("?")
    assert path == "/game"
    if text.isprintable():
        assert QueryParams(query).get("id") == text
    assert all(32 < ord(c) < 127 for c in address)
    assert not set("<>\"'") & set(address)


@pytest.mark.parametrize(
    "text", ["-1", "1.5", "x", "\u0661", "0x1", "1e3", " 1", "99999999999", "501"]
)
def test_numbers_of_an_address_are_whole_and_within_bounds(text: str):
    with pytest.raises(InputError, match=r"^rows is \".*\", expected a whole number, 1 to 500$"):
        parameters.rows(QueryParams({"rows": text}))


def test_a_number_that_is_missing_is_the_usual_one():
    assert parameters.rows(QueryParams("")) == (100, 0)
    assert parameters.rows(QueryParams("rows=20&page=3")) == (20, 40)
    assert parameters.optional_whole(QueryParams("x="), "x") is None
    assert parameters.optional_whole(QueryParams("x=7"), "x") == 7


def test_a_text_that_has_to_be_there():
    with pytest.raises(InputError, match=r"lacks \?id="):
        parameters.text(QueryParams("id="), "id")
    with pytest.raises(InputError, match="expected one of: a, b"):
        parameters.one_of(QueryParams("x=<c>"), "x", ("a", "b"))


def pager(**changes: object) -> Pager:
    values = {"sort": "game", "direction": "up", "limit": 100, "offset": 200, "count": 1042}
    return Pager("/", {"text": "a&b", "status": None}, **{**values, **changes})  # type: ignore[arg-type]


def test_a_pager_knows_where_it_stands():
    assert (pager().page, pager().pages, pager().first, pager().last) == (3, 11, 201, 300)
    last = pager(offset=1000)
    assert (last.page, last.first, last.last) == (11, 1001, 1042)
    empty = pager(offset=0, count=0)
    assert (empty.page, empty.pages, empty.first, empty.last) == (1, 1, 0, 0)


def test_a_pager_leads_on_with_what_is_chosen():
    assert pager().to_page(4) == "/?text=a%26b&sort=game&order=up&page=4"
    assert pager(limit=20).to_page(1) == "/?text=a%26b&sort=game&order=up&rows=20"
    assert pager().by("game") == "/?text=a%26b&sort=game&order=down"
    assert pager(direction="down").by("game").endswith("order=up")
    assert pager(largest_first=("cost",)).by("cost").endswith("sort=cost&order=down")
    assert pager(anchor="steps").to_page(2).endswith("page=2#steps")


def test_a_pager_tells_how_a_column_is_sorted():
    assert pager().aria("game") == "ascending"
    assert pager(direction="down").aria("game") == "descending"
    assert pager().aria("cost") == "none"


@given(
    st.dictionaries(st.sampled_from(["delay", "liquidity", "split", "<b>"]), st.floats(0, 1e12)),
    st.floats(0, 1e13),
)
def test_pieces_of_a_bar_follow_each_other(costs: dict[str, float], more: float):
    pieces = kinds_of(costs, sum(costs.values()) + more)
    end = 0.0
    for kind, cost, start, length in pieces:
        assert cost == costs[kind]
        assert start == pytest.approx(end, abs=0.01)
        end = start + length
    assert end <= 100.01


def test_a_bar_of_nothing_has_no_length():
    assert bar_width(0.0, 0.0) == 0.0
    assert bar_width(-5.0, 10.0) == 0.0
    assert bar_width(5.0, 10.0) == 50.0


@given(st.lists(st.floats(-1e12, 1e12), max_size=5))
def test_every_value_and_nought_stand_on_the_scale(values: list[float]):
    scale = scale_of(values)
    assert all(0.0 <= whisker(value, scale) <= 100.0 for value in [0.0, *values])


def test_columns_are_short_and_lose_no_cent():
    assert rounded([1.0, None, 2.345, 1e17]) == [1, None, 2.35, 10**17]
    assert all(isinstance(value, int) for value in rounded([3.0, -0.0]))
