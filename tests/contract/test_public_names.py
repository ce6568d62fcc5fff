"""Import paths, names and signatures are those of the specification."""

from __future__ import annotations

import importlib
import inspect
from datetime import datetime
from typing import Any

import duckdb
import pytest

from payment_simulator.ai_cash_mgmt import (
    GameRepository,
    GameSessionRecord,
    PolicyIterationRecord,
)
from payment_simulator.persistence.connection import DatabaseManager

PATHS = {
    "payment_simulator.ai_cash_mgmt": (
        *("GameRepository", "GameSessionRecord", "PolicyIterationRecord"),
        *("GameMode", "GameStatus"),
    ),
    "payment_simulator.ai_cash_mgmt.persistence.models": (
        "GameSessionRecord",
        "PolicyIterationRecord",
    ),
    "payment_simulator.ai_cash_mgmt.persistence.repository": ("GameRepository",),
    "payment_simulator.persistence.connection": ("DatabaseManager",),
}


@pytest.mark.parametrize(
    ("path", "name"), [(path, name) for path, names in PATHS.items() for name in names]
)
def test_a_name_is_where_the_specification_has_it(path: str, name: str):
    assert inspect.isclass(getattr(importlib.import_module(path), name))


def test_a_name_means_the_same_wherever_it_is_imported_from():
    from payment_simulator.ai_cash_mgmt.persistence import models, repository

    assert repository.GameRepository is GameRepository
    assert models.GameSessionRecord is GameSessionRecord
    assert models.PolicyIterationRecord is PolicyIterationRecord


@pytest.mark.parametrize("path", PATHS)
def test_all_that_a_module_offers_is_there(path: str):
    module = importlib.import_module(path)
    for name in getattr(module, "__all__", ()):
        assert hasattr(module, name)


class Specified:
    """The repository as the specification writes it."""

    def __init__(self, conn: duckdb.DuckDBPyConnection) -> None: ...

    def initialize_schema(self) -> None: ...

    def save_game_session(self, session: GameSessionRecord) -> None: ...

    def get_game_session(self, game_id: str) -> GameSessionRecord | None: ...

    def update_game_session_status(
        self,
        game_id: str,
        status: str,
        completed_at: datetime | None = None,
        total_iterations: int | None = None,
        converged: bool | None = None,
        final_cost: float | None = None,
    ) -> None: ...

    def list_game_sessions(
        self,
        status: str | None = None,
        game_mode: str | None = None,
        limit: int = 100,
    ) -> list[GameSessionRecord]: ...

    def save_policy_iteration(self, iteration: PolicyIterationRecord) -> None: ...

    def get_policy_iterations(
        self,
        game_id: str,
        agent_id: str | None = None,
    ) -> list[PolicyIterationRecord]: ...

    def get_best_policy(self, game_id: str, agent_id: str) -> str | None: ...

    def get_optimization_summary(self, game_id: str) -> dict[str, Any]: ...


METHODS = [name for name in vars(Specified) if callable(getattr(Specified, name))]


@pytest.mark.parametrize("name", METHODS)
def test_a_method_has_the_signature_of_the_specification(name: str):
    specified, ours = getattr(Specified, name), getattr(GameRepository, name)
    assert str(inspect.signature(ours)) == str(inspect.signature(specified))


#: Fields in the order of the specification; the rest must be given.
FIELDS: dict[type[Any], dict[str, str]] = {
    GameSessionRecord: {
        "game_id": "str",
        "scenario_config": "str",
        "master_seed": "int",
        "game_mode": "str",
        "config_json": "str",
        "started_at": "datetime",
        "completed_at": "datetime | None",
        "status": "str",
        "optimized_agents": "list[str]",
        "total_iterations": "int",
        "converged": "bool",
        "final_cost": "float | None",
    },
    PolicyIterationRecord: {
        "game_id": "str",
        "agent_id": "str",
        "iteration_number": "int",
        "trigger_tick": "int",
        "old_policy_json": "str",
        "new_policy_json": "str",
        "old_cost": "float",
        "new_cost": "float",
        "cost_improvement": "float",
        "was_accepted": "bool",
        "validation_errors": "list[str]",
        "llm_model": "str",
        "llm_latency_seconds": "float",
        "tokens_used": "int",
        "created_at": "datetime",
    },
}
EXAMPLES = {"str": "x", "int": 1, "float": 1.5, "bool": True, "datetime": datetime(2026, 1, 1)}


@pytest.mark.parametrize("kind", FIELDS)
def test_a_record_has_the_fields_of_the_specification(kind: type[Any]):
    assert list(kind.model_fields) == list(FIELDS[kind])
    examples = {"game_mode": "rl_optimization", "status": "running", "cost_improvement": 0.0}
    values = {}
    for name, type_name in FIELDS[kind].items():
        plain = type_name.removesuffix(" | None")
        values[name] = ["x"] if plain == "list[str]" else examples.get(name, EXAMPLES.get(plain))
    record = kind(**values)
    for name, type_name in FIELDS[kind].items():
        assert type(getattr(record, name)) is type(values[name]), type_name
        if type_name.endswith("| None"):
            assert getattr(kind(**{**values, name: None}), name) is None
    for field in kind.model_fields.values():
        assert field.description


def test_what_the_specification_leaves_out_of_its_example_may_be_left_out():
    optional = [n for n, f in GameSessionRecord.model_fields.items() if not f.is_required()]
    assert optional == ["completed_at", "total_iterations", "converged", "final_cost"]
    assert all(f.is_required() for f in PolicyIterationRecord.model_fields.values())


def test_the_manager_is_a_context_manager_with_a_connection():
    assert next(iter(inspect.signature(DatabaseManager).parameters)) == "db_path"
    with DatabaseManager(":memory:") as manager:
        assert isinstance(manager, DatabaseManager)
        assert isinstance(manager.conn, duckdb.DuckDBPyConnection)
        GameRepository(manager.conn).initialize_schema()
        assert GameRepository(conn=manager.conn).list_game_sessions(status="completed") == []


@pytest.mark.parametrize("name", METHODS)
def test_a_method_says_what_it_does(name: str):
    ours = getattr(GameRepository, name)
    assert inspect.getdoc(GameRepository if name == "__init__" else ours)
