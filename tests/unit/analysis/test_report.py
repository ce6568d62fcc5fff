"""Reports: one file of HTML that opens anywhere, whatever the record holds."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from tests.builders import VALUES, a_record, a_session, an_iteration
from tests.games import Told, castro, fraction, play, twelve
from tests.migration.first_tool import write_first_tool_file
from tests.processes import WRITER, running

from payment_simulator.ai_cash_mgmt import (
    EquilibriumCertificateRecord,
    GameFailureRecord,
    GameOutcomeRecord,
    GameRepository,
    IterationContextRecord,
    LLMInteractionRecord,
    PolicyDiffRecord,
)
from payment_simulator.ai_cash_mgmt.persistence.models import RECORDS
from payment_simulator.analysis.opening import open_record
from payment_simulator.analysis.report import file_name, report_html, write_report
from payment_simulator.analysis.report.equilibrium import certificate_of
from payment_simulator.analysis.report.tables import Column, Table
from payment_simulator.analysis.report.texts import lines_of, shortened
from payment_simulator.errors import GameNotFoundError, InputError, PaymentSimulatorError
from payment_simulator.policy import builtin, to_json
from payment_simulator.policy.tree import ActionNode, Compare, ConditionNode, Field, Param

CSP = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
VOID = {"meta", "img", "link", "br", "hr"}
HOSTILE = (
    "</title></style><script>alert(1)</script><img src=x onerror=alert(1)>\u202e\x1b[1m\x00\n'\"&"
)


class Page(HTMLParser):
    """What a browser makes of a report: that it is well formed, and refers to nothing else."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.links: list[dict[str, str | None]] = []
        self.ids: list[str] = []
        self.metas: list[dict[str, str | None]] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        assert not [name for name in given if name.startswith("on") or name == "style"], given
        if tag not in VOID:
            self.open.append(tag)
        if tag == "img":
            self.images.append(given)
        if tag == "a":
            self.links.append(given)
        if tag == "meta":
            self.metas.append(given)
        if "id" in given:
            self.ids.append(str(given["id"]))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data


