"""Policies that a scenario names: where they are looked for, and what a scenario admits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from payment_simulator.policy import builtin, builtin_names, parse_policy
from payment_simulator.scenario import parse_scenario, policy_problems
from payment_simulator.scenario.features import uses
from tests.unit.scenario.samples import Path as Place
from tests.unit.scenario.samples import refusal, small, with_agent

RELEASE: dict[str, Any] = {"policy_id": "mine", "payment_tree": {"action": "Release"}}
#: A condition on the balance and a register, then Hold or Split.
WIDE: dict[str, Any] = {
    "policy_id": "wide",
    "payment_tree": {
        "type": "condition",
        "node_id": "A1",
        "condition": {
            "op": "and",
            "conditions": [
                {"op": ">", "left": {"field": "balance"}, "right": {"value": 5}},
                {
                    "op": "not",
                    "condition": {
                        "op": "<",
                        "left": {"field": "bank_state_x"},
                        "right": {
                            "compute": {
                                "op": "max",
                                "values": [{"field": "ticks_to_deadline"}, {"value": 0}],
                            }
                        },
                    },
                },
            ],
        },
        "on_true": {"type": "action", "node_id": "A2", "action": "Hold"},
        "on_false": {
            "type": "action",
            "node_id": "A3",
            "action": "Split",
            "parameters": {"num_splits": {"value": 2}},
        },
    },
    "bank_tree": {
        "type": "action",
        "node_id": "B1",
        "action": "SetReleaseBudget",
        "parameters": {
            "max_value_to_release": {"field": "credit_limit"},
            "focus_counterparties": ["B"],
        },
    },
}


def with_policy(**policy: Any) -> dict[str, Any]:
    """Return a scenario in which bank A has a policy."""
    return with_agent(policy=policy)


def first_policy(data: dict[str, Any], folder: Path | None = None) -> Any:
    """Return the policy of bank A."""
    return parse_scenario(data, folder=folder).policies[0]


class TestKinds:
    """Each ``policy.type``."""

    @pytest.mark.parametrize(
        ("kind", "parameters"),
        [
            ("Fifo", {}),
            ("Deadline", {"urgency_threshold": 7}),
            ("LiquidityAware", {"target_buffer": 12_345, "urgency_threshold": 6}),
            ("LiquiditySplitting", {"max_splits": 3, "min_split_amount": 900}),
            ("MockSplitting", {"num_splits": 4}),
        ],
    )
    def test_built_in_ones_take_the_parameters_that_are_given(
        self, kind: str, parameters: dict[str, int]
    ) -> None:
        policy = first_policy(with_policy(type=kind, **parameters))
        assert policy == builtin(kind, **parameters)
        assert parameters.items() <= dict(policy.parameters).items()
        assert first_policy(with_policy(type=kind)) == builtin(kind)

    @pytest.mark.parametrize(
        ("kind", "parameters", "words"),
        [
            ("Fifo", {"urgency_threshold": 7}, "urgency_threshold: unknown key"),
            ("Deadline", {"urgency_threshold": -1}, "urgency_threshold: -1 is negative"),
            ("Deadline", {"threshold": 1}, "threshold: unknown key; nearest: urgency_threshold"),
            ("LiquidityAware", {"target_buffer": 0.5}, "target_buffer: 0.5 was given"),
            ("LiquiditySplitting", {"max_splits": 1}, "max_splits: 1 was given"),
            ("LiquiditySplitting", {"min_split_amount": 0}, "min_split_amount: 0 was given"),
            ("MockSplitting", {"num_splits": "2"}, "num_splits: '2' is text"),
            ("FromJson", {}, "json_path: missing"),
            ("FromJson", {"json_path": ""}, "json_path: '' was given; expected the path or name"),
            ("Inline", {"decision_trees": []}, "decision_trees: a list was given"),
            ("InlineJson", {"json_string": {}}, "json_string: a mapping was given"),
        ],
    )
    def test_wrong_parameters(self, kind: str, parameters: dict[str, Any], words: str) -> None:
        message = refusal(with_policy(type=kind, **parameters))
        assert f"agents[0].policy.{words}" in message

    def test_inline(self) -> None:
        policy = first_policy(with_policy(type="Inline", decision_trees=RELEASE))
        assert policy == parse_policy(RELEASE)
        trees = {"payment_tree": RELEASE["payment_tree"]}
        unnamed = first_policy(with_policy(type="Inline", decision_trees=trees))
        assert unnamed.policy_id == "inline"

    def test_inline_json(self) -> None:
        text = json.dumps(WIDE)
        assert first_policy(with_policy(type="InlineJson", json_string=text)) == parse_policy(WIDE)

    @pytest.mark.parametrize(
        "policy",
        [
            {"type": "Inline", "decision_trees": {"payment_tree": {"action": "Relase"}}},
            {
                "type": "InlineJson",
                "json_string": '{"policy_id": "x", "payment_tree": {"action": "Relase"}}',
            },
        ],
    )
    def test_an_invalid_one_is_refused_with_the_place_in_both_files(
        self, policy: dict[str, Any]
    ) -> None:
        message = refusal(with_agent(policy=policy))
        assert message.startswith("scenario, agents[0].policy: ")
        assert "Relase" in message
        assert "Release" in message

    def test_no_json(self) -> None:
        assert "agents[0].policy: " in refusal(with_policy(type="InlineJson", json_string="{"))

    def test_every_bank_gets_its_own(self) -> None:
        data = with_policy(type="Deadline", urgency_threshold=3)
        data["agents"][1]["policy"] = {"type": "Deadline", "urgency_threshold": 4}
        thresholds = [p.parameters["urgency_threshold"] for p in parse_scenario(data).policies]
        assert thresholds == [3, 4]


class TestFiles:
    """``FromJson``: beside the scenario, then in the working folder, then in the library."""

    @pytest.fixture
    def folders(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
        """Return the folder of the scenario, and the working folder."""
        beside, working = tmp_path / "beside", tmp_path / "working"
        beside.mkdir()
        working.mkdir()
        monkeypatch.chdir(working)
        return beside, working

    @staticmethod
    def write(path: Path, policy_id: str) -> None:
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(RELEASE | {"policy_id": policy_id}))

    def test_order_of_places(self, folders: tuple[Path, Path]) -> None:
        beside, working = folders
        data = with_policy(type="FromJson", json_path="fifo.json")
        assert first_policy(data, beside) == builtin("fifo")
        self.write(working / "fifo.json", "of the working folder")
        assert first_policy(data, beside).policy_id == "of the working folder"
        self.write(beside / "fifo.json", "of the scenario")
        assert first_policy(data, beside).policy_id == "of the scenario"
        assert first_policy(data).policy_id == "of the working folder"

    def test_paths_through_folders(self, folders: tuple[Path, Path]) -> None:
        beside, _ = folders
        self.write(beside / "policies" / "p.json", "deep")
        data = with_policy(type="FromJson", json_path="policies/p.json")
        assert first_policy(data, beside).policy_id == "deep"
        absolute = with_policy(type="FromJson", json_path=str(beside / "policies" / "p.json"))
        assert first_policy(absolute).policy_id == "deep"

    @pytest.mark.parametrize("name", builtin_names())
    def test_the_library_goes_by_name_and_by_file_name(
        self, folders: tuple[Path, Path], name: str
    ) -> None:
        beside, _ = folders
        for json_path in (name, f"{name}.json"):
            data = with_policy(type="FromJson", json_path=json_path)
            assert first_policy(data, beside) == builtin(name)

    def test_a_missing_one_names_all_places_and_the_nearest(
        self, folders: tuple[Path, Path]
    ) -> None:
        beside, working = folders
        data = with_policy(type="FromJson", json_path="fifoo.json")
        message = refusal(data, folder=beside)
        assert "agents[0].policy: json_path 'fifoo.json' is not there" in message
        assert str(beside / "fifoo.json") in message
        assert str(working / "fifoo.json") in message
        assert "built-in library; nearest: fifo" in message

    def test_a_file_in_a_folder_is_no_name_of_the_library(self, folders: tuple[Path, Path]) -> None:
        data = with_policy(type="FromJson", json_path="policies/fifo.json")
        assert "is not there" in refusal(data, folder=folders[0])

    @pytest.mark.parametrize("json_path", [".", "/dev/null", "x" * 5000, "~/fifo.json"])
    def test_what_is_no_file(self, folders: tuple[Path, Path], json_path: str) -> None:
        data = with_policy(type="FromJson", json_path=json_path)
        assert "agents[0].policy: json_path" in refusal(data, folder=folders[0])

    def test_a_file_that_is_no_policy(self, folders: tuple[Path, Path]) -> None:
        beside, _ = folders
        (beside / "p.json").write_text('{"policy_id": "p", "payment_tre": {}}')
        data = with_policy(type="FromJson", json_path="p.json")
        message = refusal(data, folder=beside)
        assert f"agents[0].policy: {beside / 'p.json'}" in message
        assert "payment_tree" in message


class TestAgainstTheScenario:
    """A policy that is valid in itself."""

    def test_banks_that_it_names(self) -> None:
        data = with_policy(type="Inline", decision_trees=WIDE)
        assert first_policy(data).policy_id == "wide"
        data["agents"][1]["id"] = "C"
        message = refusal(data)
        assert "agents[0].policy: bank 'A', policy 'wide', bank_tree, node 'B1'" in message
        assert "focus_counterparties names 'B'; nearest" not in message
        assert "focus_counterparties names 'B'; expected one of A, C" in message

    def test_what_it_uses(self) -> None:
        found = [(use.kind, use.name, use.place) for use in uses(parse_policy(WIDE))]
        assert found == [
            ("tree", "bank_tree", "bank_tree"),
            ("action", "SetReleaseBudget", "bank_tree, node 'B1'"),
            ("field", "credit_limit", "bank_tree, node 'B1'"),
            ("tree", "payment_tree", "payment_tree"),
            ("field", "balance", "payment_tree, node 'A1'"),
            ("field", "bank_state_x", "payment_tree, node 'A1'"),
            ("field", "ticks_to_deadline", "payment_tree, node 'A1'"),
            ("action", "Hold", "payment_tree, node 'A2'"),
            ("action", "Split", "payment_tree, node 'A3'"),
        ]

    @pytest.mark.parametrize(
        ("toggles", "refused"),
        [
            ({}, None),
            ({"exclude": []}, None),
            ({"exclude": ["Drop", "collateral", "day_progress_fraction"]}, None),
            ({"exclude": ["bank_tree"]}, "bank_tree: tree bank_tree"),
            ({"exclude": ["Split"]}, "payment_tree, node 'A3': action Split"),
            ({"exclude": ["balance"]}, "payment_tree, node 'A1': field balance"),
            ({"exclude": ["liquidity"]}, "payment_tree, node 'A1': field balance"),
            ({"exclude": ["state"]}, "payment_tree, node 'A1': field bank_state_x"),
            ({"exclude": ["bank_state_x"]}, "payment_tree, node 'A1': field bank_state_x"),
            ({"exclude": ["bank_state_y"]}, None),
            # What is included restricts its own kind only.
            ({"include": ["bank_tree", "payment_tree"]}, None),
            ({"include": ["payment_tree"]}, "bank_tree: tree bank_tree"),
            ({"include": ["Hold", "Split", "SetReleaseBudget"]}, None),
            ({"include": ["Hold", "SetReleaseBudget"]}, "node 'A3': action Split"),
            ({"include": ["liquidity", "credit", "state", "ticks_to_deadline"]}, None),
            ({"include": ["liquidity", "credit_limit", "time"]}, "field bank_state_x"),
        ],
    )
    def test_toggles(self, toggles: dict[str, Any], refused: str | None) -> None:
        data = with_policy(type="Inline", decision_trees=WIDE)
        data["agents"][1]["policy"] = data["agents"][0]["policy"]
        data["policy_feature_toggles"] = toggles
        if refused is None:
            assert first_policy(data).policy_id == "wide"
            return
        message = refusal(data)
        assert "agents[0].policy: bank 'A', policy 'wide', " in message
        assert refused in message
        assert "is not admitted by policy_feature_toggles" in message

    @pytest.mark.parametrize("key", ["include", "exclude"])
    def test_names_that_nothing_goes_by(self, key: str) -> None:
        place: Place = ("policy_feature_toggles", key)
        message = refusal(small(policy_feature_toggles={key: ["Hold", "Relase"]}))
        assert f"{place[0]}.{key}[1]: 'Relase' is no tree, action, field or group" in message
        assert "nearest: Release" in message

    def test_nothing_included_is_a_mistake(self) -> None:
        message = refusal(small(policy_feature_toggles={"include": []}))
        assert "policy_feature_toggles.include: the list is empty" in message

    def test_the_default_policy_is_checked_too(self) -> None:
        message = refusal(small(policy_feature_toggles={"exclude": ["Release"]}))
        assert "agents[0]: bank 'A', policy 'fifo'" in message

    def test_problems_of_a_policy_that_is_proposed_later(self) -> None:
        scenario = parse_scenario(small(policy_feature_toggles={"exclude": ["Split", "payment"]}))
        admitted = "is not admitted by policy_feature_toggles"
        assert policy_problems(parse_policy(WIDE), scenario) == [
            f"payment_tree, node 'A1': field ticks_to_deadline {admitted}",
            f"payment_tree, node 'A3': action Split {admitted}",
        ]
        assert policy_problems(parse_policy(RELEASE), scenario) == []
