"""Other keepers of the same records, each made ready for a race of saves."""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from payment_simulator.ai_cash_mgmt import PolicyIterationRecord

Records = Sequence[PolicyIterationRecord]
Steps = Sequence[Callable[[], object]]
OPTUNA = ("Optuna, ask and tell", "Optuna, add_trial", "Optuna, add_trial of one text")
MLFLOW = ("MLflow, log_metrics and set_tags", "MLflow, log_batch")


def in_tenths(save: Callable[[PolicyIterationRecord], object], records: Records) -> Steps:
    """Cut the saves into ten steps, between which the contenders take turns."""
    size = -(-len(records) // 10)
    parts = [records[at : at + size] for at in range(0, len(records), size)]
    return [partial(_each, save, part) for part in parts]


def _each(
    save: Callable[[PolicyIterationRecord], object], part: Iterable[PolicyIterationRecord]
) -> None:
    for record in part:
        save(record)


@contextmanager
def json_lines(folder: Path, records: Records) -> Iterator[Steps]:
    """Append to a file and fsync: the least that durable can cost."""
    with (folder / f"lines-{time.monotonic_ns()}.jsonl").open("a", encoding="utf-8") as file:

        def append(record: PolicyIterationRecord) -> None:
            file.write(record.model_dump_json() + "\n")
            file.flush()
            os.fsync(file.fileno())

        yield in_tenths(append, records)


@contextmanager
def sqlite(folder: Path, records: Records) -> Iterator[Steps]:
    """Insert rows into SQLite, as durable as ours: write-ahead log with full sync."""
    columns = ", ".join(PolicyIterationRecord.model_fields)
    sql = f"INSERT INTO policy_iterations VALUES ({', '.join('?' * columns.count(',') + '?')})"
    rows = {
        id(record): [str(v) if isinstance(v, datetime) else v for v in record.to_row()]
        for record in records
    }
    path = folder / f"sqlite-{time.monotonic_ns()}.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        conn.executescript(
            f"""PRAGMA journal_mode = WAL;
            PRAGMA synchronous = FULL;
            CREATE TABLE policy_iterations ({columns},
                PRIMARY KEY (game_id, agent_id, iteration_number));
            CREATE INDEX idx_iter_game ON policy_iterations (game_id);
            CREATE INDEX idx_iter_agent ON policy_iterations (game_id, agent_id)"""
        )
        yield in_tenths(lambda record: conn.execute(sql, rows[id(record)]), records)


def _split(record: PolicyIterationRecord) -> tuple[dict[str, float], dict[str, str]]:
    """Return a record's numbers and its texts."""
    values = record.model_dump(mode="json", exclude={"game_id", "validation_errors"})
    numbers = {k: float(v) for k, v in values.items() if not isinstance(v, str)}
    texts = {k: v for k, v in values.items() if isinstance(v, str)}
    return numbers, {**texts, "validation_errors": json.dumps(record.validation_errors)}


@contextmanager
def optuna(folder: Path, way: str, records: Records) -> Iterator[Steps]:
    """Keep each record as a trial with user attributes, in Optuna's relational storage."""
    import optuna as package

    package.logging.set_verbosity(package.logging.WARNING)
    path = folder / f"optuna-{time.monotonic_ns()}.db"
    storage = package.storages.RDBStorage(f"sqlite:///{path}")
    study = package.create_study(storage=storage)

    def ask_and_tell(record: PolicyIterationRecord) -> None:
        numbers, texts = _split(record)
        trial = study.ask()
        for name, value in {**numbers, **texts}.items():
            trial.set_user_attr(name, value)
        study.tell(trial, record.new_cost)

    def add(record: PolicyIterationRecord, attributes: dict[str, Any]) -> None:
        trial = package.trial.create_trial(value=record.new_cost, user_attrs=attributes)
        study.add_trial(trial)

    def add_trial(record: PolicyIterationRecord) -> None:
        numbers, texts = _split(record)
        add(record, {**numbers, **texts})

    def one_text(record: PolicyIterationRecord) -> None:
        add(record, {"record": record.model_dump_json()})

    yield in_tenths(
        {OPTUNA[0]: ask_and_tell, OPTUNA[1]: add_trial, OPTUNA[2]: one_text}[way], records
    )
    storage.remove_session()
    storage.engine.dispose()


@contextmanager
def mlflow(folder: Path, way: str, records: Records) -> Iterator[Steps]:
    """Keep each record as metrics and tags of one run, the tags named by iteration."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    import mlflow as package
    from mlflow.entities import Metric, RunTag

    logging.getLogger("mlflow").setLevel(logging.WARNING)
    name = f"mlflow-{time.monotonic_ns()}"
    uri = f"sqlite:///{folder / name}.db"
    client = package.MlflowClient(tracking_uri=uri)
    place = (folder / name).as_uri()
    run = client.create_run(client.create_experiment(name, artifact_location=place)).info.run_id

    def fluent(record: PolicyIterationRecord) -> None:
        numbers, texts = _split(record)
        step = record.iteration_number
        package.log_metrics(numbers, step=step)
        package.set_tags({f"{key}.{step}": value for key, value in texts.items()})

    def log_batch(record: PolicyIterationRecord) -> None:
        numbers, texts = _split(record)
        step = record.iteration_number
        metrics = [Metric(key, value, 0, step) for key, value in numbers.items()]
        client.log_batch(run, metrics, tags=[RunTag(f"{k}.{step}", v) for k, v in texts.items()])

    if way == MLFLOW[1]:
        yield in_tenths(log_batch, records)
        return
    package.set_tracking_uri(uri)
    with package.start_run(run):
        yield in_tenths(fluent, records)


#: What stores the same data so that it can be queried; the natural way first, then the fastest.
PEERS = (*OPTUNA[:2], *MLFLOW)
MODULES = {"optuna": (optuna, OPTUNA), "mlflow": (mlflow, MLFLOW)}