def checked(html: str) -> Page:
    """Return a report as a browser reads it, after checking what holds for every report."""
    page = Page(html)
    assert not {"script", "link", "iframe", "object", "base", "form"} & set(page.tags)
    assert {meta.get("content") for meta in page.metas if "http-equiv" in meta} == {CSP}
    for image in page.images:
        assert str(image["src"]).startswith("data:image/svg+xml;base64,")
        assert image["alt"]
        svg = base64.b64decode(str(image["src"]).partition(",")[2]).decode()
        assert "<script" not in svg
    for link in page.links:
        address = str(link["href"])
        assert address.startswith("#") or (address.startswith("data:text/csv") and link["download"])
        if address.startswith("#"):
            assert address[1:] in page.ids
    style = html[html.index("<style>") : html.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style
    assert len(page.ids) == len(set(page.ids))
    assert all(c.isprintable() or c == "\n" for c in html)
    return page


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Play a game of random days, and one on a grid with a proposal that is refused."""
    path = tmp_path_factory.mktemp("report") / "simulation.db"
    play(path, twelve())
    few = {"stability_window": 2, "max_iterations": 2}
    bad = {"BANK_B": Told(fraction(7.0))}
    play(path, castro(convergence=few), proposers=bad)
    return path


def test_a_report_of_a_game_that_ended(record: Path):
    with open_record(record) as repo:
        html = report_html(repo, "twelve")
        assert report_html(repo, "twelve") == html
        outcomes = repo.get_game_outcomes("twelve")
        files = repo.get_provenance_files("twelve")
        accepted = [s for s in repo.get_policy_iterations("twelve") if s.was_accepted]
    page = checked(html)
    assert len(html) < 600_000
    for found in outcomes:
        assert f"{found.start_cost / 100:,.2f}" in page.text
        assert f"{found.final_cost / 100:,.2f}" in page.text
    for file in files:
        assert file.sha256 in page.text
    for step in accepted:
        assert f"Iteration {step.iteration_number}, {step.agent_id}" in page.text
    assert "payment-sim verify twelve --db FILE" in page.text
    assert "distance from it, is" in page.text
    assert "pure equilibri" in page.text
    for title in (
        "Summary",
        "Results",
        "Equilibrium",
        "Accepted steps",
        "Method",
        "A run at the end",
    ):
        assert title in page.text
    assert len(page.images) >= 6


def test_steps_that_were_refused_are_told_with_their_errors(record: Path):
    with open_record(record) as repo:
        page = checked(report_html(repo, "castro"))
        refused = [s for s in repo.get_policy_iterations("castro") if s.validation_errors]
    assert refused
    assert refused[0].validation_errors[0].split(";")[0][:60] in page.text
    assert "Steps that were not accepted" in page.text


def test_tables_can_be_taken_along(record: Path):
    with open_record(record) as repo:
        page = checked(report_html(repo, "twelve"))
        outcomes = repo.get_game_outcomes("twelve")
    files = {str(link["download"]): str(link["href"]) for link in page.links if "download" in link}
    text = base64.b64decode(files["outcomes.csv"].partition(",")[2]).decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["bank"] for row in rows] == [*(o.agent_id for o in outcomes), "all banks"]
    assert [float(row["start (cents)"]) for row in rows[:-1]] == [o.start_cost for o in outcomes]
    assert [float(row["gain, low (cents)"]) for row in rows[:-1]] == [
        o.improvement_low for o in outcomes
    ]
    assert r"\begin{tabular}{lrrrrrrrr}" in page.text


@pytest.mark.parametrize("status", ["running", "failed", "completed"])
def test_a_game_without_an_end(status: str, repo: GameRepository):
    repo.save_game_session(a_session(status=status))
    page = checked(report_html(repo, "game-001"))
    assert status in page.text
    assert "The record has no outcomes of this game" in page.text
    assert "The game has no steps in the record." in page.text
    assert page.images == []
    assert "cannot be played again from it" in page.text
    repo.save_policy_iteration(an_iteration())
    repo.save_game_failure(a_record(GameFailureRecord))
    page = checked(report_html(repo, "game-001"))
    assert "15.00 → 12.00, a gain of 3.00" in page.text
    assert "is not one that this version can read" in page.text
    assert ("Stopped: the model did not answer" in page.text) == (status == "failed")


def test_a_record_that_is_being_written(db_path: Path):
    with running(WRITER, db_path), open_record(db_path) as repo:
        page = checked(report_html(repo, "game-001"))
    assert "Iteration 1, BANK_A" in page.text


def hostile_values(kind: Any) -> dict[str, Any]:
    """Return a record's values with every text that is free made hostile."""
    values = dict(VALUES[kind])
    kept = {"game_id", "run_id", "agent_id", "table_name", "role", "sha256", "content", "status"}
    kept |= {"game_mode", "cost_kind", "sender_id", "receiver_id"}
    for name, value in values.items():
        if isinstance(value, str) and name not in kept:
            values[name] = json.dumps({HOSTILE: HOSTILE}) if name.endswith("_json") else HOSTILE
        if isinstance(value, list):
            values[name] = [HOSTILE]
    return values


def test_no_text_of_a_record_becomes_markup(repo: GameRepository):
    for kind in RECORDS:
        values = {**hostile_values(kind), "game_id": HOSTILE}
        if "agent_id" in values:
            values["agent_id"] = HOSTILE
        if kind is EquilibriumCertificateRecord:
            values["pure_equilibria_json"] = json.dumps(
                [{"point": {HOSTILE: HOSTILE}, "costs": {HOSTILE: 3}}, HOSTILE]
            )
            values["social_optimum_json"] = json.dumps({"points": [{HOSTILE: 1}], "total_cost": 1})
        fields = {name: value for name, value in values.items() if name in kind.model_fields}
        repo._save(kind(**fields))
    html = report_html(repo, HOSTILE)
    page = checked(html)
    assert r"\u202e\x1b[1m\x00" in page.text
    assert "<script>alert(1)</script>" in page.text


def test_games_of_the_first_tool(tmp_path: Path):
    path = tmp_path / "old.db"
    write_first_tool_file(path)
    with open_record(path) as repo:
        games = repo.get_game_ids()
        assert games
        for game in games:
            page = checked(report_html(repo, game))
            assert "Method" in page.text


def test_what_is_left_out_is_said(repo: GameRepository, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("payment_simulator.analysis.report.steps._MOST_TOLD", 2)
    monkeypatch.setattr("payment_simulator.analysis.report.steps._MOST_ROWS", 3)
    monkeypatch.setattr("payment_simulator.analysis.report.content._MOST_POLICIES", 1)
    repo.save_game_session(a_session())
    repo.save_policy_iterations(an_iteration(n, was_accepted=n <= 5) for n in range(1, 13))
    repo.save_game_outcomes(
        a_record(GameOutcomeRecord, agent_id=bank) for bank in ("BANK_A", "BANK_B", "BANK_C")
    )
    page = checked(report_html(repo, "game-001"))
    assert "3 later accepted steps are left out for length" in page.text
    assert "4 later steps not accepted are left out for length" in page.text
    assert "2 more policies are left out for length" in page.text
    query = "SELECT * FROM policy_iterations WHERE game_id = 'game-001' AND NOT was_accepted"
    assert query in page.text


def test_trees_that_changed_are_drawn_before_and_after(repo: GameRepository):
    old = builtin("deadline")
    parameters = {**old.parameters, "floor": 0.5}
    small = Compare("<=", Field("amount"), Param("floor"))
    guard = ConditionNode("small", small, ActionNode("now", "Release"), old.payment_tree)
    new = replace(old, payment_tree=guard, parameters=parameters)
    repo.save_game_session(a_session())
    for number, (before, after) in enumerate([(old, new), (new, old), (old, old)], 1):
        texts = {"old_policy_json": to_json(before), "new_policy_json": to_json(after)}
        repo.save_policy_iteration(an_iteration(number, **texts))
    html = report_html(repo, "game-001")
    page = checked(html)
    assert html.count('class="node fork added"') == html.count('class="node fork removed"') == 1
    assert 'payment_tree, node "small": new fork amount' in page.text
    assert "The parameters and trees are as before." in page.text


def test_calls_of_models_and_their_reasons(repo: GameRepository):
    repo.save_game_session(a_session())
    repo.save_policy_iteration(an_iteration())
    repo.save_policy_diff(a_record(PolicyDiffRecord))
    repo.save_llm_interaction(a_record(LLMInteractionRecord))
    repo.save_llm_interaction(a_record(LLMInteractionRecord, attempt_number=2, cost_usd=None))
    told = {
        "reasoning": "Money is dear.\nSo wait.",
        "decision": {"reason": "it is cheaper"},
        "refused": [{"proposal": "{", "errors": ["no JSON"]}],
    }
    repo.save_iteration_context(a_record(IterationContextRecord, context_json=json.dumps(told)))
    page = checked(report_html(repo, "game-001"))
    for text in (
        "urgency 3 → 4",
        "Accepted because it is cheaper.",
        "Money is dear.",
        "So wait.",
        "Sent back before: no JSON",
        "2 calls, 0.0125 US dollars",
        "The price of 1 call is not known.",
    ):
        assert text in page.text, text


def test_a_game_that_is_not_there(repo: GameRepository):
    repo.save_game_session(a_session())
    with pytest.raises(GameNotFoundError, match="nearest: game-001"):
        report_html(repo, "game-002")


def test_a_file_is_whole_or_not_there(repo: GameRepository, tmp_path: Path):
    repo.save_game_session(a_session())
    target = tmp_path / "report.html"
    write_report(repo, "game-001", target)
    first = target.read_bytes()
    assert first.startswith(b"<!doctype html>")
    with pytest.raises(InputError, match="is there already"):
        write_report(repo, "game-001", target)
    with pytest.raises(GameNotFoundError):
        write_report(repo, "game-002", target, force=True)
    assert target.read_bytes() == first
    target.write_text("older")
    write_report(repo, "game-001", target, force=True)
    assert target.read_bytes() == first
    assert {path.name for path in tmp_path.iterdir() if "report" in path.name} == {"report.html"}


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("", "names no file"),
        (".", "names no file"),
        ("none/x.html", "is not there"),
        ("d", "folder"),
    ],
)
def test_paths_that_cannot_be_used(
    path: str, told: str, repo: GameRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    Path("d").mkdir()
    repo.save_game_session(a_session())
    with pytest.raises(InputError, match=told):
        write_report(repo, "game-001", path)


def test_a_name_that_is_taken_meanwhile(
    repo: GameRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    repo.save_game_session(a_session())
    target = tmp_path / "report.html"

    def other(*_: Any) -> str:
        target.write_text("another's")
        return "page"

    monkeypatch.setattr("payment_simulator.analysis.report.writing.report_html", other)
    with pytest.raises(InputError, match="was made meanwhile"):
        write_report(repo, "game-001", target)
    assert target.read_text() == "another's"
    assert not list(tmp_path.glob(".report-*"))


def test_a_disk_that_refuses(repo: GameRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    repo.save_game_session(a_session())

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(PaymentSimulatorError, match="cannot be written: No space left"):
        write_report(repo, "game-001", tmp_path / "report.html")
    assert not list(tmp_path.glob("*report*"))


@pytest.mark.parametrize(
    ("game", "name"),
    [
        ("twelve", "twelve-report.html"),
        ("../../etc/passwd", "etc-passwd-{}-report.html"),
        ("a b\u202e\x00/c", "a-b-c-{}-report.html"),
        ("...", "game-{}-report.html"),
        ("x" * 300, f"{'x' * 67}-{{}}-report.html"),
        (".hidden", "hidden-{}-report.html"),
        ("\u03a9", "game-{}-report.html"),
    ],
)
def test_a_file_is_called_by_its_game(game: str, name: str):
    digest = hashlib.sha256(game.encode()).hexdigest()[:12]
    assert file_name(game) == name.format(digest)


def test_no_two_games_have_the_same_file():
    games = [
        "\u03a9",
        "\u6f22\u5b57",
        "game",
        "a b",
        "a-b",
        "a/b",
        "x" * 81,
        "x" * 80,
        ".a",
        "a",
        "",
    ]
    assert len({file_name(game).lower() for game in games}) == len(games)


def test_without_jinja_an_error_names_the_extra():
    program = (
        "import sys; sys.modules['jinja2'] = None\n"
        "from payment_simulator.errors import InputError\n"
        "from payment_simulator.analysis import report\n"
        "try: report.write_report\n"
        "except InputError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "pip install 'payment-simulator[report]'" in done.stdout


def test_csv_holds_no_formulas_and_all_digits():
    columns = (Column("=text"), Column("money", "money"), Column("share", "share"))
    rows: list[Any] = [
        ("=1+1", 0.1 + 0.2, -1 / 3),
        ("+1", None, None),
        ("-1", -5, 1),
        ("@a", 1e300, 0.5),
        ("\tx", 1.0, 0.0),
        ('a "quoted", text\n', 1.0, 0.0),
    ]
    found = list(csv.reader(io.StringIO(Table("t", "c", columns, rows).csv())))
    assert found[0] == ["'=text", "money (cents)", "share (share)"]
    assert [row[0] for row in found[1:]] == [
        "'=1+1", "'+1", "'-1", "'@a", r"'\tx", 'a "quoted", text\\n',
    ]  # fmt: skip
    assert float(found[1][1]) == 0.1 + 0.2
    assert float(found[1][2]) == -1 / 3
    assert found[2][1:] == ["", ""]


def test_latex_shows_texts_as_they_are():
    table = Table("t", "a_b & $", (Column("n"), Column("x", "money")), [(r"\input{x}", -250)])
    text = table.latex()
    assert r"\caption{a\_b \& \$}" in text
    assert r"\textbackslash{}input\{x\} & -2.50 \\" in text
    assert r"\begin{tabular}{lr}" in text


def test_texts_are_never_cut_in_silence():
    assert lines_of("a\n\u202eb", 100) == ["a", r"\u202eb"]
    assert lines_of("abcdef", 4) == ["abcd", "[2 more characters are in the record]"]
    assert shortened("a \n b") == "a b"
    assert shortened("x" * 250) == f"{'x' * 240} [10 more characters]"


def test_a_whole_number_beyond_a_float_is_shown_as_it_is():
    found = certificate_of(
        a_record(
            EquilibriumCertificateRecord,
            social_optimum_json=json.dumps({"points": [], "total_cost": 10**400}),
            regrets_json=json.dumps({"BANK_A": 10**400}),
        )
    )
    assert not any("social optimum" in sentence for sentence in found.sentences)
    assert found.tables
