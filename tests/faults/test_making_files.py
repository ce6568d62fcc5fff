"""New files: names that DuckDB takes for others, file systems without links, other machines."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from payment_simulator.errors import NotADatabaseError
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.persistence.copying import copy_database
from payment_simulator.persistence.files import partial_path, remove_leftovers
from payment_simulator.persistence.placing import place
from tests.effort import tries
from tests.faults.children import Said, compete, count, set_up_until, write, write_and_die
from tests.faults.folder import content, names
from tests.faults.no_links import IS_POSSIBLE, deny_links, without_links

#: What DuckDB takes for options, or for a separator of folders.
REFUSED = ["a?b.db", "a.db?x=1", "?.db", "a?/simulation.db", "a\\b.db", "a\\/simulation.db"]
#: What looks as if it meant something, and does not.
TAKEN = [
    "a#b.db", "a%20b.db", "a%3Fb.db", ":memory:x.db", "file:a.db", "md:a.db", "s3:a.db", " a.db ",
    "a'b.db", 'a"b.db', "a\nb.db", "a*b.db", "a[1].db", "{a,b}.db", "~", "a;b.db", "@a.db", "-a.db",
    "a.db.wal", "a.csv", "a.parquet", "本é.db", "$HOME.db", "a#/b.db", "a*/b.db", "~/a.db",
]  # fmt: skip


@pytest.mark.parametrize("read_only", [True, False], ids=["reading", "writing"])
@pytest.mark.parametrize("name", REFUSED)
def test_a_name_that_duckdb_takes_for_another(name, read_only, tmp_path: Path):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"as it was")
    before = content(tmp_path)
    with pytest.raises(NotADatabaseError, match="Give a path without it"):
        DatabaseManager(path, read_only=read_only)
    link = tmp_path / "link.db"
    link.symlink_to(path)
    with pytest.raises(NotADatabaseError, match="Give a path without it"):
        DatabaseManager(link, read_only=read_only)
    link.unlink()
    assert content(tmp_path) == before


def test_a_copy_of_such_a_name(tmp_path: Path):
    with DatabaseManager(tmp_path / "a.db") as manager:
        manager.setup()
        with pytest.raises(NotADatabaseError, match="Give a path without it"):
            copy_database(manager.store, tmp_path / "b?.db")
    assert names(tmp_path) == ["a.db"]


def test_the_log_of_such_a_name_is_told(tmp_path: Path):
    (tmp_path / "a?b.db").touch()
    (tmp_path / "a.wal?b.db").write_bytes(b"the last saves")
    with pytest.raises(NotADatabaseError, match=r"a\.wal\?b\.db to the same name with \.wal"):
        DatabaseManager(tmp_path / "a?b.db")


@pytest.mark.skipif(os.name == "nt", reason="no such names there")
@pytest.mark.slow
def test_names_that_mean_nothing_to_duckdb(tmp_path: Path, start_child):
    for number, name in enumerate(TAKEN[:: tries(6, 1)]):
        path = tmp_path / str(number) / name
        path.parent.mkdir(parents=True)
        child = start_child(write_and_die, path, 0, 5)
        child.hear()
        child.kill()
        assert set(names(path.parent)) >= {path.name, f"{path.name}.wal"}, name
        assert start_child(count, [path], False).result() == [5], name
        assert names(path.parent) == [path.name]


needs_kernel = pytest.mark.skipif(not IS_POSSIBLE, reason="not with this kernel")


@needs_kernel
def test_a_new_file_without_links(db_path: Path, start_child):
    start_child(without_links, write, db_path, 0, 5, "16MB").result()
    assert names(db_path.parent) == [db_path.name]
    assert start_child(count, [db_path], True).result() == [5]


def try_to_place(parent: Said, made: Path, target: Path) -> bool:  # noqa: ARG001 - given
    deny_links()
    with pytest.raises(PermissionError):
        os.link(made, target.with_name("linked"))
    return place(made, target)


@needs_kernel
def test_no_file_is_replaced_without_links(tmp_path: Path, start_child):
    made, target = tmp_path / "made", tmp_path / "target"
    made.write_bytes(b"new")
    for there in (b"", b"old"):
        target.write_bytes(there)
        assert start_child(try_to_place, made, target).result() is False
        assert content(tmp_path) == {"made": b"new", "target": there}
    target.unlink()
    assert start_child(try_to_place, made, target).result() is True
    assert content(tmp_path) == {"target": b"new"}


@needs_kernel
@pytest.mark.slow
@pytest.mark.parametrize("turn", range(tries(2, 30)))
def test_two_make_a_file_at_once_without_links(turn, db_path: Path, start_child):
    started = [
        start_child(without_links, compete, db_path, f"game-{n}-{turn}", 3, 60.0) for n in range(2)
    ]
    for child in started:
        child.hear()
    for child in started:
        child.tell()
    assert [child.result() for child in started] == [None, None]
    with DatabaseManager(db_path, read_only=True) as manager:
        found = manager.conn.execute(
            "SELECT game_id, count(*) FROM policy_iterations GROUP BY ALL ORDER BY ALL"
        ).fetchall()
    assert found == [(f"game-0-{turn}", 3), (f"game-1-{turn}", 3)]
    assert names(db_path.parent) == [db_path.name]


@needs_kernel
@pytest.mark.slow
def test_killed_while_making_a_file_without_links(tmp_path: Path, start_child):
    kinds = ("open", "os.", "fcntl.")
    n_killed = 0
    for number in range(1, 200, tries(6, 1)):
        path = tmp_path / str(number) / "simulation.db"
        path.parent.mkdir()
        child = start_child(without_links, set_up_until, path, number, kinds)
        if child.exit_code == 0:
            break
        n_killed += 1
        start_child(without_links, write, path, 0, 3, "16MB").result()
        assert names(path.parent) == [path.name]
    assert n_killed > 3


class TestLeftovers:
    """Unfinished files go when it is known that nobody finishes them."""

    def test_of_a_process_of_this_machine_that_has_ended(self, db_path: Path, start_child):
        made = Path(start_child(leave, db_path).result())
        assert made.exists()
        remove_leftovers(db_path)
        assert not made.exists()

    def test_of_a_process_that_runs(self, db_path: Path):
        made = partial_path(db_path, db_path)
        made.touch()
        remove_leftovers(db_path)
        assert made.exists()

    def test_of_another_machine(self, db_path: Path, start_child):
        made = Path(start_child(leave, db_path).result())
        machine, start, rest = made.name.removeprefix(".simulation.db.").split("-", 2)
        for other in (f"00000000-{start}", "00000000-00000000"):
            elsewhere = made.with_name(f".simulation.db.{other}-{rest}")
            elsewhere.touch()
            os.utime(elsewhere, (0, 0))
            remove_leftovers(db_path)
            assert elsewhere.exists()
        assert machine != "00000000"

    def test_of_a_number_that_nobody_can_place(self, db_path: Path):
        made = db_path.with_name(".simulation.db.999999999-0123abcd.new")
        made.touch()
        remove_leftovers(db_path)
        assert made.exists()

    def test_from_before_this_machine_was_started_again(self, db_path: Path):
        made = partial_path(db_path, db_path)
        machine, _, rest = made.name.removeprefix(".simulation.db.").split("-", 2)
        earlier = made.with_name(f".simulation.db.{machine}-00000000-{rest}")
        earlier.touch()
        remove_leftovers(db_path)
        assert earlier.exists()  # it may be a container's beside this one
        long_ago = time.time() - 7200
        os.utime(earlier, (long_ago, long_ago))
        remove_leftovers(db_path)
        assert not earlier.exists()


def leave(parent: Said, path: Path) -> str:  # noqa: ARG001 - given
    made = partial_path(path, path)
    made.touch()
    return str(made)
