"""Channels that are closed, full, left early, or of few characters: no traceback, nothing lost."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from pathlib import Path

import pytest

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.persistence.connection import DatabaseManager
from tests.builders import a_session, an_iteration
from tests.command_line import PROGRAM, payment_sim_process, variables
from tests.effort import tries
from tests.games import SCENARIOS
from tests.processes import HANGS_AFTER_SECONDS

NAMES = ["\u03a9", "\u6f22\u5b57", "gr\u00f6\u00dfe"]
#: As few characters as a terminal can have, in three ways.
FEW = [
    {"PYTHONIOENCODING": "ascii"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"},
]
#: Commands that print, but for the database; {game} is one with a name in another script.
COMMANDS = [
    ["games"],
    ["games", "--json"],
    ["show", "{game}"],
    ["show", "{game}", "--json", "--steps"],
    ["compare", "{game}", "{other}"],
    ["compare", "{game}", "{other}", "--format", "csv"],
    ["compare", "{game}", "{other}", "--json"],
    ["report", "{game}"],
    ["export", "{game}", "{other}", "--to", "{out}"],
]
#: Each command with one way in turn, so that each way meets three commands; in the end, with all.
FEW_TRIED = [
    (command, FEW[(number + more) % len(FEW)])
    for number, command in enumerate(COMMANDS)
    for more in range(tries(1, len(FEW)))
]
#: Commands that print and need no record.
OTHERS = [
    ["--version"],
    ["--help"],
    ["scenario", "check", str(SCENARIOS / "two_period.yaml")],
    ["policy", "show", "Fifo"],
]

pytestmark = pytest.mark.skipif(os.name == "nt", reason="channels of POSIX")


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """Return a record whose name, games and banks are in other scripts."""
    path = tmp_path / "\u00e9t\u00e9.db"
    with DatabaseManager(path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        for name in NAMES:
            repo.save_game_session(a_session(name, optimized_agents=["\u9280\u884c"]))
            repo.save_policy_iteration(an_iteration(game_id=name, agent_id="\u9280\u884c"))
    return path


def _words(command: list[str], record: Path, tmp_path: Path) -> list[str]:
    words = [word.format(game=NAMES[0], other=NAMES[1], out=tmp_path / "out") for word in command]
    return [*words, "--db", str(record)]


def in_shell(words: list[str], channels: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command with channels as a shell sets them."""
    line = f"{shlex.join([*PROGRAM, *words])} {channels}"
    return subprocess.run(
        ["/bin/bash", "-c", f"set -o pipefail; {line}"],
        env=variables(),
        capture_output=True,
        encoding="utf-8",
        cwd=cwd,
        timeout=HANGS_AFTER_SECONDS,
        check=False,
    )


@pytest.mark.sampled(5)
@pytest.mark.parametrize("command", [*COMMANDS, *OTHERS], ids=" ".join)
def test_standard_output_that_takes_nothing(command: list[str], record: Path, tmp_path: Path):
    words = command if command in OTHERS else _words(command, record, tmp_path)
    size = record.stat().st_size
    for channels, said in ((">&-", "standard output is closed"), (">/dev/full", "No space left")):
        if "export" in command or "report" in command:
            words = [*words, *(["--force"] if channels == ">/dev/full" else [])]
        done = in_shell(words, channels, tmp_path)
        assert done.returncode == 1, done
        assert said in done.stderr
        assert done.stderr.count("\n") == 1
        assert done.stderr.startswith("Error: ")
    assert record.stat().st_size == size  # nothing that was printed went into it


@pytest.mark.parametrize("channels", ["2>&-", "2>/dev/full", "2>&- <&-"])
def test_standard_error_that_takes_nothing(channels: str, record: Path, tmp_path: Path):
    words = ["games", "--db", str(record)]
    done = in_shell(words, channels, tmp_path)
    assert done.returncode == 0
    assert all(name in done.stdout for name in NAMES)
    for bad in (["--sort", "nothing"], ["--unknown"]):
        done = in_shell([*words, *bad], channels, tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
    done = in_shell(["show", "nobody", "--db", str(record)], channels, tmp_path)
    assert (done.returncode, done.stdout) == (2, "")


def test_all_channels_closed_at_once(record: Path, tmp_path: Path):
    before = record.read_bytes()
    assert in_shell(["games", "--db", str(record)], "<&- >&- 2>&-", tmp_path).returncode == 1
    assert record.read_bytes() == before


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "json"])
def test_a_pipe_that_is_left_early(options: list[str], record: Path, tmp_path: Path):
    done = in_shell(["show", NAMES[0], "--db", str(record), *options], "| head -1", tmp_path)
    assert done.stderr == ""
    assert done.stdout.count("\n") == 1
    assert done.returncode in {0, 1}  # whether the pipe had taken all by then


@pytest.mark.sampled(4)
@pytest.mark.parametrize(("command", "few"), FEW_TRIED, ids=" ".join)
def test_few_characters(command: list[str], few: dict[str, str], record: Path, tmp_path: Path):
    environment = {k: v for k, v in variables().items() if not k.startswith(("LC_", "PYTHONIO"))}
    done = payment_sim_process(
        *_words(command, record, tmp_path), env={**environment, **few}, cwd=tmp_path
    )
    assert (done.code, done.err) == (0, "")
    if "--json" in command:
        found = json.dumps(json.loads(done.out), ensure_ascii=False)
        assert NAMES[0] in found
    if "report" in command:
        assert len(list(tmp_path.glob("*-report.html"))) == 1
    if "export" in command:
        assert (
            payment_sim_process("import", tmp_path / "out", "--db", tmp_path / "new.db").code == 0
        )


def test_a_game_that_is_not_there_is_named(record: Path, tmp_path: Path):
    environment = {k: v for k, v in variables().items() if not k.startswith(("LC_", "PYTHONIO"))}
    for few in FEW:
        done = payment_sim_process(
            "show", "\u6f22", "--db", record, env={**environment, **few}, cwd=tmp_path
        )
        assert (done.code, done.out) == (2, "")
        assert done.err.startswith("Error: game ")
        assert done.err.count("\n") == 1


def test_a_game_is_played_where_there_are_few_characters(tmp_path: Path):
    environment = {k: v for k, v in variables().items() if not k.startswith(("LC_", "PYTHONIO"))}
    scenario = tmp_path / "\u65e5.yaml"
    scenario.write_text(
        (SCENARIOS / "two_period.yaml").read_text(encoding="utf-8").replace("BANK_A", "\u9280A"),
        encoding="utf-8",
    )
    path, game = tmp_path / "\u00e9.db", NAMES[1]
    played = payment_sim_process(
        *("play", scenario, "--db", path, "--id", game, "--iterations", "1"),
        env={**environment, **FEW[1]},
    )
    assert (played.code, played.err) == (0, "")
    with DatabaseManager(path, read_only=True) as manager:
        [session] = GameRepository(manager.conn).list_game_sessions()
    assert (session.game_id, "\u9280A" in session.optimized_agents) == (game, True)


def test_reports_of_games_in_other_scripts_lie_side_by_side(record: Path, tmp_path: Path):
    for name in NAMES:
        done = payment_sim_process("report", name, "--db", record, "--json", cwd=tmp_path)
        assert done.code == 0
        assert name in (tmp_path / json.loads(done.out)["file"]).read_text(encoding="utf-8")
    assert len(list(tmp_path.glob("*-report.html"))) == len(NAMES)
