"""Long texts are stored once, apart from their rows, and come back as they were or not at all."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from payment_simulator.ai_cash_mgmt import (
    GameRepository,
    LLMInteractionRecord,
    ProvenanceFileRecord,
)
from payment_simulator.ai_cash_mgmt.persistence.checking import check_record
from payment_simulator.analysis.exchange import export_games, import_file
from payment_simulator.errors import DamagedDatabaseError, DatabaseFullError, InputError
from payment_simulator.persistence import texts
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.persistence.faults import translated
from payment_simulator.persistence.memory import LEAST, MOST, memory_limit
from payment_simulator.persistence.texts import PIECE
from tests.builders import a_record, a_session

LONG = "payment\u00e9\0\U0001f600\n" * 2000


@pytest.fixture
def repo(manager: DatabaseManager) -> GameRepository:
    repository = GameRepository(manager.conn)
    repository.initialize_schema()
    repository.save_game_session(a_session())
    return repository


def a_call(number: int = 1, **changes: object) -> LLMInteractionRecord:
    return a_record(LLMInteractionRecord, attempt_number=number, **changes)


def count(repo: GameRepository, table: str) -> int:
    return int(repo.read(f"SELECT count(*) FROM {table}")[0][0])


@pytest.mark.parametrize("text", ["", "x", "x" * PIECE, "x" * (PIECE + 1), LONG])
def test_any_text_comes_back(text: str, repo: GameRepository):
    call = a_call(raw_response=text)
    repo.save_llm_interaction(call)
    assert repo.get_llm_interactions("game-001") == [call]
    assert list(repo.iterate_llm_interactions("game-001")) == [call]
    assert repo.read("SELECT raw_response, user_prompt FROM llm_calls") == [
        (text, call.user_prompt)
    ]
    assert repo.read("SELECT max(length(content)) FROM text_pieces")[0][0] <= PIECE


def test_the_same_text_is_stored_once(repo: GameRepository):
    repo.save_llm_interaction(a_call(1, raw_response=LONG))
    before = count(repo, "texts"), count(repo, "text_pieces")
    for number in (2, 3):
        repo.save_llm_interaction(a_call(number, raw_response=LONG))
    repo.save_game_session(a_session("other"))
    file = ProvenanceFileRecord(game_id="other", role="payments", name="p", content=LONG)
    repo.save_provenance_files([file])
    assert (count(repo, "texts"), count(repo, "text_pieces")) == before
    (known,) = repo.list_provenance_files("other")
    assert (known.sha256, known.num_bytes) == (file.sha256, len(LONG.encode()))
    assert repo.get_text(known.sha256) == LONG
    assert repo.get_text(known.sha256, at_most=7) == LONG[:7]
    with pytest.raises(InputError, match="no text with the SHA-256 'abc'"):
        repo.get_text("abc")


def test_a_text_is_kept_with_its_row_or_not_at_all(repo: GameRepository):
    with pytest.raises(InputError):
        repo.save_llm_interaction(a_call(raw_response=LONG, game_id="nobody"))

    def save_and_fail() -> None:
        with repo.transaction():
            repo.save_llm_interaction(a_call(raw_response=LONG))
            raise KeyError

    with pytest.raises(KeyError):
        save_and_fail()
    assert count(repo, "texts") == count(repo, "text_pieces") == 0


def test_calls_are_read_some_at_a_time(repo: GameRepository, monkeypatch: pytest.MonkeyPatch):
    for number in range(1, 6):
        repo.save_llm_interaction(a_call(number, raw_response=f"{number} {LONG}"))
    monkeypatch.setattr(texts, "AT_ONCE", 2 * len(LONG.encode()) + 10_000)
    groups = list(texts.bounded(range(5), lambda _: len(LONG.encode())))
    assert groups == [[0, 1], [2, 3], [4]]
    found = [c.attempt_number for c in repo.iterate_llm_interactions("game-001")]
    assert found == [1, 2, 3, 4, 5]


class TestChanged:
    """What was changed in texts is found by the check, and never handed out."""

    @pytest.fixture
    def call(self, repo: GameRepository) -> LLMInteractionRecord:
        call = a_call(raw_response=LONG)
        repo.save_llm_interaction(call)
        assert not list(check_record(repo.store.cursor()))
        return call

    def problems(self, repo: GameRepository) -> list[str]:
        return [f.problem for f in check_record(repo.store.cursor()) if f.is_fault]

    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE text_pieces SET content = 'x' || content WHERE piece_number = 2",
            "UPDATE text_pieces SET piece_number = 9 WHERE piece_number = 2",
            "DELETE FROM text_pieces WHERE piece_number = 2",
            "INSERT INTO text_pieces SELECT * FROM text_pieces WHERE piece_number = 2",
        ],
    )
    def test_content(self, change: str, call: LLMInteractionRecord, repo: GameRepository):
        repo.store.write(change)
        assert any("the text was changed" in problem for problem in self.problems(repo))
        with pytest.raises(DamagedDatabaseError, match="the text was changed"):
            repo.get_llm_interactions(call.game_id)

    def test_missing(self, call: LLMInteractionRecord, repo: GameRepository):
        repo.store.write("DELETE FROM texts WHERE num_bytes > 10000")
        found = self.problems(repo)
        assert any("raw_response_sha256 names a text that is missing" in p for p in found)
        repo.store.write("DELETE FROM text_pieces")
        with pytest.raises(DamagedDatabaseError, match="the SHA-256 of a stored text"):
            repo.get_llm_interactions(call.game_id)

    def test_unused_texts_are_a_note(self, call: LLMInteractionRecord, repo: GameRepository):
        repo.save_llm_interaction(call.replace(raw_response="other"))  # the first one is kept
        assert not list(check_record(repo.store.cursor()))
        repo.store.write("DELETE FROM superseded_records")
        (found,) = check_record(repo.store.cursor())
        assert (found.problem, found.is_fault) == ("no row names this text", False)

    def test_an_export_with_a_changed_text_is_refused(
        self, call: LLMInteractionRecord, repo: GameRepository, tmp_path: Path
    ):
        repo.store.write("UPDATE text_pieces SET content = 'x' || content WHERE piece_number = 2")
        export_games(repo, [call.game_id], tmp_path / "out")
        with pytest.raises(InputError, match="the text was changed"):
            import_file(tmp_path / "out", tmp_path / "new.db")
        assert not (tmp_path / "new.db").exists()


class TestMemory:
    """The limit follows the machine, or the environment."""

    def test_it_follows_the_machine(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.delenv("PAYMENT_SIM_MEMORY", raising=False)
        for machine, limit in ((1 << 40, MOST), (512 << 20, 128 << 20), (1 << 20, LEAST)):
            monkeypatch.setattr(
                "payment_simulator.persistence.memory.machine_memory", lambda m=machine: m
            )
            assert memory_limit() == limit

    @pytest.mark.parametrize(
        ("given", "size"), [("2GB", 2 * 10**9), ("512MiB", 512 << 20), (" 1.5 g ", 15 * 10**8)]
    )
    def test_a_size_is_taken(self, given: str, size: int, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("PAYMENT_SIM_MEMORY", given)
        assert memory_limit() == size

    @pytest.mark.parametrize("given", ["abc", "0", "-1", "1KB", "2 GB more", "nan", "9" * 40])
    def test_anything_else_is_refused(self, given: str, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("PAYMENT_SIM_MEMORY", given)
        with pytest.raises(InputError, match=r"PAYMENT_SIM_MEMORY is .*, such as 512MB or 2GB"):
            DatabaseManager(":memory:")

    def test_too_little_memory_is_named(self):
        error = translated(duckdb.OutOfMemoryException("could not allocate block of size 16.0 MiB"))
        assert isinstance(error, DatabaseFullError)
        assert "PAYMENT_SIM_MEMORY=2GB" in str(error)


def test_texts_beyond_the_memory_are_saved_and_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """As rows, 90 MB of texts would have to be held at once."""
    monkeypatch.setenv("PAYMENT_SIM_MEMORY", "64MiB")
    prompts = [f"{n} {'prompt' * 250_000}" for n in range(60)]
    with DatabaseManager(tmp_path / "r.db", serve=False) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        repo.save_game_session(a_session())
        for number, prompt in enumerate(prompts, 1):
            repo.save_llm_interaction(a_call(number, user_prompt=prompt))
    with DatabaseManager(tmp_path / "r.db", read_only=True) as manager:
        repo = GameRepository(manager.conn)
        calls = repo.iterate_llm_interactions("game-001")
        assert all(c.user_prompt == p for c, p in zip(calls, prompts, strict=True))
        assert not [f for f in check_record(manager.conn) if f.is_fault]
