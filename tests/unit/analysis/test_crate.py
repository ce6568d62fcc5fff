"""An export describes itself as an RO-Crate, read here by the package of that community."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from rocrate.rocrate import ROCrate
from tests.builders import a_session
from tests.games import castro, play

from payment_simulator.ai_cash_mgmt import GameRepository, game_digest
from payment_simulator.analysis.exchange import Export, export_games, import_file
from payment_simulator.errors import InputError
from payment_simulator.persistence.connection import DatabaseManager

FEW = {"stability_window": 2, "max_iterations": 2}
PROFILE = "https://w3id.org/ro/wfrun/process/0.5"


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Export, str]:
    """Return an export of a game that ended and of one that did not, and the first one's digest."""
    folder = tmp_path_factory.mktemp("crate")
    play(folder / "games.db", castro(convergence=FEW))
    with DatabaseManager(folder / "games.db") as manager:
        repo = GameRepository(manager.conn)
        repo.save_game_session(a_session("<b>&'going on'\n"))
        done = export_games(
            repo,
            repo.get_game_ids(),
            folder / "out",
            format="csv",
            author="An Author",
            license="CC-BY-4.0",
        )
        return done, game_digest(repo, "castro").sha256


@pytest.fixture
def crate(exported: tuple[Export, str]) -> ROCrate:
    return ROCrate(str(exported[0].folder))


def action_of(crate: ROCrate, game: str) -> Any:
    named = (a for a in crate.root_dataset["mentions"] if a["name"] == f"Playing of game {game}")
    return next(named)


def test_the_root_says_what_the_profile_demands(crate: ROCrate) -> None:
    root = crate.root_dataset
    assert root["conformsTo"].id == PROFILE
    assert root["license"].id == "https://spdx.org/licenses/CC-BY-4.0"
    assert root["author"]["name"] == "An Author"
    assert root["name"]
    assert root["description"]
    assert root["datePublished"]
    assert crate.metadata["conformsTo"] == "https://w3id.org/ro/crate/1.1"
    assert {a.type for a in root["mentions"]} == {"CreateAction"}
    assert len(root["mentions"]) == 2


def test_every_file_is_described_as_it_is(crate: ROCrate, exported: tuple[Export, str]) -> None:
    folder = exported[0].folder
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    listed = {entity.id: entity for entity in crate.data_entities if entity.type == "File"}
    assert set(listed) == there - {"ro-crate-metadata.json"}
    for name in there - {"ro-crate-metadata.json", "manifest.json"}:
        content = (folder / name).read_bytes()
        assert listed[name]["contentSize"] == str(len(content))
        assert listed[name]["sha256"] == hashlib.sha256(content).hexdigest()


def test_a_game_is_an_action_with_program_inputs_and_results(
    crate: ROCrate, exported: tuple[Export, str]
) -> None:
    action = action_of(crate, "castro")
    assert action["instrument"].type == "SoftwareApplication"
    assert action["instrument"]["name"] == "payment-simulator"
    assert action["instrument"]["softwareVersion"] == "0.1.0"
    inputs = [entity.id.split("/")[2] for entity in action["object"]]
    assert {"game_file", "scenario"} <= set(inputs)
    results = [entity.id for entity in action["result"]]
    assert "tables/policy_iterations.csv" in results
    assert not set(results) & {entity.id for entity in action["object"]}
    assert action["agent"]["name"] == "An Author"
    assert action["startTime"] < action["endTime"]
    assert action["endTime"].endswith("+00:00")
    assert action["actionStatus"] == "http://schema.org/CompletedActionStatus"
    assert action["identifier"]["value"] == exported[1] == exported[0].digests["castro"]


def test_a_game_that_goes_on_has_no_end(crate: ROCrate) -> None:
    action = action_of(crate, "<b>&'going on'\n")
    assert action.get("endTime") is None
    assert action.get("actionStatus") is None
    assert action["instrument"]["softwareVersion"] == "unknown"


def test_nothing_is_said_that_was_not_given(exported: tuple[Export, str], tmp_path: Path) -> None:
    source = exported[0].folder.parent / "games.db"
    with DatabaseManager(source, read_only=True) as manager:
        export_games(GameRepository(manager.conn), ["castro"], tmp_path / "out")
    crate = ROCrate(str(tmp_path / "out"))
    assert crate.root_dataset.get("author") is None
    assert crate.root_dataset["license"]["name"] == "No licence was given"
    assert crate.root_dataset["mentions"].get("agent") is None


@pytest.mark.parametrize("given", ["", "CC BY", "javascript:x", "http://", "https://a b"])
def test_what_is_no_licence_is_refused(
    given: str, exported: tuple[Export, str], tmp_path: Path
) -> None:
    source = exported[0].folder.parent / "games.db"
    with DatabaseManager(source, read_only=True) as manager:
        repo = GameRepository(manager.conn)
        with pytest.raises(InputError, match="SPDX identifier"):
            export_games(repo, ["castro"], tmp_path / "out", license=given)
        with pytest.raises(InputError, match="author is empty"):
            export_games(repo, ["castro"], tmp_path / "out", author=" ")
    assert not (tmp_path / "out").exists()


def test_an_import_compares_digests(exported: tuple[Export, str], tmp_path: Path) -> None:
    folder = shutil.copytree(exported[0].folder, tmp_path / "out")
    import_file(folder, tmp_path / "good.db")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["digests"]["castro"] = "0" * 64
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InputError, match=f"digest of game 'castro' is {exported[1]}, expected 0"):
        import_file(folder, tmp_path / "bad.db")
    assert not (tmp_path / "bad.db").exists()
