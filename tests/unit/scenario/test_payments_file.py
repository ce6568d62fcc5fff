"""Observed payments from CSV and Parquet: what is read, and how a bad line is told."""

from __future__ import annotations

import datetime as dt
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from payment_simulator.errors import ScenarioError
from payment_simulator.scenario import ObservedPayment, Scenario, parse_scenario
from tests.unit.scenario.samples import small

HEADER = "day,tick,sender,receiver,amount,priority,deadline,divisible"
LINES = f"""{HEADER}
0,3,A,B,1000,7,4,true
1,0,B,A,500,,,
0,3,B,A,250,0,0,false
0,1,A,B,1,10,100,1
"""
#: In a run of two days of ten ticks.
PAYMENTS = (
    ObservedPayment(1, 0, 1, 1, 100, 10, True),
    ObservedPayment(3, 0, 1, 1000, 4, 7, True),
    ObservedPayment(3, 1, 0, 250, 0, 0, False),
    ObservedPayment(10, 1, 0, 500, 9, 5, False),
)


def load(folder: Path, name: str = "p.csv", **keys: Any) -> Scenario:
    """Load a scenario with a payments file."""
    return parse_scenario(small(payments_file={"path": name, **keys}), folder=folder)


def read(folder: Path, text: str | bytes, **keys: Any) -> Scenario:
    """Write a CSV file and load a scenario with it."""
    content = text if isinstance(text, bytes) else text.encode()
    (folder / "p.csv").write_bytes(content)
    return load(folder, **keys)


def refused(folder: Path, text: str | bytes, **keys: Any) -> str:
    """Return the line with which a payments file is refused."""
    with pytest.raises(ScenarioError) as caught:
        read(folder, text, **keys)
    message = str(caught.value)
    assert message.isprintable()
    return message


def line(**cells: object) -> str:
    """Return a file of one payment, with some cells replaced."""
    row = {"tick": 3, "sender": "A", "receiver": "B", "amount": 100, **cells}
    return f"{','.join(row)}\n{','.join(map(str, row.values()))}\n"


class TestReading:
    """Files that are fine."""

    def test_csv(self, tmp_path: Path) -> None:
        scenario = read(tmp_path, LINES)
        assert scenario.payments == PAYMENTS
        assert scenario.skipped_lines == 0
        assert not scenario.is_random

    def test_parquet(self, tmp_path: Path) -> None:
        pl.DataFrame(
            {
                "day": [0, 1, 0, 0],
                "tick": [3, 0, 3, 1],
                "sender": ["A", "B", "B", "A"],
                "receiver": ["B", "A", "A", "B"],
                "amount": [1000, 500, 250, 1],
                "priority": [7, None, 0, 10],
                "deadline": [4, None, 0, 100],
                "divisible": [True, None, False, True],
            }
        ).write_parquet(tmp_path / "p.parquet")
        assert load(tmp_path, "p.parquet").payments == PAYMENTS

    @pytest.mark.parametrize("ending", ["\r\n", "\n"])
    def test_ways_of_writing_csv(self, tmp_path: Path, ending: str) -> None:
        text = LINES.replace("\n", ending).replace("A,B", '"A", B ')
        scenario = read(tmp_path, b"\xef\xbb\xbf" + f"{text}{ending}".encode())
        assert scenario.payments == PAYMENTS

    def test_without_day_ticks_count_from_the_start_of_the_run(self, tmp_path: Path) -> None:
        (payment,) = read(tmp_path, line(tick=13)).payments
        # The last tick of the second day is 19.
        assert (payment.tick, payment.deadline_offset, payment.priority) == (13, 6, 5)

    @pytest.mark.parametrize(
        ("time", "tick"),
        [
            ("00:00", 0),
            ("2:23:59", 0),
            ("02:24", 1),
            ("02:24:00", 1),
            ("12:00", 5),
            ("23:59:59", 9),
        ],
    )
    def test_times_are_spread_evenly_over_the_day(
        self, tmp_path: Path, time: str, tick: int
    ) -> None:
        text = f"day,time,sender,receiver,amount\n1,{time},A,B,5\n"
        assert read(tmp_path, text).payments[0].tick == 10 + tick

    def test_a_time_without_a_day_needs_a_run_of_one_day(self, tmp_path: Path) -> None:
        text = "time,sender,receiver,amount\n12:00,A,B,5\n"
        assert "has time but no day, and the run has 2 days" in refused(tmp_path, text)
        data = small(
            simulation={"ticks_per_day": 10, "num_days": 1}, payments_file={"path": "p.csv"}
        )
        assert parse_scenario(data, folder=tmp_path).payments[0].tick == 5

    def test_columns_by_other_names(self, tmp_path: Path) -> None:
        text = "t,from bank,to,Betrag €,note\n3,A,B,100,hello\n"
        columns = {"tick": "t", "sender": "from bank", "receiver": "to", "amount": "Betrag €"}
        assert read(tmp_path, text, columns=columns).payments[0].amount == 100

    def test_a_column_that_is_something_else(self, tmp_path: Path) -> None:
        text = line(time="x", priority="high", prioritty=3)
        columns = {"time": None, "priority": "prioritty"}
        assert read(tmp_path, text, columns=columns).payments[0].priority == 3

    def test_text_that_is_not_utf8_matters_only_where_it_is_read(self, tmp_path: Path) -> None:
        text = line(note="Z?rich").encode().replace(b"?", b"\xfc")
        assert len(read(tmp_path, text).payments) == 1
        wrong = line(sender="Z?rich").encode().replace(b"?", b"\xfc")
        assert "line 2, column 'sender'" in refused(tmp_path, wrong)

    def test_quoted_cells_may_hold_anything(self, tmp_path: Path) -> None:
        text = line(note='"a, ""b""\nc"') + "5,A,B,x,-\n"
        # The second payment stands on line 4: the first takes two lines.
        assert "line 4, column 'amount': 'x'" in refused(tmp_path, text)

    def test_paths_are_relative_to_the_folder_or_absolute(self, tmp_path: Path) -> None:
        (tmp_path / "p.csv").write_text(LINES)
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        assert load(elsewhere, "../p.csv").payments == PAYMENTS
        assert load(elsewhere, str(tmp_path / "p.csv")).payments == PAYMENTS

    def test_an_empty_file_of_payments_is_a_file(self, tmp_path: Path) -> None:
        assert read(tmp_path, HEADER).payments == ()


