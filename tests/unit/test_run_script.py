"""run.py: sets up an environment, runs the project in it, and says plainly what it cannot do."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
OLD_PYTHON = (3, 9, 2)


@pytest.fixture
def script(tmp_path: Path, monkeypatch) -> ModuleType:
    """Load run.py as a module that works in a folder of its own and starts no process."""
    spec = importlib.util.spec_from_file_location("run_script", ROOT / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    monkeypatch.setattr(module, "ROOT", tmp_path)

    def no_process(command: Any, **_: Any) -> None:
        raise AssertionError(f"started {command}")

    monkeypatch.setattr(module, "subprocess", SimpleNamespace(run=no_process))
    return module


@pytest.fixture
def commands(script: ModuleType, monkeypatch) -> list[list[str]]:
    """Note the commands that the script would run."""
    noted: list[list[str]] = []

    def note(command: list[Any], check: bool = True) -> int:
        del check
        noted.append([str(part) for part in command])
        return 0

    def make(environment: Path) -> list[str]:
        (environment / "lib" / "python3" / "site-packages").mkdir(parents=True, exist_ok=True)
        return ["pip"]

    monkeypatch.setattr(script, "run", note)
    monkeypatch.setattr(script, "make_environment", make)
    return noted


def run_script(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "run.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


class TestTasks:
    @pytest.mark.parametrize(
        ("arguments", "code"),
        [(["dmeo"], 2), (["--play"], 2), ([""], 2), (["help"], 0), (["--help"], 0), ([], 0)],
        ids=str,
    )
    def test_usage(self, arguments: list[str], code: int):
        done = run_script(*arguments)
        assert done.returncode == code
        said, silent = (done.stderr, done.stdout) if code else (done.stdout, done.stderr)
        assert silent == ""
        for task in ("play", "test", "lowest", "shell"):
            assert re.search(rf"python3 run.py {task}\b", said)
        if code:
            assert said.startswith(f"Error: there is no task {arguments[0]!r}.")

    @pytest.mark.parametrize(
        ("words", "given"),
        [
            (["--db", "mine.db"], ["examples/games/two_period.yaml", "--db", "mine.db"]),
            (["other.yaml", "--json"], ["other.yaml", "--json"]),
        ],
        ids=["shipped", "named"],
    )
    def test_play_runs_where_the_person_is(
        self, words: list[str], given: list[str], script: ModuleType, tmp_path: Path, monkeypatch
    ):
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        monkeypatch.chdir(elsewhere)
        folders: list[Path] = []

        def note(command: list[str], *, cwd: Path, **_: Any) -> SimpleNamespace:
            assert command[1] == "play"
            assert [word.removeprefix(f"{script.ROOT}/") for word in command[2:]] == given
            folders.append(cwd)
            return SimpleNamespace(returncode=0)

        monkeypatch.setattr(script, "set_up", lambda *_: script.ROOT / ".venv")
        monkeypatch.setattr(script, "subprocess", SimpleNamespace(run=note))
        assert script.play(words) == 0
        assert folders == [elsewhere]

    def test_ci_and_make_name_tasks_that_exist(self, script: ModuleType):
        named = {
            task
            for file in (".ci/run", "Makefile", "README.md")
            for task in re.findall(r"run\.py (\w+)", (ROOT / file).read_text(encoding="utf-8"))
        }
        assert {"test", "lowest", "play"} <= named
        assert [task for task in named if not callable(getattr(script, task, None))] == []

    @pytest.mark.skipif(os.name == "nt", reason="files are not marked as programs there")
    @pytest.mark.parametrize("file", ["run.py", ".ci/run"])
    def test_is_a_program(self, file: str):
        assert os.access(ROOT / file, os.X_OK)

    def test_checks_come_before_tests_and_the_first_that_fails_ends_it(
        self, script: ModuleType, monkeypatch
    ):
        started: list[str] = []

        def fail_second(command: list[Any], check: bool = True) -> int:
            del check
            started.append(Path(command[0]).stem)
            return 7 if len(started) == 2 else 0

        monkeypatch.setattr(script, "set_up", lambda *_: script.ROOT / ".venv")
        monkeypatch.setattr(script, "engines_compiled", lambda _: nullcontext())
        monkeypatch.setattr(script, "run", fail_second)
        assert script.test([]) == 7
        assert started == ["ruff", "ruff"]
        started.clear()
        assert script.test(["tests/unit"]) == 0
        assert started == ["python"]

    def test_engines_are_compiled_meanwhile_and_left_when_a_check_fails(
        self, script: ModuleType, monkeypatch
    ):
        done: list[str] = []

        def start(command: list[str], *, env: dict[str, str], **_: Any) -> SimpleNamespace:
            mode = "checked" if env.get("NUMBA_BOUNDSCHECK") else "plain"
            done.append(f"{mode}: {command[1]}")
            return SimpleNamespace(
                wait=lambda: done.append("waited"), kill=lambda: done.append("killed")
            )

        monkeypatch.setattr(script, "subprocess", SimpleNamespace(Popen=start, DEVNULL=None))
        with script.engines_compiled(Path("environment")):
            done.append("checks")
        both = ["plain: simulate", "checked: simulate"]
        assert done == [*both, "checks", "waited", "waited"]
        done.clear()
        with pytest.raises(KeyboardInterrupt), script.engines_compiled(Path("environment")):
            raise KeyboardInterrupt
        assert done == [*both, "killed", "killed", "waited", "waited"]

    def test_a_step_that_fails_is_named(self, script: ModuleType, monkeypatch):
        failed = SimpleNamespace(run=lambda *_, **__: SimpleNamespace(returncode=3))
        monkeypatch.setattr(script, "subprocess", failed)
        assert script.run(["pip", "install"], check=False) == 3
        with pytest.raises(SystemExit) as end:
            script.run(["pip", "install"])
        assert end.value.code == "Error: this step failed with exit code 3: pip install"


class TestState:
    def test_changes_with_what_is_required(self, script: ModuleType):
        before = {name: script.state(name) for name in ("core", "dev")}
        assert before["core"] != before["dev"]
        assert script.state("dev") == before["dev"]
        with (script.ROOT / "requirements" / "dev.txt").open("a") as file:
            file.write("\n")
        assert script.state("dev") != before["dev"]
        assert script.state("core") == before["core"]
        with (script.ROOT / "pyproject.toml").open("a") as file:
            file.write("\n")
        assert script.state("core") != before["core"]


class TestSetUp:
    def test_installs_what_is_hashed_and_then_the_project(self, script, commands):
        environment = script.set_up(".venv", "core")
        assert environment == script.ROOT / ".venv"
        hashed, project, compiled = commands
        assert hashed[:2] == project[:2] == ["pip", "install"]
        assert "--require-hashes" in hashed
        assert hashed[-1] == str(script.ROOT / "requirements" / "core.txt")
        assert {"--no-deps", "--no-build-isolation"} < set(project)
        assert project[-2:] == ["-e", str(script.ROOT)]
        assert "compileall" in compiled
        assert compiled[-1] == str(script.packages(environment))

    def test_once(self, script, commands):
        script.set_up(".venv", "dev")
        commands.clear()
        script.set_up(".venv", "dev")
        # The environment for tests holds all that a game needs.
        script.set_up(".venv", "core")
        assert commands == []

    def test_again_when_more_or_other_is_required(self, script, commands):
        script.set_up(".venv", "core")
        for change in (
            lambda: None,
            lambda: (script.ROOT / "requirements" / "dev.txt").write_text("changed"),
            lambda: (script.ROOT / "pyproject.toml").write_text("changed"),
        ):
            commands.clear()
            change()
            script.set_up(".venv", "dev")
            assert commands[0][-1].endswith("dev.txt")

    def test_again_when_it_broke_off(self, script, commands, monkeypatch):
        def fail(*_: Any, **__: Any) -> int:
            raise SystemExit(1)

        with monkeypatch.context() as broken:
            broken.setattr(script, "run", fail)
            with pytest.raises(SystemExit):
                script.set_up(".venv", "core")
        script.set_up(".venv", "core")
        assert len(commands) == 3

    def test_the_lowest_versions_and_the_reader_lie_apart(self, script, commands):
        made = script.ROOT / ".venv-lowest"
        (made / "reader.new").mkdir(parents=True)  # as pip would have made it
        assert script.lowest([]) == 0
        assert commands[0][-1] == str(script.ROOT / "requirements" / "lowest.txt")
        reader = next(command for command in commands if "--target" in command)
        assert {"--no-deps", "--require-hashes"} < set(reader)
        assert reader[-1] == str(script.ROOT / "requirements" / "reader.txt")
        assert reader[reader.index("--target") + 1] == str(made / "reader.new")
        assert commands[-1][1:] == [
            str(script.ROOT / "tests" / "lowest" / "play_and_read.py"),
            str(made / "reader"),
        ]
        commands.clear()
        assert script.lowest([]) == 0
        assert len(commands) == 1

    @pytest.mark.skipif(os.name == "nt", reason="programs are written for a POSIX shell")
    def test_a_python_without_venv_and_pip_is_told_what_to_install(
        self, script: ModuleType, monkeypatch
    ):
        failing = SimpleNamespace(run=lambda *_, **__: SimpleNamespace(returncode=1))
        monkeypatch.setattr(script, "subprocess", failing)
        with pytest.raises(SystemExit) as end:
            script.make_environment(script.ROOT / ".venv")
        assert isinstance(end.value.code, str)
        assert end.value.code.startswith("Error: ")
        assert "python3-venv" in end.value.code
        assert "\n" not in end.value.code


class TestPython:
    @pytest.fixture
    def old(self, script: ModuleType, monkeypatch) -> ModuleType:
        """Let the script find itself run by an old Python, with no other on the path."""

        def not_there(command: Any, **_: Any) -> None:
            raise FileNotFoundError(command[0])

        monkeypatch.setattr(
            script,
            "sys",
            SimpleNamespace(version_info=OLD_PYTHON, executable="old-python", exit=sys.exit),
        )
        monkeypatch.setattr(
            script,
            "subprocess",
            SimpleNamespace(run=not_there, CalledProcessError=subprocess.CalledProcessError),
        )
        return script

    def test_this_one_fits(self, script: ModuleType):
        assert script.fitting_python() == sys.executable

    def test_an_old_one_is_told_so_in_one_line(self, old: ModuleType):
        with pytest.raises(SystemExit) as end:
            old.fitting_python()
        assert end.value.code == (
            "Error: this is Python 3.9, and the project needs 3.11 or newer; "
            "install one and run this again."
        )

    def test_a_newer_one_on_the_path_is_taken(self, old: ModuleType, monkeypatch):
        def only_some(command: list[str], **_: Any) -> None:
            if command[0] == "python3.13":
                raise subprocess.CalledProcessError(1, command)
            if command[0] not in {"python3.12", "python3.11"}:
                raise FileNotFoundError(command[0])

        monkeypatch.setattr(old.subprocess, "run", only_some)
        assert old.fitting_python() == "python3.12"

    def test_old_ones_can_read_the_script_at_all(self):
        source = (ROOT / "run.py").read_text(encoding="utf-8")
        tree = ast.parse(source, feature_version=(3, 7))
        imported = {
            name.name.partition(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.Import)
            for name in node.names
        } | {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert imported <= {
            *("__future__", "collections.abc", "contextlib", "hashlib", "os", "pathlib"),
            *("subprocess", "sys"),
        }

    def test_supported_pythons_are_those_that_are_declared(self, script: ModuleType):
        declared = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
        assert f'requires-python = ">={script.OLDEST[0]}.{script.OLDEST[1]}"' in declared
        minors = re.findall(r'"Programming Language :: Python :: 3\.(\d+)"', declared)
        assert (min(map(int, minors)), max(map(int, minors))) == (
            script.OLDEST[1],
            script.NEWEST[1],
        )
