"""Threads: every read is right, no write is lost, and a transaction is seen whole or not at all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import pytest

from payment_simulator.ai_cash_mgmt import GameRepository, PolicyIterationRecord
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.persistence.migrations import SCHEMA_VERSION
from tests.builders import a_session, an_iteration

READERS = 8
GAMES = 4
STEPS = 12
#: A wait that ends sooner or later only because something is wrong.
HANGS_AFTER_SECONDS = 60


def step(game_id: str, number: int) -> PolicyIterationRecord:
    """Return a step whose every value tells which game and step it belongs to."""
    cost = 1000.0 * (1 + int(game_id.rpartition("-")[2])) - number
    return an_iteration(
        number,
        game_id=game_id,
        trigger_tick=number,
        new_policy_json=f'{{"policy of": "{game_id}", "step": {number}}}' + " " * 500,
        old_cost=cost + 1,
        new_cost=cost,
        cost_improvement=1.0,
        tokens_used=number,
    )


def steps(game_id: str, upto: int = STEPS) -> list[PolicyIterationRecord]:
    return [step(game_id, number) for number in range(1, upto + 1)]


def together(*works: Callable[[], object]) -> list[object]:
    """Start all works at one moment, each in its thread, and return what they returned."""
    start = threading.Barrier(len(works))

    def waiting(work: Callable[[], object]) -> object:
        start.wait(HANGS_AFTER_SECONDS)
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return [f.result() for f in [pool.submit(waiting, work) for work in works]]


@pytest.fixture(params=["one repository", "two repositories", "two managers"])
def repos(request, db_path: Path) -> Iterator[tuple[GameRepository, GameRepository]]:
    """Return two ways to the same file."""
    with DatabaseManager(db_path) as manager, DatabaseManager(db_path) as another:
        one = GameRepository(manager.conn)
        one.initialize_schema()
        if request.param == "one repository":
            yield one, one
        elif request.param == "two repositories":
            yield one, GameRepository(manager.conn)
        else:
            yield one, GameRepository(another.conn)


def test_eight_read_what_two_write(repos: tuple[GameRepository, GameRepository]):
    settled = [f"settled-{n}" for n in range(GAMES)]
    written = ["written-7", "written-8"]
    for game_id in settled + written:
        repos[0].save_game_session(a_session(game_id, scenario_config=game_id))
    repos[0].save_policy_iterations([s for game_id in settled for s in steps(game_id)])
    writers = [len(written)]

    def write(repo: GameRepository, game_id: str) -> None:
        try:
            for number in range(1, 2 * STEPS + 1):
                repo.save_policy_iteration(step(game_id, number))
        finally:
            writers[0] -= 1

    def read(repo: GameRepository, first: int) -> int:
        rounds = 0
        while rounds == 0 or writers[0] > 0:
            game_id = settled[(first + rounds) % GAMES]
            assert repo.get_game_session(game_id) == a_session(game_id, scenario_config=game_id)
            assert repo.get_policy_iterations(game_id) == steps(game_id)
            assert repo.get_best_policy(game_id, "BANK_A") == steps(game_id)[-1].new_policy_json
            summary = repo.get_optimization_summary(game_id)
            assert summary["total_iterations"] == STEPS
            assert summary["total_tokens_used"] == sum(range(1, STEPS + 1))
            growing = written[rounds % len(written)]
            seen = repo.get_policy_iterations(growing)
            assert seen == steps(growing, len(seen))
            rounds += 1
        return rounds

    rounds = together(
        *(lambda n=n: read(repos[n % 2], n) for n in range(READERS)),
        *(lambda n=n: write(repos[n], written[n]) for n in range(len(written))),
    )
    assert len([r for r in rounds if r]) == READERS
    for repo in repos:
        for game_id in written:
            assert repo.get_policy_iterations(game_id) == steps(game_id, 2 * STEPS)


def test_two_write_the_same_key_and_no_version_is_lost(
    repos: tuple[GameRepository, GameRepository],
):
    versions = 20

    def write(repo: GameRepository, seed: int) -> None:
        for number in range(versions):
            repo.save_game_session(a_session(master_seed=seed + number))

    together(lambda: write(repos[0], 1000), lambda: write(repos[1], 2000))
    kept = [record.record_json for record in repos[0].get_superseded_records()]
    seeds = [int(text.partition('"master_seed":')[2].split(",")[0]) for text in kept]
    seeds.append(repos[0].list_game_sessions()[0].master_seed)
    assert sorted(seeds) == [*range(1000, 1000 + versions), *range(2000, 2000 + versions)]


class StoppedError(Exception):
    """Ends a transaction in the middle."""


def stop() -> None:
    raise StoppedError


@pytest.mark.parametrize("ends_well", [True, False])
def test_a_transaction_is_invisible_until_its_end(
    ends_well: bool, repos: tuple[GameRepository, GameRepository]
):
    repos[0].save_game_session(a_session())
    written, looked = threading.Event(), threading.Event()
    end, stopping = (int, nullcontext()) if ends_well else (stop, pytest.raises(StoppedError))

    def write() -> list[int]:
        try:
            with stopping, repos[0].transaction():
                repos[0].save_game_session(a_session(status="completed"))
                repos[0].save_policy_iteration(an_iteration())
                repos[0].save_policy_iterations([an_iteration(2), an_iteration(3)])
                seen = [s.iteration_number for s in repos[0].get_policy_iterations("game-001")]
                assert repos[0].list_game_sessions(status="completed")
                written.set()
                assert looked.wait(HANGS_AFTER_SECONDS)
                end()
        finally:
            written.set()
        return seen

    def look() -> list[object]:
        assert written.wait(HANGS_AFTER_SECONDS)
        try:
            return [
                (repo.list_game_sessions(), repo.get_policy_iterations("game-001"))
                for repo in repos
            ]
        finally:
            looked.set()

    own, others = together(write, look)
    assert own == [1, 2, 3]
    assert others == [([a_session()], [])] * 2
    session = a_session(status="completed") if ends_well else a_session()
    numbers = [1, 2, 3] if ends_well else []
    for repo in repos:
        assert repo.list_game_sessions() == [session]
        assert repo.get_policy_iterations("game-001") == [an_iteration(n) for n in numbers]


def test_writers_wait_for_a_transaction(repos: tuple[GameRepository, GameRepository]):
    repos[0].save_game_session(a_session(master_seed=0))
    story: list[str] = []
    first_holds, second_comes = threading.Event(), threading.Event()

    def first() -> None:
        with repos[0].transaction():
            repos[0].save_game_session(a_session(master_seed=1))
            first_holds.set()
            assert second_comes.wait(HANGS_AFTER_SECONDS)
            # Time for the second to write, if nothing held it up.
            time.sleep(0.2)
            story.append("first ends")

    def second() -> None:
        assert first_holds.wait(HANGS_AFTER_SECONDS)
        second_comes.set()
        repos[1].save_game_session(a_session(master_seed=2))
        story.append("second has written")

    together(first, second)
    assert story == ["first ends", "second has written"]
    assert repos[0].list_game_sessions() == [a_session(master_seed=2)]
    kept = [record.record_json for record in repos[0].get_superseded_records()]
    assert ['"master_seed":0' in kept[0], '"master_seed":1' in kept[1]] == [True, True]


def test_a_transaction_in_a_transaction_is_part_of_it(repo: GameRepository):
    def save_and_stop() -> None:
        with repo.transaction():
            repo.save_game_session(a_session())
            with repo.transaction():
                repo.save_policy_iteration(an_iteration())
            stop()

    with pytest.raises(StoppedError):
        save_and_stop()
    assert repo.list_game_sessions() == []
    with repo.transaction(), repo.transaction():
        repo.save_game_session(a_session())
    assert repo.list_game_sessions() == [a_session()]


def test_all_may_initialize_at_once(tmp_path: Path):
    for turn in range(3):
        with DatabaseManager(tmp_path / f"{turn}.db") as manager:
            conn = manager.conn
            together(*[lambda conn=conn: GameRepository(conn).initialize_schema()] * READERS)
            ledger = conn.execute("SELECT version FROM schema_ledger ORDER BY 1").fetchall()
        assert ledger == [(SCHEMA_VERSION,)]


def test_all_may_open_and_close_at_once(db_path: Path):
    with DatabaseManager(db_path) as manager:
        manager.setup()

    def visit(number: int) -> None:
        with DatabaseManager(db_path) as manager:
            GameRepository(manager.conn).save_game_session(a_session(f"game-{number}"))

    together(*(lambda n=n: visit(n) for n in range(READERS)))
    with DatabaseManager(db_path, read_only=True) as manager:
        found = {s.game_id for s in GameRepository(manager.conn).list_game_sessions()}
    assert found == {f"game-{n}" for n in range(READERS)}
    assert [p.name for p in db_path.parent.iterdir()] == [db_path.name]