class TestBadLines:
    """Each cell that cannot be read."""

    @pytest.mark.parametrize(
        ("cells", "column", "words"),
        [
            ({"amount": "-5"}, "amount", "'-5'; expected a whole number from 1 to 10000000000000"),
            ({"amount": "0"}, "amount", "'0'; expected a whole number from 1"),
            ({"amount": "10.50"}, "amount", "'10.50'; expected a whole number"),
            ({"amount": "1e3"}, "amount", "'1e3'; expected a whole number"),
            ({"amount": "1_000"}, "amount", "'1_000'; expected a whole number"),
            ({"amount": "\u0663"}, "amount", "expected a whole number"),
            ({"amount": 10**15 + 1}, "amount", "expected a whole number"),
            ({"amount": "9" * 5000}, "amount", "expected a whole number"),
            ({"amount": ""}, "amount", "the cell is empty; expected a whole number"),
            ({"tick": 20}, "tick", "'20'; expected a whole number from 0 to 19"),
            ({"tick": -1}, "tick", "'-1'; expected a whole number from 0 to 19"),
            ({"tick": ""}, "tick", "the cell is empty"),
            ({"day": 2}, "day", "'2'; expected a whole number from 0 to 1"),
            ({"day": 0, "tick": 10}, "tick", "'10'; expected a whole number from 0 to 9"),
            ({"sender": "a"}, "sender", "'a' is no bank of the scenario; nearest: A"),
            ({"sender": ""}, "sender", "the cell is empty; expected a bank"),
            ({"receiver": "A"}, "receiver", "'A' pays itself"),
            ({"priority": 11}, "priority", "'11'; expected a whole number from 0 to 10"),
            ({"priority": "high"}, "priority", "'high'; expected a whole number"),
            ({"deadline": -1}, "deadline", "'-1'; expected a whole number from 0"),
            ({"divisible": "maybe"}, "divisible", "'maybe'; expected true, false, 1 or 0"),
        ],
    )
    def test_cells(self, tmp_path: Path, cells: dict[str, object], column: str, words: str) -> None:
        message = refused(tmp_path, line(**cells))
        assert message.startswith(f"{tmp_path / 'p.csv'}, line 2, column '{column}': ")
        assert words in message
        assert read(tmp_path, line(**cells), on_error="skip").skipped_lines == 1

    @pytest.mark.parametrize("time", ["", "24:00", "12", "12:60", "12:00:60", "noon", "12:00 PM"])
    def test_times(self, tmp_path: Path, time: str) -> None:
        text = f"day,time,sender,receiver,amount\n0,{time},A,B,5\n"
        assert "line 2, column 'time': " in refused(tmp_path, text)

    def test_the_column_is_named_as_in_the_file(self, tmp_path: Path) -> None:
        text = line().replace("amount", "betrag").replace("100", "x")
        message = refused(tmp_path, text, columns={"amount": "betrag"})
        assert "line 2, column 'betrag': 'x'" in message

    def test_cells_too_many_or_too_few(self, tmp_path: Path) -> None:
        assert "line 2: 5 cells; expected 4, as in the header" in refused(
            tmp_path, line().rstrip() + ",1\n"
        )
        assert "line 3: 3 cells; expected 4" in refused(tmp_path, line() + "1,A,B\n")

    def test_blank_lines_are_no_payments_but_they_count(self, tmp_path: Path) -> None:
        assert len(read(tmp_path, line() + "\n\n").payments) == 1
        assert "line 5, column 'amount'" in refused(tmp_path, line() + "\n\n1,A,B,x\n")

    def test_bad_lines_are_skipped_and_counted_where_the_scenario_says_so(
        self, tmp_path: Path
    ) -> None:
        text = LINES + "0,99,A,B,1,,,\n0,0,A,B\n0,0,X,B,5,,,\n"
        scenario = read(tmp_path, text, on_error="skip")
        assert scenario.payments == PAYMENTS
        assert scenario.skipped_lines == 3
        assert "line 6, column 'tick': '99'" in refused(tmp_path, text)

    def test_a_message_stays_on_its_line(self, tmp_path: Path) -> None:
        assert "\x1b" not in refused(tmp_path, line(sender="\x1b[31m"))


