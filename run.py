#!/usr/bin/env python3
"""Sets up a virtual environment here and runs the project in it; needs Python alone."""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

USAGE = """\
python3 run.py play     play the shipped game, or the game of a file
python3 run.py test     run every check and test
python3 run.py lowest   play a game with the lowest versions that are admitted
python3 run.py shell    only set up, and say how to go on"""
ROOT = Path(__file__).resolve().parent
GAME = ("examples", "games", "two_period.yaml")
SCENARIO = ("examples", "scenarios", "two_period.yaml")
OLDEST, NEWEST = (3, 11), (3, 14)
CHECKS = (
    ("ruff", "format", "--check", "."),
    ("ruff", "check", "."),
    ("mypy",),
    ("lint-imports",),
)
#: The engine's tests run twice more: as plain Python, and compiled with every index checked.
OTHER_ENGINES = (
    (
        "NUMBA_DISABLE_JIT",
        (
            "tests/unit/kernels",
            "tests/unit/simulation",
            "tests/reference",
            "tests/property/test_simulation.py",
        ),
    ),
    ("NUMBA_BOUNDSCHECK", ("tests/reference", "tests/property/test_simulation.py")),
)
#: One more than the cores of a small machine, for tests wait for disks and processes. Each worker
#: takes a stretch of the files, in order, and then of what others have left.
WORKERS = ("-n", "3", "--dist", "worksteal")


def main() -> int:
    """Do what the first argument says; return the exit code."""
    task = sys.argv[1] if len(sys.argv) > 1 else "help"
    rest = sys.argv[2:]
    tasks = {"play": play, "test": test, "lowest": lowest, "shell": shell}
    if task in {"help", "-h", "--help"}:
        print(USAGE)
        return 0
    if task not in tasks:
        print(f"Error: there is no task {task!r}. The tasks are:\n{USAGE}", file=sys.stderr)
        return 2
    return tasks[task](rest)


def play(rest: list[str]) -> int:
    """Play a game in an environment with the core alone; the shipped one if no file is named."""
    environment = set_up(".venv", "core")
    # The record is made where the person is, and named from there.
    here = Path.cwd()
    named = any(Path(word).suffix in {".yaml", ".yml"} for word in rest)
    file = [] if named else [ROOT.joinpath(*GAME)]
    command = [program(environment, "payment-sim"), "play", *file, *rest]
    return run(command, check=False, folder=here)


def test(rest: list[str]) -> int:
    """Run every check, then every test; stop at the first that fails."""
    environment = set_up(".venv", "dev")
    # Without compiled files, each of the many processes that tests start compiles the package.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    # A wish for certain tests is no wish for the checks.
    with contextlib.nullcontext() if rest else engines_compiled(environment):
        for check in () if rest else CHECKS:
            print(f"--- {' '.join(check)}", flush=True)
            code = run([program(environment, check[0]), *check[1:]], check=False)
            if code:
                return code
    print("--- pytest", flush=True)
    code = pytest(environment, rest)
    for name, tests in () if rest or code else OTHER_ENGINES:
        print(f"--- pytest, {name}=1", flush=True)
        os.environ[name] = "1"
        code = code or pytest(environment, [*WORKERS, *tests])
        del os.environ[name]
    return code


