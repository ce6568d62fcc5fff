"""Every code block of README and docs runs as it stands, page by page, from the top."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest
from sybil import Example, Sybil
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser
from tests.builders import a_session, an_iteration
from typer.testing import CliRunner

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.cli.main import app
from payment_simulator.persistence.connection import DatabaseManager

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def run_console(example: Example) -> None:
    """Run the commands of a block; the lines below each must come out of it, in order."""
    for part in re.split(r"^\$ ", example.parsed, flags=re.MULTILINE)[1:]:
        command, *expected = part.rstrip().split("\n")
        words = command.split(" #", 1)[0].split()
        if words[0] != "payment-sim":
            assert (ROOT / words[1]).exists() or words[0] in {"make", "pip"}, command
            continue
        result = CliRunner().invoke(app, words[1:], catch_exceptions=False)
        assert result.exit_code == 0, f"{command}: {result.output}"
        lines = iter(result.output.split("\n"))
        for line in expected:
            assert line.rstrip() in (out.rstrip() for out in lines), f"{command}: no {line!r}"


def run_sql(example: Example) -> None:
    """Run a definition on an empty database, a query on the one that the page made."""
    made = sorted(Path().glob("*.db"))
    is_definition = example.parsed.lstrip().startswith("CREATE")
    with duckdb.connect(":memory:" if is_definition else str(made[0])) as conn:
        conn.execute(example.parsed)


DOCUMENTS = Sybil(
    [
        PythonCodeBlockParser(future_imports=["annotations"]),
        CodeBlockParser("console", run_console),
        CodeBlockParser("sql", run_sql),
    ]
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_blocks_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    if page.parent.name == "how-to":
        with DatabaseManager("simulation.db") as manager:
            repo = GameRepository(manager.conn)
            repo.initialize_schema()
            repo.save_game_session(a_session())
            repo.save_policy_iteration(an_iteration())
    for example in DOCUMENTS.parse(page).examples():
        example.evaluate()
    assert "Traceback" not in capsys.readouterr().out


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if not target.startswith(("http://", "https://")):
            path, _, anchor = target.partition("#")
            linked = (page.parent / path).resolve() if path else page
            assert linked.exists(), f"{page.name}: {target}"
            if anchor:
                titles = re.findall(r"^#+ (.*)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
                known = {
                    re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles
                }
                assert anchor in known, f"{page.name}: {target}"


def test_pages_made_from_the_code_are_up_to_date() -> None:
    namespace: dict[str, object] = {"__file__": str(ROOT / "docs" / "generate.py"), "__name__": "x"}
    exec((ROOT / "docs" / "generate.py").read_text(encoding="utf-8"), namespace)
    page = namespace["tables_page"]
    assert callable(page)
    assert (ROOT / "docs/reference/tables.md").read_text(encoding="utf-8") == page()


def test_the_shipped_example_is_the_one_of_the_reference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    example = (ROOT / "examples/complete_example.py").read_text(encoding="utf-8")
    body = example.split('"""\n', 1)[1].strip()
    assert body in (ROOT / "docs/reference/record.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        exec(compile(example, "complete_example.py", "exec"), {})
    expected = "Total iterations: 50\nCost improvement: $25.00\n"
    assert capsys.readouterr().out == expected * 2
    with DatabaseManager("optimization.db", read_only=True) as manager:
        repo = GameRepository(manager.conn)
        assert len(repo.get_superseded_records("policy_iterations")) == 50
        assert len(repo.get_policy_iterations("exp1-run-001")) == 50