class TestBadFiles:
    """Files that no line of can be trusted; skipping does not help."""

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("", "has no header"),
            ("\n\n", "has no header"),
            (line(note='"open'), "line 2: unexpected end of data"),
            (line(note='"a"b'), "line 2: ',' expected after '\"'"),
            (line(note="x" * 200_000), "line 2: field larger than field limit"),
            (line().encode() + b"\x00\x01", "line 3: a zero byte"),
            ("amount,amount\n", "line 1: column 'amount' is there twice"),
            ("x" * 2**21, "line 1: longer than"),
        ],
    )
    def test_broken(self, tmp_path: Path, text: str | bytes, words: str) -> None:
        for on_error in ("refuse", "skip"):
            assert words in refused(tmp_path, text, on_error=on_error)

    @pytest.mark.parametrize("name", ["sender", "receiver", "amount"])
    def test_a_needed_column_is_missing(self, tmp_path: Path, name: str) -> None:
        text = line().replace(name, "other")
        assert f"the file has no column {name}; expected it" in refused(tmp_path, text)

    def test_neither_tick_nor_time_or_both(self, tmp_path: Path) -> None:
        neither = "sender,receiver,amount\nA,B,5\n"
        assert "the file has neither tick nor time" in refused(tmp_path, neither)
        assert "the file has both tick and time" in refused(tmp_path, line(time="12:00", day=0))

    def test_other_separators_show_in_the_message(self, tmp_path: Path) -> None:
        message = refused(tmp_path, line().replace(",", ";"))
        assert "the file has 'tick;sender;receiver;amount'" in message

    def test_a_mapped_column_that_the_file_does_not_have(self, tmp_path: Path) -> None:
        message = refused(tmp_path, line(), columns={"amount": "amounts"})
        assert "payments_file.columns.amount: the file has no column 'amounts'" in message
        assert "nearest: amount" in message

    def test_a_misspelled_optional_column_is_not_passed_over(self, tmp_path: Path) -> None:
        message = refused(tmp_path, line(prioritty=3))
        assert "column 'prioritty' of the file is not known; nearest: priority" in message
        # A column that is needed is missed by the same words.
        assert "column 'recever' of the file is not known; nearest: receiver" in refused(
            tmp_path, line().replace("receiver", "recever")
        )

    def test_unknown_names_in_columns(self, tmp_path: Path) -> None:
        message = refused(tmp_path, line(), columns={"amuont": "x"})
        assert "payments_file.columns.amuont: unknown key; nearest: amount" in message

    def test_files_that_are_not_there(self, tmp_path: Path) -> None:
        for name, words in (("no.csv", "not there"), (".", "a folder"), ("x" * 5000, "")):
            with pytest.raises(ScenarioError, match=f"payments_file.path: .*{words}"):
                load(tmp_path, name)

    @pytest.mark.skipif(sys.platform == "win32", reason="no such devices")
    def test_devices(self, tmp_path: Path) -> None:
        with pytest.raises(ScenarioError, match="no file"):
            load(tmp_path, "/dev/zero")

    @pytest.mark.parametrize("path", ["", " ", 5, None, ["a"], "a\0b"])
    def test_paths_that_are_none(self, tmp_path: Path, path: object) -> None:
        with pytest.raises(ScenarioError, match=r"payments_file\.path"):
            load(tmp_path, path)  # type: ignore[arg-type]

    @pytest.mark.parametrize("on_error", ["ignore", "", True, None])
    def test_on_error(self, tmp_path: Path, on_error: object) -> None:
        assert "payments_file.on_error" in refused(tmp_path, line(), on_error=on_error)


