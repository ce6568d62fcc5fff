"""The look at a path before every save: what DuckDB itself does to a file is no reason to stop."""

from __future__ import annotations

import random
from pathlib import Path

from payment_simulator.persistence.connection import DatabaseManager


def test_a_file_that_only_duckdb_changes_is_in_place(db_path: Path):
    rng = random.Random(7)
    with DatabaseManager(db_path) as manager:
        store = manager.store
        assert store.file is not None
        manager.conn.execute("SET checkpoint_threshold = '100KB'")
        store.write("CREATE TABLE filling (number INTEGER, text VARCHAR)")
        for number in range(120):
            what = rng.randrange(5)
            if what < 3:
                with store.transaction():
                    store.write(
                        "INSERT INTO filling SELECT i, repeat(md5(i::VARCHAR), 9) "
                        "FROM range(?) r(i)",
                        (10 ** rng.randrange(1, 5),),
                    )
            elif what == 3:
                store.write("DELETE FROM filling WHERE number % 3 = ?", (number % 3,))
            else:
                manager.conn.execute("CHECKPOINT")
            if number % 40 == 39:
                store.write("DROP TABLE filling")
                manager.conn.execute("CHECKPOINT")
                store.write("CREATE TABLE filling (number INTEGER, text VARCHAR)")
            assert store.file.is_in_place()
            assert store.file.is_log_in_place()
        assert store.file.error is None


def test_a_file_that_is_moved_between_two_openings(db_path: Path):
    stores = []
    for _ in range(2):  # what was known of the first opening is not held against the second
        with DatabaseManager(db_path) as manager:
            stores.append(manager.store)
            manager.store.write("CREATE TABLE filling (number INTEGER)")
        db_path.replace(db_path.with_name("moved.db"))
    assert all(store.settle() is None for store in stores)
