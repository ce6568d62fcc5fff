"""payment-sim compare: games side by side, for people, spreadsheets and papers."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.analysis.compare import compare_games
from payment_simulator.analysis.opening import open_record
from payment_simulator.cli import output
from payment_simulator.persistence.connection import DatabaseManager
from tests.builders import a_session, an_iteration
from tests.command_line import cells, one_error, payment_sim, tree
from tests.games import castro, play, twelve

HOSTILE = "[red]\x1b[31mgame\u202e\n"


@pytest.fixture(scope="module")
def games(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Play two games over seeds into a file."""
    path = tmp_path_factory.mktemp("games") / "games.db"
    for seed in (1, 2):
        play(path, castro(game_id=f"s{seed}", master_seed=seed))
        play(path, twelve(game_id=f"t{seed}", master_seed=seed))
    return path


@pytest.fixture
def many(db_path: Path) -> Path:
    """Save games without outcomes, one of them with a hostile name."""
    with DatabaseManager(db_path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        for name in (*(f"game-{n}" for n in range(5)), HOSTILE):
            repo.save_game_session(a_session(name))
            repo.save_policy_iteration(an_iteration(game_id=name))
    return db_path


def test_two_games_stand_side_by_side(games: Path):
    outcome = payment_sim("compare", "s1", "t1", "--db", games)
    assert (outcome.code, outcome.err) == (0, "")
    rows = cells(outcome.out)
    assert rows[0] == ["figure", "bank", "s1", "t1"]
    assert ["status", "converged", "converged"] in rows
    assert ["seed", "1", "1"] in rows
    final = next(row for row in rows if row[:3] == ["final", "cost", "BANK_A"])
    assert final[3] == "0.00"
    assert "Different scenarios: two_period (s1), twelve_period (t1)." in outcome.out
    assert "Their costs are not comparable" in outcome.out
    assert outcome.out.endswith("Costs are in currency units (cents / 100).\n")


def test_means_over_seeds(games: Path):
    out = payment_sim("compare", "--all-seeds-of", "s2", "--db", games).out
    assert "Means over seeds, s1, s2 (two_period):\n" in out
    rows = cells(out)
    same = ["same", "in", "both", "games"]
    assert ["final", "cost", "BANK_A", "2", "0.00", *same] in rows
    assert ["(all)", "2", "20.00", *same] in rows
    # No interval is there, so nothing is said of one.
    assert "Intervals" not in out
    assert "Different scenarios" not in out
    both = payment_sim(
        "compare", "--all-seeds-of", "s2", "--all-seeds-of", "t1", "s2", "--db", games, "--json"
    )
    found = json.loads(both.out)
    assert [game["game_id"] for game in found["games"]] == ["s2", "s1", "t1", "t2"]
    assert [group["games"] for group in found["groups"]] == [["s2", "s1"], ["t1", "t2"]]


def test_baselines_of_one_game(games: Path):
    outcome = payment_sim("compare", "s1", "--baselines", "--threads", 1, "--db", games)
    assert (outcome.code, outcome.err) == (0, "")
    rows = cells(outcome.out)
    assert ["game", "policies", "BANK_A", "BANK_B", "(all)", "more", "than", "final"] in rows
    assert ["s1", "start", "50.00", "50.00", "100.00", "80.00"] in rows
    assert ["Fifo", "(=", "start)", "50.00", "50.00", "100.00", "80.00"] in rows
    assert "(= start): same as the first policies, to the cent." in outcome.out
    assert "price of anarchy is measured on the days of the certificate" in outcome.out
    assert ["social", "optimum", "0.00", "20.00", "20.00", "0.00"] in rows
    assert ["final", "0.00", "20.00", "20.00"] in rows
    assert ["s1", "1.000", "social", "optimum", "BANK_A", "0.0000,", "BANK_B", "0.2000"] in rows


def test_baselines_have_intervals_where_days_are_many(games: Path):
    out = payment_sim("compare", "t1", "t2", "--baselines", "--db", games).out
    table = out.partition("Other policies")[2]
    assert table.count("[") + table.count("same on all 8 days") == 6
    assert "Student's t and Hall's, over 8 held-out days, of paired differences." in table
    assert "cost under Fifo" in out
    assert "share of possible gain" in out
    assert "efficiency" not in out
    assert "Means of held-out days." in out


def test_json_is_what_the_library_gives(games: Path):
    outcome = payment_sim("compare", "s1", "t2", "--baselines", "--json", "--db", games)
    with open_record(games) as repo:
        expected = compare_games(repo, ["s1", "t2"], baselines=True).to_dict()
    assert json.loads(outcome.out) == json.loads(json.dumps(expected))


def test_csv_and_latex(games: Path):
    text = payment_sim("compare", "s1", "t1", "--format", "csv", "--db", games)
    assert (text.code, text.err) == (0, "")
    rows = list(csv.DictReader(io.StringIO(text.out)))
    assert [(row["game_id"], row["bank"]) for row in rows] == [
        ("s1", "BANK_A"), ("s1", "BANK_B"), ("t1", "BANK_A"), ("t1", "BANK_B"),
    ]  # fmt: skip
    assert rows[1]["final_cost"] == "2000.0"
    latex = payment_sim("compare", "s1", "s2", "--format", "latex", "--db", games).out
    for part in (r"\begin{table}", r"\end{table}", r"\caption{", r"\begin{tabular}"):
        assert latex.count(part) == 2
    assert r"\label{tab:compare-means-1}" in latex
    assert r"BANK\_A & 0.00 & 0.00 \\" in latex


def test_many_games_stand_one_below_the_other(many: Path):
    names = [f"game-{n}" for n in range(5)]
    outcome = payment_sim("compare", *names, HOSTILE, "--db", many)
    assert (outcome.code, outcome.err) == (0, "")
    assert all(c.isprintable() or c == "\n" for c in outcome.out)
    rows = cells(outcome.out)
    assert rows[0][:2] == ["game", "status"]
    assert [row[0] for row in rows[1:6]] == names
    assert rows[6][0] == "[red]\\x1b[31mgame\\u202e\\n"
    assert "The record does not hold the scenario of game-0, game-1" in outcome.out


def test_a_hostile_name_is_text_at_the_head_of_a_column(many: Path):
    outcome = payment_sim("compare", "game-0", HOSTILE, "--db", many)
    assert cells(outcome.out)[0] == ["figure", "bank", "game-0", "[red]\\x1b[31mgame\\u202e\\n"]
    assert all(c.isprintable() or c == "\n" for c in outcome.out)


def test_what_does_not_fit_a_narrow_terminal_stands_one_below_the_other(
    games: Path, monkeypatch: pytest.MonkeyPatch
):
    def out(columns: int) -> str:
        monkeypatch.setattr(output, "_columns_of_terminal", lambda: columns)
        return payment_sim("compare", "s1", "t1", "--db", games).out

    assert "Banks; the parameter is initial_liquidity_fraction:" in " ".join(out(40).split())
    assert cells(out(80))[0][0] == "figure"
    assert cells(out(40))[0][0] == "game"


def test_a_long_table_is_cut_and_says_so(db_path: Path):
    with DatabaseManager(db_path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        names = [f"g{n}" for n in range(62)]
        for name in names:
            repo.save_game_session(a_session(name))
    out = payment_sim("compare", *names, "--db", db_path).out
    assert "And 2 more rows (--format csv or --json has all)." in out


def test_a_record_is_left_as_it_is(games: Path):
    before = tree(games.parent)
    payment_sim("compare", "s1", "s2", "--baselines", "--db", games)
    assert tree(games.parent) == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "no game is named; expected two or more, or --all-seeds-of GAME"),
        (["s1"], "'s1' alone has nothing beside it"),
        (["s3x"], "game 's3x' is not in the record; nearest: s"),
        (["s1", "s3x"], "game 's3x' is not in the record; nearest: s"),
        (["--all-seeds-of", "s3"], "game 's3' is not in the record"),
        (["s1", "s2", "--format", "xml"], "'xml' is not one of: table, csv, latex"),
        (["s1", "s2", "--format", "csv", "--json"], "it goes without --json"),
        (["s1", "s2", "--threads", 0], "--threads"),
    ],
)
def test_bad_input_is_one_line(games: Path, arguments: list[object], said: str):
    assert said in one_error(payment_sim("compare", *arguments, "--db", games))


