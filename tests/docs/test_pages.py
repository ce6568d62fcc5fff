"""Every code block of README and docs runs as it stands, page by page, from the top."""

from __future__ import annotations

import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from sybil import Example, Sybil
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser
from tests.processes import HANGS_AFTER_SECONDS
from typer.testing import CliRunner

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.cli.main import app
from payment_simulator.persistence.connection import DatabaseManager

ROOT = Path(__file__).parents[2]
#: What ``run.py play`` plays.
SHIPPED = "examples/games/two_period.yaml"
RUN_SCRIPT = (ROOT / "run.py").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


#: What a person does beside payment-sim; none of it can be done in a test.
ELSEWHERE = ("make ", ". .venv/bin/activate", "python\n", "python -m pip ", "pip ")
#: What differs from run to run.
VARYING = {
    r"\d{4}-\d\d-\d\d \d\d:\d\d": "2026-01-02 03:04",
    r"\d{8}-\d{6}-\d{3}": "20260102-030405-678",
    r"[\d,]+ bytes": "N bytes",
    r"(?m)[\d.]+ s$": "0.1 s",
    r"\b[0-9a-f]{64}\b": "HASH",
}


def layout(text: str) -> str:
    """Return a text as it must look: what differs from run to run is made the same."""
    for pattern, same in VARYING.items():
        text = re.sub(pattern, same, text)
    return "\n".join(line.rstrip() for line in text.strip("\n").split("\n"))


def is_shown(expected: str, output: str) -> bool:
    """Tell whether an output is as a page shows it; a line ``...`` stands for any lines."""
    lines = layout(expected).split("\n")
    pattern = "".join(r"(?:.*\n)*?" if line == "..." else f"{re.escape(line)}\n" for line in lines)
    return re.fullmatch(pattern, f"{layout(output)}\n") is not None


@pytest.mark.parametrize(
    ("expected", "output", "same"),
    [
        ("a  b\n", "a  b  \n", True),
        ("a b", "a  b", False),
        ("a\n...\nd", "a\nb\nc\nd", True),
        ("a\nd", "a\nb\nd", False),
        ("a", "a\nb", False),
        ("at 2026-01-02 03:04", "at 1999-12-31 23:59", True),
    ],
)
def test_what_counts_as_shown(expected: str, output: str, same: bool) -> None:
    assert is_shown(expected, output) is same


def run_console(example: Example) -> None:
    """Run the commands of a block; what stands below one is the whole of what it prints."""
    for part in re.split(r"^\$ ", example.parsed, flags=re.MULTILINE)[1:]:
        command, _, expected = part.partition("\n")
        words = shlex.split(command, comments=True)
        if words[:2] == ["python3", "run.py"]:
            if words[2] != "play":
                assert re.search(rf"run.py {words[2]} ", RUN_SCRIPT), command
                continue
            words = ["payment-sim", "play", SHIPPED, *words[3:]]
        if words[0] != "payment-sim":
            assert f"{command}\n".startswith(ELSEWHERE), command
            continue
        result = CliRunner().invoke(app, words[1:], catch_exceptions=False)
        assert result.exit_code == 0, f"{command}: {result.output}"
        if expected.strip():
            assert is_shown(expected, result.output), f"{command}: {result.output}"


def compare_output(example: Example) -> None:
    """Compare with what the Python blocks since the last such block have printed."""
    printed = example.namespace["printed"]()
    assert is_shown(example.parsed, printed), printed


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
        CodeBlockParser("output", compare_output),
    ]
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_blocks_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / "examples")  # what a clone has where one stands
    document = DOCUMENTS.parse(page)
    document.namespace["printed"] = lambda: capsys.readouterr().out
    for example in document.examples():
        example.evaluate()


@pytest.mark.parametrize(
    "page", sorted((ROOT / "docs/tutorial").glob("*.md")), ids=lambda page: page.stem
)
def test_a_tutorial_can_be_pasted(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python reads its blocks line by line, as from a keyboard; no prompt is set for them.

    Commands that stand above its first Python make what that reads.
    """
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    text = page.read_text(encoding="utf-8")
    for example in Sybil([CodeBlockParser("console", run_console)]).parse(page).examples():
        if example.region.start < text.index("```python"):
            example.evaluate()
    blocks = re.findall(r"^```(python|output)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    typed = "".join(f"{block}\n" for kind, block in blocks if kind == "python")
    done = subprocess.run(
        [sys.executable, "-i", "-q", "-u"],
        input=typed,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=HANGS_AFTER_SECONDS,
        check=False,
    )
    assert "Error" not in done.stderr
    assert done.returncode == 0
    shown = "".join(block for kind, block in blocks if kind == "output")
    assert is_shown(shown, done.stdout), done.stdout


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
    namespace = runpy.run_path(str(ROOT / "docs" / "generate.py"))
    pages = namespace["PAGES"]
    assert {"tables.md", "repository.md"} <= {path.name for path in pages}
    for path, page in pages.items():
        assert path.read_text(encoding="utf-8") == page(), f"python docs/generate.py: {path.name}"


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
