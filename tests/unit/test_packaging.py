"""What is declared, what is pinned and what is shipped agree; importing stays light."""

from __future__ import annotations

import importlib
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from payment_simulator import __version__
from tests.processes import run

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
EXTRAS = PROJECT["optional-dependencies"]
BUILD = PYPROJECT["build-system"]["requires"]
PINS = ("core", "dev")


def pinned(name: str) -> dict[str, dict[Version, int]]:
    """Return the versions of each package in a requirements file, with their number of hashes.

    A package stands there more than once where Pythons or platforms need different versions.
    """
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    found: dict[str, dict[Version, int]] = {}
    for line in text.replace("\\\n", " ").splitlines():
        requirement, *hashes = line.split("--hash=sha256:")
        if requirement.strip():
            package = Requirement(requirement.strip())
            (specifier,) = package.specifier
            assert specifier.operator == "==", line
            assert all(re.fullmatch(r"[0-9a-f]{64}", h.strip()) for h in hashes), line
            versions = found.setdefault(canonicalize_name(package.name), {})
            versions[Version(specifier.version)] = len(hashes)
    return found


DECLARED = [
    *((text, name) for text in (*PROJECT["dependencies"], *BUILD) for name in PINS),
    *((text, "dev") for text in EXTRAS["dev"]),
]


@pytest.mark.parametrize(("declared", "name"), DECLARED, ids=[f"{n}: {d}" for d, n in DECLARED])
def test_a_dependency_is_pinned_to_a_version_that_fits(declared: str, name: str):
    requirement = Requirement(declared)
    versions = pinned(name).get(canonicalize_name(requirement.name))
    assert versions, f"make lock: {declared} is not in requirements/{name}.txt"
    for version in versions:
        assert version in requirement.specifier


@pytest.mark.parametrize("name", PINS)
def test_every_pin_has_a_hash(name: str):
    pins = pinned(name)
    assert [p for p, versions in pins.items() if not all(versions.values())] == []
    assert len(pins) >= len(PROJECT["dependencies"])


def test_core_is_part_of_dev():
    core, dev = map(pinned, PINS)
    assert {package: dev.get(package) for package in core} == core


def test_extras():
    known = {"llm", "dashboard", "frames", "distributed", "postgres", "report", "all", "dev"}
    assert set(EXTRAS) == known
    (everything,) = map(Requirement, EXTRAS["all"])
    assert everything.name == PROJECT["name"]
    assert everything.extras == set(EXTRAS) - {"all", "dev"}


def test_every_declared_dependency_says_what_is_too_old():
    texts = [*PROJECT["dependencies"], *BUILD, *(t for e in EXTRAS.values() for t in e)]
    open_ended = {
        text
        for text in texts
        if not any(s.operator in {">=", "=="} for s in Requirement(text).specifier)
    }
    assert open_ended == set(EXTRAS["all"])


def test_versions_agree():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == __version__ == str(Version(__version__))
    assert citation["title"] == PROJECT["name"]
    assert citation["license"] == PROJECT["license"]


def test_the_script_leads_to_a_function():
    assert list(PROJECT["scripts"]) == ["payment-sim"]
    module, _, function = PROJECT["scripts"]["payment-sim"].partition(":")
    assert callable(getattr(importlib.import_module(module), function))


#: Written with one letter in brackets, so that this file does not hold what it looks for.
FORBIDDEN = {
    "registry": r"""/[s]imple/?["'\s]|[f]iles\.pythonhosted|(?<!no-emit-)[i]ndex-url|"""
    r"[t]rusted-host|[f]ind-links\b|[a]rtifactory|[d]evpi",
    "machine": r"(?<![\w.*~/$}-])/([h]ome|[r]oot|[U]sers|[w]ork|[m]nt)/[\w.]",
    "user": r"[A-Z]:\\[U]sers",
}


def tracked() -> list[Path]:
    """Return every file that is in git or would come in with the next commit."""
    # The owner of a checkout in a container is not always who runs the tests.
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "-co", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    return [ROOT / name for name in done.stdout.decode().split("\0") if name]


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a checkout")
@pytest.mark.parametrize("kind", FORBIDDEN)
def test_no_file_tells_of_the_machine_it_was_made_on(kind: str):
    pattern = re.compile(FORBIDDEN[kind])
    files = [path for path in tracked() if path.is_file()]
    assert ROOT / "pyproject.toml" in files
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in files
        for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("kind", "text", "word"),
    [
        ("registry", "https://example.org/{}/", "simple"),
        ("registry", "--{}-url https://example.org", "index"),
        ("machine", "in /{}/somebody/project", "home"),
        ("machine", "'/{}/.venv'", "root"),
        ("user", "C:\\{}\\somebody", "Users"),
    ],
)
def test_what_is_forbidden_would_be_found(kind: str, text: str, word: str):
    assert re.search(FORBIDDEN[kind], text.format(word) + "\n")
    assert not re.search(FORBIDDEN[kind], text.format("other") + "\n")


LOADED = "import sys; print('loaded:', *(name for name in {names!r} if name in sys.modules))"
HEAVY = ["numpy", "pyarrow", "pandas", "polars", "rich", "typer", "arro3", "http.server"]


def test_the_package_imports_nothing_heavy():
    shown = LOADED.format(names=[*HEAVY, "duckdb", "pydantic"])
    assert run(f"import payment_simulator.ai_cash_mgmt; {shown}") == "loaded:"
    record = "from payment_simulator.ai_cash_mgmt import GameRepository"
    assert run(f"{record}; {shown}") == "loaded: duckdb pydantic"


HELP = """
import sys
from payment_simulator.cli import main
sys.argv = ["payment-sim", *sys.argv[1:]]
try:
    main()
except SystemExit as end:
    assert not end.code
"""


@pytest.mark.parametrize(
    ("arguments", "light"),
    # For the arguments of a command, Typer itself goes for pydantic.
    [("--help", "typer"), ("--version", "typer"), ("db check --help", "typer pydantic")],
)
def test_help_is_quick(arguments: str, light: str):
    said = run(HELP + LOADED.format(names=["duckdb", "pydantic", *HEAVY]), *arguments.split())
    loaded = set(said.rpartition("loaded:")[2].split())
    assert "typer" in loaded
    assert loaded <= set(light.split())