def test_the_same_game_twice_is_shown_once(games: Path):
    out = payment_sim("compare", "s1", "s1", "s2", "--db", games).out
    assert cells(out)[0] == ["figure", "bank", "s1", "s2"]
    assert "Note: s1 is named more than once; it is shown once." in out


def test_games_without_provenance_have_no_baselines_and_the_rest_goes_on(many: Path):
    play(many, castro())
    out = payment_sim("compare", "game-0", "castro", "--baselines", "--db", many).out
    assert (
        "Note: No baselines of game-0: the record does not hold the texts that it was played from"
        in out
    )
    assert ["castro", "start", "50.00", "50.00", "100.00", "80.00"] in cells(out)


def test_banks_are_left_out_together_and_the_line_says_where_they_are(
    games: Path, monkeypatch: pytest.MonkeyPatch
):
    def out(columns: int) -> str:
        monkeypatch.setattr(output, "_columns_of_terminal", lambda: columns)
        return payment_sim("compare", "t1", "--baselines", "--db", games).out

    heads = {
        columns: next(row for row in cells(out(columns)) if row[:2] == ["game", "policies"])
        for columns in (100, 75)
    }
    assert {"BANK_A", "BANK_B"} <= set(heads[100])
    assert {"BANK_A", "BANK_B"}.isdisjoint(heads[75])
    assert (
        " Left out for want of width: BANK_A, BANK_B (a wider terminal, --format csv or --json "
        "has all). " in " ".join(out(75).split())
    )
    # Something is said below the table, and the next title stands apart.
    assert "\n\nWhere all banks together pay least:\n" in out(75)