class TestParquet:
    """What is different there."""

    @staticmethod
    def write(path: Path, **columns: Any) -> None:
        rows = {"tick": [3], "sender": ["A"], "receiver": ["B"], "amount": [100], **columns}
        pl.DataFrame(rows).write_parquet(path)

    def refused(self, path: Path, **columns: Any) -> str:
        self.write(path, **columns)
        with pytest.raises(ScenarioError) as caught:
            load(path.parent, path.name)
        message = str(caught.value)
        assert message.isprintable()
        return message

    def test_its_first_bytes_tell_it_whatever_its_name(self, tmp_path: Path) -> None:
        self.write(tmp_path / "p.csv")
        assert load(tmp_path).payments[0].amount == 100

    @pytest.mark.parametrize(
        "amounts",
        [[Decimal("100.00")], [100.0], ["100"], pl.Series([100], dtype=pl.UInt64)],
    )
    def test_types_of_numbers(self, tmp_path: Path, amounts: Any) -> None:
        self.write(tmp_path / "p.parquet", amount=amounts)
        assert load(tmp_path, "p.parquet").payments[0].amount == 100

    @pytest.mark.parametrize(
        "amounts", [[100.5], [Decimal("0.01")], [float("nan")], [True], [None], [b"1"], [[1]]]
    )
    def test_what_is_no_amount(self, tmp_path: Path, amounts: Any) -> None:
        message = self.refused(tmp_path / "p.parquet", amount=amounts)
        assert f"{tmp_path / 'p.parquet'}, row 1, column 'amount': " in message

    def test_times(self, tmp_path: Path) -> None:
        self.write(tmp_path / "p.parquet", time=[dt.time(12, 0, 30)], day=[1])
        scenario = load(tmp_path, "p.parquet", columns={"tick": None})
        assert scenario.payments[0].tick == 15

    def test_banks_with_numbers_for_names(self, tmp_path: Path) -> None:
        self.write(tmp_path / "p.parquet", sender=[1], receiver=[2])
        data = small(payments_file={"path": "p.parquet"})
        data["agents"][0]["id"], data["agents"][1]["id"] = "1", "2"
        assert parse_scenario(data, folder=tmp_path).payments[0].receiver == 1

    def test_the_row_of_a_bad_cell(self, tmp_path: Path) -> None:
        many = 25_000
        message = self.refused(
            tmp_path / "p.parquet",
            tick=[3] * many,
            sender=["A"] * many,
            receiver=["B"] * many,
            amount=[1] * (many - 1) + [0],
        )
        assert f"row {many}, column 'amount': 0; expected" in message

    @pytest.mark.parametrize("folder", ["day=1", "we[i]rd *?", "it's", "md:x"])
    @pytest.mark.skipif(sys.platform == "win32", reason="no such names")
    def test_paths_that_duckdb_would_take_for_orders(self, tmp_path: Path, folder: str) -> None:
        (tmp_path / folder).mkdir()
        self.write(tmp_path / folder / "x[1]*.parquet")
        self.write(tmp_path / folder / "x1.parquet", amount=[999])
        (payment,) = load(tmp_path / folder, "x[1]*.parquet").payments
        # Without a day column, whatever the folder's name says.
        assert (payment.amount, payment.tick) == (100, 3)

    def test_names_of_columns_are_names(self, tmp_path: Path) -> None:
        odd = "amount\" FROM read_csv('/etc/passwd') --"
        self.write(tmp_path / "p.parquet", **{odd: [7]})
        columns = {"amount": odd}
        assert load(tmp_path, "p.parquet", columns=columns).payments[0].amount == 7

    @pytest.mark.parametrize("keep", [4, 100, -1, -8])
    def test_damaged_files(self, tmp_path: Path, keep: int) -> None:
        self.write(tmp_path / "p.parquet")
        content = (tmp_path / "p.parquet").read_bytes()
        (tmp_path / "p.parquet").write_bytes(content[:keep])
        with pytest.raises(ScenarioError) as caught:
            load(tmp_path, "p.parquet")
        assert str(caught.value).isprintable()


def test_sums_count_payments_of_the_file(tmp_path: Path) -> None:
    text = "tick,sender,receiver,amount\n" + f"1,A,B,{10**15}\n" * 4000
    assert "come to 4000000000000000000 cents" in refused(tmp_path, text)
