"""Games leave a record and come to another one: complete, exact, readable, and provable."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pytest
from tests.builders import a_record, a_session, an_iteration
from tests.fingerprints import rows_of
from tests.games import castro, play, twelve
from tests.known_games.test_models import model, treasurer
from tests.model_server import ModelServer

from payment_simulator.ai_cash_mgmt import (
    GameRepository,
    PolicyIterationRecord,
    ProvenanceFileRecord,
    SimulationRunRecord,
    verify_game,
)
from payment_simulator.analysis.exchange import (
    FORMATS,
    Export,
    arriving,
    export_games,
    import_file,
    import_games,
)
from payment_simulator.errors import GameNotFoundError, InputError
from payment_simulator.persistence.connection import DatabaseManager

PLAYED = ("castro", "twelve", "called")
#: The last was never played: its session and its step were saved again with other content.
GAMES = (*PLAYED, "changed")
formats = pytest.mark.parametrize("file_format", FORMATS)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a record of four games, one with a model, and of a game that stays at home."""
    path = tmp_path_factory.mktemp("played") / "games.db"
    play(path, castro())
    play(path, twelve(convergence={"stability_window": 2, "max_iterations": 2}))
    with ModelServer(treasurer) as server:
        few = {"stability_window": 2, "max_iterations": 2}
        play(path, castro(game_id="called", proposer=model(server), convergence=few))
    with DatabaseManager(path) as manager:
        repo = GameRepository(manager.conn)
        for game in ("changed", "at-home"):
            session = a_session(game)
            repo.save_game_session(session)
            repo.save_game_session(session.replace(scenario_config="elsewhere.yaml"))
            repo.save_game_session(session)
            repo.save_policy_iteration(an_iteration(game_id=game))
            repo.save_policy_iteration(an_iteration(game_id=game, tokens_used=1))
        repo.save_simulation_run(a_record(SimulationRunRecord, game_id=None))
    return path


@pytest.fixture(scope="module")
def exported(played: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Export]:
    """Return an export of the four games in each format."""
    folder = tmp_path_factory.mktemp("exported")
    with DatabaseManager(played, read_only=True) as manager:
        repo = GameRepository(manager.conn)
        return {f: export_games(repo, GAMES, folder / f, format=f) for f in FORMATS}