def test_two_groups_on_the_same_days_are_paired_by_seed(db_path: Path):
    for seed in (1, 2):
        for name, more in (("a", {}), ("b", {"bootstrap": {"num_samples": 8, "observed_runs": 9}})):
            play(db_path, twelve(game_id=f"{name}{seed}", master_seed=seed, **more))
    out = payment_sim("compare", "a1", "a2", "b1", "b2", "--db", db_path).out
    # Fresh days are not drawn from observed runs: the games are the same but for what they say.
    table = cells(out.partition("Final cost by seed, group 2 less group 1:\n")[2])
    assert table[0] == ["bank", "n", "mean", "difference", "interval"]
    assert table[3] == ["(all)", "2", "0.00", "same", "in", "both", "seeds"]


def test_what_intervals_are_of_is_said_where_they_are_read(
    games: Path, monkeypatch: pytest.MonkeyPatch
):
    def banks(columns: int) -> str:
        monkeypatch.setattr(output, "_columns_of_terminal", lambda: columns)
        out = payment_sim("compare", "t1", "t2", "--db", games).out
        return out.partition("\nBanks;")[2].partition("\nMeans over seeds")[0]

    # Two games do not stand side by side where there is room for neither.
    narrow = banks(54)
    assert "Left out for want of width: interval" in narrow
    assert "Intervals" not in narrow
    assert banks(100) == ""
    names = payment_sim("compare", "t1", "t2", "s1", "s2", "t1", "--db", games).out
    told = " ".join(names.split())
    assert "Student's t and Hall's, over 8 held-out days, of paired differences." in told