@contextlib.contextmanager
def engines_compiled(environment: Path) -> Iterator[None]:
    """Compile the engines beside other work: else every worker would do it for itself."""
    command = [str(program(environment, "payment-sim")), "simulate", str(ROOT.joinpath(*SCENARIO))]
    variables = [{}, *({name: "1"} for name, _ in OTHER_ENGINES if name != "NUMBA_DISABLE_JIT")]
    running = [
        subprocess.Popen(
            command,
            env={**os.environ, **more},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for more in variables
    ]
    try:
        yield
    except BaseException:
        for process in running:
            process.kill()
        raise
    finally:
        for process in running:
            process.wait()  # where it fails, the tests tell why


def lowest(rest: list[str]) -> int:
    """Play, check and move a game with the lowest versions that pyproject.toml admits.

    The record is read by DuckDB 1.5 too, which lies in a folder of its own.
    """
    environment = set_up(".venv-lowest", "lowest")
    reader = environment / "reader"
    if not reader.exists():
        hashed = ROOT / "requirements" / "reader.txt"
        install = [*make_environment(environment), "install", "--quiet", "--no-deps"]
        run([*install, "--require-hashes", "--target", f"{reader}.new", "-r", hashed])
        Path(f"{reader}.new").rename(reader)
    check = ROOT / "tests" / "lowest" / "play_and_read.py"
    return run([program(environment, "python"), check, reader, *rest], check=False)


def pytest(environment: Path, rest: list[str]) -> int:
    """Run the tests, all of them unless told which."""
    return run([program(environment, "python"), "-m", "pytest", *(rest or WORKERS)], check=False)


def shell(rest: list[str]) -> int:
    """Set up all that a developer needs and say how to use it."""
    del rest
    environment = set_up(".venv", "dev")
    activate = program(environment, "activate").relative_to(ROOT)
    print(f"Ready. Now, in {ROOT}: . {activate} && payment-sim --help")
    return 0


def set_up(name: str, requirements: str) -> Path:
    """Make the virtual environment if need be, bring it up to date, and return its folder."""
    environment = ROOT / name
    installed = environment / "installed"
    present = installed.read_text() if installed.exists() else ""
    # An environment for tests holds all that a game needs.
    if present in {state(requirements), state("dev")}:
        return environment
    print(f"Setting up {environment}: installs packages, once; about a minute ...", flush=True)
    pip = make_environment(environment)
    hashed = ROOT / "requirements" / f"{requirements}.txt"
    # The file is complete. Asked to resolve, pip would look at newer releases, and refuse them.
    install = [*pip, "install", "--quiet", "--no-deps"]
    # Compiled below, by all cores at once; pip takes one and twice the time.
    run([*install, "--no-compile", "--require-hashes", "-r", hashed])
    run([*install, "--no-build-isolation", "-e", ROOT])
    python, quietly = program(environment, "python"), ["-qq", "-j", "0"]
    # Some packages bring files that are no Python of this version; nobody imports them.
    run([python, "-m", "compileall", *quietly, packages(environment)], check=False)
    installed.write_text(state(requirements))
    print("Set up. Deleting that folder undoes it.", flush=True)
    return environment


def packages(environment: Path) -> Path:
    """Return the folder that holds the packages of a virtual environment."""
    return next(environment.glob("[Ll]ib/**/site-packages"))


def state(requirements: str) -> str:
    """Return what an environment with these requirements is known by."""
    files = (ROOT / "requirements" / f"{requirements}.txt", ROOT / "pyproject.toml")
    content = b"".join(file.read_bytes() for file in files)
    return f"{requirements} {hashlib.sha256(content).hexdigest()}"


def make_environment(environment: Path) -> list[str]:
    """Make a virtual environment with a fitting Python; return the command that is its pip."""
    python = program(environment, "python")
    if not python.exists():
        base = fitting_python()
        plain = [base, "-m", "venv", str(environment)]
        if subprocess.run(plain, capture_output=True, check=False).returncode:
            # Debian ships venv without pip; a pip installed beside can serve.
            made = subprocess.run([*plain, "--without-pip", "--clear"], check=False).returncode
            has_pip = subprocess.run(
                [base, "-m", "pip", "--version"], capture_output=True, check=False
            ).returncode
            if made or has_pip:
                sys.exit(
                    "Error: this Python cannot make virtual environments. On Debian or Ubuntu: "
                    "apt install python3-venv, then run this again."
                )
            (environment / "outer-pip").write_text(base)
    outer = environment / "outer-pip"
    if outer.exists():
        return [outer.read_text(), "-m", "pip", "--python", str(python)]
    return [str(python), "-m", "pip", "--disable-pip-version-check"]


def fitting_python() -> str:
    """Return a Python that the project supports: this one, or another one on the path."""
    if sys.version_info[:2] >= OLDEST:
        return sys.executable
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        try:
            subprocess.run([f"python3.{minor}", "--version"], capture_output=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            continue
        return f"python3.{minor}"
    return sys.exit(
        f"Error: this is Python {sys.version_info[0]}.{sys.version_info[1]}, and the project "
        f"needs {OLDEST[0]}.{OLDEST[1]} or newer; install one and run this again."
    )


def program(environment: Path, name: str) -> Path:
    """Return a program of a virtual environment."""
    if os.name == "nt":
        return environment / "Scripts" / (name if name == "activate" else f"{name}.exe")
    return environment / "bin" / name


def run(command: list, check: bool = True, folder: Path = ROOT) -> int:
    """Run a command in a folder; stop with a line that names it if it must not fail."""
    code = subprocess.run([str(part) for part in command], cwd=folder, check=False).returncode
    if code and check:
        sys.exit(f"Error: this step failed with exit code {code}: {' '.join(map(str, command))}")
    return code


if __name__ == "__main__":
    sys.exit(main())