@pytest.fixture(scope="module")
def left(played: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Return every row of a record that held nothing but the four games."""
    path = tmp_path_factory.mktemp("left") / "games.db"
    shutil.copy(played, path)
    with DatabaseManager(path) as manager:
        for table, where in (
            ("superseded_records", "record_key LIKE '[\"at-home\"%'"),
            ("policy_iterations", "game_id = 'at-home'"),
            ("simulation_runs", "game_id IS NULL"),
            ("game_sessions", "game_id = 'at-home'"),
        ):
            manager.conn.execute(f"DELETE FROM {table} WHERE {where}")
    return rows(path)


def rows(path: Path) -> dict[str, list[str]]:
    """Return every row of every table, apart from the history of the file."""
    with DatabaseManager(path, read_only=True) as manager:
        found = rows_of(manager.conn)
    del found["schema_ledger"]
    return found


@pytest.fixture
def reading(played: Path) -> Iterator[GameRepository]:
    with DatabaseManager(played, read_only=True) as manager:
        yield GameRepository(manager.conn)


@formats
def test_every_row_arrives_and_the_games_can_be_proved(
    file_format: str, exported: dict[str, Export], left: dict[str, list[str]], db_path: Path
) -> None:
    done = import_file(exported[file_format].folder, db_path)
    assert done.added == GAMES
    assert done.already_there == ()
    assert rows(db_path) == left
    # Of each game that was played its session as it ran; of the changed one two sessions, one step.
    assert len(left["superseded_records"]) == len(PLAYED) + 3
    assert done.rows == sum(map(len, left.values())) == sum(exported[file_format].rows.values())
    assert {table for table, found in left.items() if found} >= {
        "llm_interaction_log",
        "transactions",
        "equilibrium_certificates",
        "game_outcomes",
    }
    with DatabaseManager(db_path, read_only=True) as manager:
        repo = GameRepository(manager.conn)
        for game in PLAYED:
            assert verify_game(repo, game).is_identical
    assert [p.name for p in db_path.parent.iterdir()] == [db_path.name]


@formats
def test_games_are_added_to_a_record_that_has_others(
    file_format: str, exported: dict[str, Export], left: dict[str, list[str]], repo: GameRepository
) -> None:
    repo.save_game_session(a_session())
    before = rows_of(repo.store.cursor())
    done = import_games(exported[file_format].folder, repo)
    assert done.added == GAMES
    after = rows_of(repo.store.cursor())
    for table, found in left.items():
        assert after[table] == sorted(found + before[table])
    again = import_games(exported[file_format].folder, repo)
    assert (again.added, again.already_there, again.rows) == ((), GAMES, 0)
    assert rows_of(repo.store.cursor()) == after


@pytest.mark.parametrize("file_format", ["csv", "json"])
def test_files_that_are_read_in_many_pieces(
    file_format: str,
    exported: dict[str, Export],
    left: dict[str, list[str]],
    db_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(arriving, "_PIECE", 20_000)
    monkeypatch.setattr(arriving, "_CHUNK", 1000)
    import_file(exported[file_format].folder, db_path)
    assert rows(db_path) == left


def test_what_was_imported_is_exported_as_it_came(
    exported: dict[str, Export], db_path: Path, tmp_path: Path
) -> None:
    import_file(exported["csv"].folder, db_path)
    with DatabaseManager(db_path, read_only=True) as manager:
        again = export_games(GameRepository(manager.conn), GAMES, tmp_path / "again", format="csv")
    assert undated(again.folder) == undated(exported["csv"].folder)


def undated(folder: Path) -> dict[str, object]:
    """Return the files of an export without the moment at which it was made.

    The crate tells that moment, and the manifest has the hash of the crate.
    """
    found: dict[str, object] = dict(content(folder))
    manifest = json.loads((folder / "manifest.json").read_bytes())
    crate = json.loads((folder / "ro-crate-metadata.json").read_bytes())
    (root,) = [entity for entity in crate["@graph"] if entity["@id"] == "./"]
    assert datetime.fromisoformat(root.pop("datePublished")).tzinfo == UTC
    del manifest["files"]["ro-crate-metadata.json"]["sha256"]
    return found | {"manifest.json": manifest, "ro-crate-metadata.json": crate}


def content(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("change", "table"),
    [
        (  # an update by an equal number would be left out
            (
                "UPDATE policy_iterations SET old_cost = 1;"
                "UPDATE policy_iterations SET old_cost = '-0.0'::DOUBLE"
            ),
            "policy_iterations",
        ),
        ("DELETE FROM daily_costs WHERE day = 0", "daily_costs"),
        ("UPDATE game_sessions SET completed_at = NULL", "game_sessions"),
        ("UPDATE superseded_records SET record_json = '{}'", "superseded_records"),
    ],
)
def test_a_game_that_is_there_with_other_content_is_refused_by_name(
    change: str, table: str, exported: dict[str, Export], db_path: Path
) -> None:
    import_file(exported["parquet"].folder, db_path)
    with DatabaseManager(db_path) as manager:
        manager.conn.execute(
            "UPDATE policy_iterations SET old_cost = 0, new_cost = 0, cost_improvement = 0"
        )
    folder = db_path.parent / "out"
    with DatabaseManager(db_path, read_only=True) as manager:
        export_games(GameRepository(manager.conn), ["castro"], folder)
    with DatabaseManager(db_path) as manager:
        manager.conn.execute(change)
    before = rows(db_path)
    with pytest.raises(InputError, match=f"game 'castro' is in the record already.*{table}"):
        import_file(folder, db_path)
    assert rows(db_path) == before


def test_a_run_of_another_game_is_not_taken(exported: dict[str, Export], repo: GameRepository):
    with duckdb.connect() as conn:
        path = exported["parquet"].folder / "tables/simulation_runs.parquet"
        (run_id,) = conn.execute("SELECT min(run_id) FROM read_parquet(?)", [str(path)]).fetchone()
    repo.save_game_session(a_session())
    repo.save_simulation_run(a_record(SimulationRunRecord, run_id=run_id))
    before = rows_of(repo.store.cursor())
    with pytest.raises(InputError, match="of another game"):
        import_games(exported["parquet"].folder, repo)
    assert rows_of(repo.store.cursor()) == before


def test_the_texts_of_a_game_lie_there_byte_for_byte(
    exported: dict[str, Export], reading: GameRepository
) -> None:
    folder = exported["json"].folder
    (home,) = (folder / "games").glob("twelve-*")
    for role, place in (("scenario", "scenario"), ("game_file", "game_file")):
        (file,) = [f for f in reading.get_provenance_files("twelve") if f.role == role]
        (path,) = (home / place).iterdir()
        assert path.read_bytes() == file.content.encode()
    outcomes = {o.agent_id: o for o in reading.get_game_outcomes("twelve")}
    for bank, outcome in outcomes.items():
        (final,) = (home / "policies/final").glob(f"{bank}-*.json")
        assert final.read_bytes() == outcome.final_policy_json.encode()
        (start,) = (home / "policies/start").glob(f"{bank}-*.json")
        assert json.loads(start.read_bytes()) == json.loads(outcome.start_policy_json)
        best = reading.get_best_policy("twelve", bank)
        found = list((home / "policies/best").glob(f"{bank}-*.json"))
        assert [path.read_bytes() for path in found] == ([best.encode()] if best else [])
    config = reading.get_game_session("twelve").config_json
    assert (home / "config.json").read_bytes() == config.encode()
    assert json.loads((home / "provenance.json").read_bytes())["game_id"] == "twelve"


def test_without_outcomes_the_final_policy_is_the_one_in_force(
    repo: GameRepository, tmp_path: Path
) -> None:
    repo.save_game_session(a_session())
    for number, accepted in ((1, True), (2, False)):
        repo.save_policy_iteration(
            an_iteration(
                number,
                old_policy_json=f'{{"old": {number}}}',
                new_policy_json=f'{{"new": {number}}}',
                was_accepted=accepted,
            )
        )
    repo.save_policy_iteration(an_iteration(agent_id="B", new_policy_json="{...}"))
    folder = export_games(repo, ["game-001"], tmp_path / "out").folder
    found = {
        path.relative_to(folder).parent.name + "/" + path.name[:6] + path.suffix: path.read_text()
        for path in folder.glob("games/*/policies/*/*")
    }
    assert found == {
        "final/BANK_A.json": '{"old": 2}',
        "final/B-df7e.txt": "{...}",
        "best/BANK_A.json": '{"new": 1}',
        "best/B-df7e.txt": "{...}",
    }


def test_names_of_files_do_not_lead_out_of_the_folder(repo: GameRepository, tmp_path: Path) -> None:
    hostile = [
        "../../../evil",
        "/etc/passwd",
        "CON",
        "a\0b",
        "A" * 5000,
        "\u202egpj.exe",
        ".",
        "a/b",
    ]
    for name in [*hostile, "x", "X"]:
        repo.save_game_session(a_session(name))
        repo.save_provenance_files(
            a_record(ProvenanceFileRecord, game_id=name, name=file, content="", sha256="")
            for file in hostile
        )
    games = repo.get_game_ids()
    done = export_games(repo, games, tmp_path / "out")
    assert sorted(p.name for p in tmp_path.iterdir() if p.is_dir()) == ["out"]
    files = [p for p in done.folder.rglob("*") if p.is_file()]
    # Manifest, crate and page beside tables; of each game its configuration and its files.
    assert len(files) == 3 + 19 + len(games) * (1 + len(hostile))
    assert len({str(path).lower() for path in files}) == len(files)
    page = (done.folder / "README.md").read_text(encoding="utf-8")
    assert "evil" in page
    assert all(character.isprintable() or character == "\n" for character in page)
    with DatabaseManager(":memory:") as manager:
        assert import_games(done.folder, GameRepository(manager.conn)).added == tuple(games)


def test_the_page_names_every_table_and_column_and_no_text_is_markup(
    repo: GameRepository, tmp_path: Path
) -> None:
    repo.save_game_session(a_session("<script>x</script>|[a](http://b.c)`![i](j)\n# head"))
    done = export_games(repo, repo.get_game_ids(), tmp_path / "out", format="csv")
    page = (done.folder / "README.md").read_text(encoding="utf-8")
    assert "<script" not in page.replace(r"\<", "")
    assert "\n# head" not in page
    assert r"\<script\>x\<\/script\>\|\[a\]\(http\:\/\/b\.c\)\`\!\[i\]\(j\)\\n\# head" in page
    for column, field in PolicyIterationRecord.model_fields.items():
        assert f"| `{column}` |" in page
        assert str(field.description) in page
    for table in done.rows:
        assert f"### {table}\n\n`tables/{table}.csv`, " in page
    assert "| `old_cost` | DOUBLE | cents |" in page


@formats
def test_other_programs_read_what_the_page_says(
    file_format: str, exported: dict[str, Export], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(exported[file_format].folder)
    page = Path("README.md").read_text(encoding="utf-8")
    blocks = page.split("```")[1::2]
    read = [b.removeprefix("python\n") for b in blocks if b.startswith("python\n")]
    assert len(read) == 2
    n_steps = exported[file_format].rows["policy_iterations"]
    for block, kind in zip(read, (pl.DataFrame, pd.DataFrame), strict=True):
        names: dict[str, object] = {}
        exec(block, names)
        steps = names["steps"]
        assert isinstance(steps, kind)
        assert len(steps) == n_steps
        assert list(steps.columns) == list(PolicyIterationRecord.model_fields)
        assert steps["was_accepted"].sum() > 0
    (sql,) = [b.removeprefix("sql\n") for b in blocks if b.startswith("sql\n")]
    with duckdb.connect() as conn:
        assert len(conn.execute(sql).fetchall()) == 2


def test_the_manifest_lists_every_file_with_its_hash(exported: dict[str, Export]) -> None:
    for file_format, done in exported.items():
        manifest = json.loads((done.folder / "manifest.json").read_bytes())
        assert manifest["file_format"] == file_format
        assert tuple(manifest["games"]) == done.games
        found = content(done.folder)
        del found["manifest.json"]
        assert {name: e["sha256"] for name, e in manifest["files"].items()} == {
            name: hashlib.sha256(data).hexdigest() for name, data in found.items()
        }
        assert done.bytes == sum(p.stat().st_size for p in done.folder.rglob("*") if p.is_file())


def test_a_game_that_is_not_there(reading: GameRepository, tmp_path: Path) -> None:
    with pytest.raises(GameNotFoundError, match="nearest: castro"):
        export_games(reading, ["twelve", "casto"], tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_what_export_cannot_use(reading: GameRepository, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected one of: parquet, csv, json"):
        export_games(reading, ["castro"], tmp_path / "out", format="xml")
    with pytest.raises(InputError, match="no game is named"):
        export_games(reading, [], tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_progress_is_told_to_the_end(
    reading: GameRepository, tmp_path: Path, db_path: Path
) -> None:
    for work in (
        lambda tell: export_games(reading, ["castro"], tmp_path / "out", progress=tell),
        lambda tell: import_file(tmp_path / "out", db_path, progress=tell),
    ):
        told: list[tuple[int, int]] = []
        work(lambda *how_far, told=told: told.append(how_far))
        assert told == [(n, len(told)) for n in range(1, len(told) + 1)]
        assert len(told) == 19


def test_rows_longer_than_what_is_held_at_once(repo: GameRepository, tmp_path: Path) -> None:
    repo.save_game_session(a_session())
    long = "long \u00e9\U0001f600" * 400_000
    repo.save_policy_iterations(
        an_iteration(n, old_policy_json=f"{n}{long}", new_policy_json='"\n') for n in range(1, 4)
    )
    before = rows_of(repo.store.cursor())
    for file_format in FORMATS:
        done = export_games(repo, ["game-001"], tmp_path / file_format, format=file_format)
        with DatabaseManager(":memory:") as manager:
            other = GameRepository(manager.conn)
            import_games(done.folder, other)
            after = rows_of(manager.conn)
        assert after["policy_iterations"] == before["policy_iterations"]
    assert repo.read("SELECT current_setting('memory_limit')") == [("256.0 MiB",)]
