"""What agents may propose, and what is refused."""

from __future__ import annotations

import copy
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from payment_simulator.ai_cash_mgmt.constraints import (
    ConstraintValidator,
    ParameterSpec,
    ScenarioConstraints,
    default_constraints,
    describe,
    starting_policy,
    unread_parameters,
)
from payment_simulator.errors import GameFileError, InputError, PolicyError
from payment_simulator.policy import (
    ACTIONS,
    FIELDS,
    Policy,
    builtin,
    parse_policy,
    to_dict,
    to_json,
)
from payment_simulator.policy.tree import TREES
from payment_simulator.scenario import parse_scenario

FRACTION = "initial_liquidity_fraction"
SHARE = {"name": FRACTION, "min_value": 0, "max_value": 1, "step": 0.05}
URGENCY = {"name": "urgency_threshold", "param_type": "int", "min_value": 1, "max_value": 9}


def scenario(**more):
    return parse_scenario(
        {
            "simulation": {"ticks_per_day": 10, "num_days": 1},
            "agents": [
                {
                    "id": "A",
                    "opening_balance": 0,
                    "liquidity_pool": 1000,
                    "liquidity_allocation_fraction": 0.33,
                    "policy": {"type": "Deadline", "urgency_threshold": 4},
                },
                {"id": "B", "opening_balance": 500},
            ],
            **more,
        }
    )


def constraints(*specs, **more):
    return ScenarioConstraints(allowed_parameters=list(specs), **more)


def check(of, policy, bank="A", **more):
    return ConstraintValidator(of, scenario(**more), bank).validate(policy)


def proposal(of=None, bank="A", **parameters):
    start = starting_policy(scenario(), bank, of or constraints(SHARE, URGENCY))
    return replace(start, parameters={**start.parameters, **parameters})


def with_tree(name, tree, of=None):
    """Return the first policy of A with another tree, as a mapping."""
    return {**to_dict(proposal(of)), name: tree}


def deep(action, levels=3, field="balance"):
    """Return a tree with an action some forks below its root."""
    node = {"action": action} if isinstance(action, str) else action
    for _ in range(levels):
        node = {
            "condition": {"op": ">", "left": {"field": field}, "right": {"value": 0}},
            "on_true": {"action": "Release"},
            "on_false": node,
        }
    return node


class TestSpecs:
    @pytest.mark.parametrize(
        ("spec", "words"),
        [
            (SHARE, "a number from 0 to 1 in steps of 0.05"),
            (URGENCY, "a whole number from 1 to 9"),
            ({"name": "x", "param_type": "enum", "values": [2, 0.5]}, "one of 2, 0.5"),
        ],
    )
    def test_says_what_is_expected(self, spec, words):
        assert ParameterSpec(**spec).expectation() == words

    @pytest.mark.parametrize(
        ("changes", "problem"),
        [
            ({"min_value": None}, "missing"),
            ({"max_value": 0}, "not above"),
            ({"min_value": 2}, "not above"),
            ({"step": 0}, "more than 0"),
            ({"step": -0.1}, "more than 0"),
            ({"step": 1.5}, "at most the range"),
            ({"step": 1e-12}, "steps"),
            ({"step": 0.3}, "expected 0.9"),
            ({"values": [1, 2]}, "belongs to param_type enum"),
            ({"default": 1.01}, "from 0 to 1"),
            ({"default": float("nan")}, "expected a number"),
            ({"max_value": float("inf")}, "expected a number"),
            ({"min_value": True}, "expected a number"),
            ({"param_type": "int", "min_value": 0.5, "step": None}, "whole number"),
            ({"param_type": "int", "step": 0.5}, "whole number"),
            ({"param_type": "int", "step": 1, "default": 0.5}, "whole number"),
            ({"param_type": "enum", "values": [1]}, "belongs to param_type float and int"),
            ({"param_type": "string"}, "literal"),
            ({"stepp": 1}, "stepp"),
            ({"name": ""}, "a name"),
        ],
    )
    def test_refuses_what_is_no_range(self, changes, problem):
        with pytest.raises(ValidationError) as caught:
            ParameterSpec(**{**SHARE, "name": "x", **changes})
        assert problem in str(caught.value)

    @pytest.mark.parametrize("values", [None, [], [1, 1], [float("inf")], ["1"]])
    def test_an_enum_has_distinct_numbers(self, values):
        with pytest.raises(ValidationError):
            ParameterSpec(name="x", param_type="enum", values=values)

    @pytest.mark.parametrize("changes", [{"max_value": 2}, {"min_value": -0.05}])
    def test_the_share_of_the_pool_is_a_share(self, changes):
        with pytest.raises(ValidationError, match="is a share"):
            ParameterSpec(**{**SHARE, **changes})

    def test_a_default_may_lie_off_the_steps(self):
        assert ParameterSpec(**SHARE, default=0.33).default == 0.33

    @given(st.integers(0, 1000), st.sampled_from([0.001, 0.1, 0.3, 7.0]), st.integers(-50, 50))
    def test_every_step_is_allowed_and_nothing_between(self, place, step, low):
        spec = ParameterSpec(name="x", min_value=low, max_value=low + 1000 * step, step=step)
        value = low + place * step
        assert spec.problem(min(value, spec.bounds[1])) is None
        assert spec.problem(min(value, low + 999 * step) + step / 2) is not None


class TestParameters:
    @pytest.mark.parametrize("value", [0.0, 1.0, 0.05, 0.15, 0.1 + 0.2, 0.95, 0.33])
    def test_a_value_on_a_step_is_fine_and_so_is_the_first_one(self, value):
        assert check(constraints(SHARE), proposal(constraints(SHARE), **{FRACTION: value})) == []

    @pytest.mark.parametrize(
        ("value", "words"), [(0.34, "nearest 0.35"), (0.0500001, "nearest 0.05"), (0.66, "0.65")]
    )
    def test_a_value_off_the_steps_is_refused(self, value, words):
        [problem] = check(constraints(SHARE), proposal(constraints(SHARE), **{FRACTION: value}))
        assert FRACTION in problem
        assert words in problem

    @pytest.mark.parametrize("value", [-0.05, 1.05, 5])
    def test_a_value_out_of_range_is_refused(self, value):
        assert check(constraints(SHARE), proposal(constraints(SHARE), **{FRACTION: value}))

    @pytest.mark.parametrize(
        ("value", "is_fine"), [(1, True), (9, True), (4.5, False), (10, False)]
    )
    def test_a_whole_number_is_one(self, value, is_fine):
        found = check(constraints(URGENCY), proposal(constraints(URGENCY), urgency_threshold=value))
        assert (found == []) is is_fine

    @pytest.mark.parametrize(("value", "is_fine"), [(2, True), (8.0, True), (4, True), (3, False)])
    def test_an_enum_has_its_values_and_the_first_one(self, value, is_fine):
        spec = {"name": "urgency_threshold", "param_type": "enum", "values": [2, 4, 8]}
        found = check(constraints(spec), proposal(constraints(spec), urgency_threshold=value))
        assert (found == []) is is_fine

    @pytest.mark.parametrize(
        "value", ["0.5", None, True, [0.5], float("nan"), float("inf"), 10**400]
    )
    def test_what_is_no_number_is_refused(self, value):
        policy = to_dict(proposal(constraints(SHARE)))
        policy["parameters"] = {**policy["parameters"], FRACTION: value}
        assert check(constraints(SHARE), policy)

    def test_a_parameter_that_is_not_declared_may_not_be_added(self):
        [problem] = check(constraints(SHARE), proposal(constraints(SHARE), urgency_treshold=3))
        assert '"urgency_treshold" is not allowed; nearest: urgency_threshold' in problem

    def test_a_parameter_that_is_not_declared_keeps_its_first_value(self):
        assert check(constraints(SHARE), proposal(constraints(SHARE), urgency_threshold=4)) == []
        [problem] = check(constraints(SHARE), proposal(constraints(SHARE), urgency_threshold=5))
        assert "expected 4" in problem

    def test_a_declared_parameter_must_be_there(self):
        policy = proposal()
        found = check(constraints(SHARE, URGENCY), replace(policy, parameters={FRACTION: 0.5}))
        # The tree reads it as well, and the language of policies comes first.
        assert any("urgency_threshold" in problem for problem in found)
        found = check(
            constraints(SHARE, URGENCY), replace(policy, parameters={"urgency_threshold": 4})
        )
        assert found == [
            f'parameters: "{FRACTION}" is missing; expected a number from 0 to 1 in steps of 0.05'
        ]

    def test_the_share_of_the_pool_may_not_be_dropped_where_it_is_fixed(self):
        start = proposal(constraints(SHARE))
        fixed = ConstraintValidator(constraints(URGENCY), scenario(), "A", start)
        assert fixed.validate(start) == []
        dropped = {k: v for k, v in start.parameters.items() if k != FRACTION}
        [problem] = fixed.validate(replace(start, parameters=dropped))
        assert "missing; expected 0.33" in problem
        [problem] = fixed.validate(replace(start, parameters={**start.parameters, FRACTION: 0.3}))
        assert FRACTION in problem

    @given(st.floats(allow_nan=False, allow_infinity=False))
    def test_no_number_out_of_range_gets_through(self, value):
        validator = ConstraintValidator(constraints(URGENCY), scenario(), "A")
        start = validator.starting_policy
        found = validator.validate(replace(start, parameters={"urgency_threshold": value}))
        assert (found == []) == (value in range(1, 10))


class TestTrees:
    @pytest.mark.parametrize("levels", [0, 1, 3, 20])
    def test_an_action_that_is_not_allowed_is_found_at_any_depth(self, levels):
        of = constraints(SHARE, allowed_actions={"payment_tree": ["Release", "Hold"]})
        assert check(of, with_tree("payment_tree", deep("Hold", levels), of)) == []
        found = check(of, with_tree("payment_tree", deep("Drop", levels), of))
        assert len(found) == 1
        assert "action Drop is not allowed; expected Release, Hold" in found[0]

    @pytest.mark.parametrize("short", ["payment", "payment_tree"])
    def test_trees_have_shorter_names(self, short):
        of = constraints(allowed_actions={short: ["Hold"]})
        assert of.actions("payment_tree") == ("Hold",)
        assert of.actions("bank_tree") == ()

    def test_collateral_is_both_trees_of_it(self):
        of = constraints(allowed_actions={"collateral": ["HoldCollateral"], "bank": []})
        assert of.actions("strategic_collateral_tree") == ("HoldCollateral",)
        assert of.actions("end_of_tick_collateral_tree") == ("HoldCollateral",)

    def test_fields_that_are_not_allowed_are_found_wherever_they_stand(self):
        of = constraints(SHARE, allowed_fields=["ticks_to_deadline"])
        tree = deep("Hold", 2, field="ticks_to_deadline")
        assert check(of, with_tree("payment_tree", tree, of)) == []
        value = {"compute": {"op": "max", "values": [{"value": 1}, {"field": "amount"}]}}
        tree = deep(
            {"action": "Split", "parameters": {"num_splits": value}}, 1, "ticks_to_deadline"
        )
        [problem] = check(of, with_tree("payment_tree", tree, of))
        assert "field amount is not allowed" in problem
        tree = deep("Hold", 1, field="bank_state_x")
        [problem] = check(of, with_tree("payment_tree", tree, of))
        assert "bank_state_x" in problem

    def test_a_register_can_be_allowed_by_name(self):
        of = constraints(SHARE, allowed_fields=["bank_state_x"])
        assert check(of, with_tree("payment_tree", deep("Hold", 1, "bank_state_x"), of)) == []
        assert check(of, with_tree("payment_tree", deep("Hold", 1, "bank_state_y"), of))

    def test_a_tree_may_stay_whatever_it_has(self):
        of = constraints(URGENCY, allowed_fields=[], allowed_actions={})
        assert check(of, proposal(of, urgency_threshold=7)) == []

    def test_a_tree_that_is_not_named_may_not_be_changed_nor_added(self):
        of = constraints(SHARE, allowed_actions={"bank": ["NoAction"]})
        assert check(of, with_tree("bank_tree", {"action": "NoAction"}, of)) == []
        [problem] = check(of, with_tree("payment_tree", {"action": "Release"}, of))
        assert "payment_tree may not be changed" in problem
        [problem] = check(
            of, with_tree("end_of_tick_collateral_tree", {"action": "HoldCollateral"}, of)
        )
        assert "expected no such tree" in problem

    def test_to_leave_a_payment_tree_out_is_to_release(self):
        left_out = replace(proposal(constraints(SHARE)), payment_tree=None)
        assert check(constraints(SHARE), left_out) == []
        of = constraints(SHARE, allowed_actions={"payment": ["Hold"]})
        [problem] = check(of, left_out)
        assert "payment_tree is missing" in problem

    def test_the_scenario_has_a_say(self):
        tree = with_tree("payment_tree", deep("Split", 0), constraints(SHARE))
        tree["payment_tree"]["parameters"] = {"num_splits": {"value": 2}}
        assert check(constraints(SHARE), tree) == []
        found = check(constraints(SHARE), tree, policy_feature_toggles={"exclude": ["Split"]})
        assert any("Split is not admitted" in problem for problem in found)

    def test_a_bank_that_is_not_there_is_found(self):
        budget = {
            "action": "SetReleaseBudget",
            "parameters": {
                "max_value_to_release": {"value": 5},
                "focus_counterparties": ["C"],
            },
        }
        [problem] = check(constraints(SHARE), with_tree("bank_tree", budget, constraints(SHARE)))
        assert "'C'" in problem


class TestForms:
    def test_a_policy_may_come_in_any_form(self):
        policy = proposal(constraints(SHARE), **{FRACTION: 0.5})
        validator = ConstraintValidator(constraints(SHARE), scenario(), "A")
        for form in (policy, to_dict(policy), to_json(policy)):
            assert validator.validate(form) == []
            assert validator.parse(form) == policy

    @pytest.mark.parametrize(
        "form", ["", "no", "[]", "{}", "null", '{"policy_id": 1}', {}, "[" * 9999]
    )
    def test_what_is_no_policy_is_refused(self, form):
        validator = ConstraintValidator(constraints(SHARE), scenario(), "A")
        assert validator.validate(form)
        with pytest.raises(PolicyError):
            validator.parse(form)

    def test_the_error_names_the_bank_and_counts(self):
        validator = ConstraintValidator(constraints(SHARE), scenario(), "A")
        bad = proposal(constraints(SHARE), **{FRACTION: 0.51, "urgency_threshold": 1})
        assert len(validator.validate(bad)) == 2
        with pytest.raises(PolicyError, match=r'^policy of bank "A": .* \(and 1 more\)$'):
            validator.parse(bad)

    def test_problems_are_lines(self):
        policy = to_dict(proposal(constraints(SHARE)))
        policy["parameters"] = {**policy["parameters"], "a\nb\x1b[31m": 1}
        assert all(problem.isprintable() for problem in check(constraints(SHARE), policy))

    def test_nothing_given_is_changed(self):
        data = to_dict(proposal(constraints(SHARE)))
        before = copy.deepcopy(data)
        check(constraints(SHARE), data)
        assert data == before


class TestStart:
    def test_a_policy_begins_with_its_own_value(self):
        spec = {**URGENCY, "default": 7}
        assert starting_policy(scenario(), "A", constraints(spec)).parameters == {
            "urgency_threshold": 4
        }

    def test_else_with_the_default(self):
        spec = {**URGENCY, "default": 7}
        assert starting_policy(scenario(), "B", constraints(spec)).parameters == {
            "urgency_threshold": 7
        }

    def test_else_the_share_is_that_of_the_bank(self):
        assert starting_policy(scenario(), "A", constraints(SHARE)).parameters[FRACTION] == 0.33
        of = constraints({**SHARE, "default": 0.2})
        assert starting_policy(scenario(), "A", of).parameters[FRACTION] == 0.2

    def test_else_there_must_be_a_default(self):
        with pytest.raises(GameFileError, match="expected a default") as caught:
            starting_policy(scenario(), "B", constraints(URGENCY))
        assert '"B"' in str(caught.value)
        assert caught.value.exit_code == 2

    def test_it_does_not_begin_out_of_bounds(self):
        with pytest.raises(GameFileError, match="expected a whole number from 5 to 9"):
            starting_policy(scenario(), "A", constraints({**URGENCY, "min_value": 5}))

    def test_an_unknown_bank_is_named_with_the_nearest(self):
        with pytest.raises(InputError, match='no bank "BB"; nearest: B'):
            starting_policy(scenario(), "BB", constraints(SHARE))

    def test_says_which_parameters_nothing_reads(self):
        of = constraints(SHARE, URGENCY)
        policy = builtin("deadline", **{FRACTION: 0.5})
        assert unread_parameters(policy, of, scenario(), "A") == ()
        assert unread_parameters(policy, of, scenario(), "B") == (FRACTION,)
        assert unread_parameters(builtin("fifo"), of, scenario(), "A") == ("urgency_threshold",)


class TestDefaults:
    def test_are_the_share_in_twentieths(self):
        of = default_constraints(scenario())
        assert of == constraints(SHARE)
        assert of.actions("payment_tree") == tuple(
            name for name, info in ACTIONS.items() if "payment_tree" in info.trees
        )

    def test_there_are_none_without_a_pool(self):
        agents = [{"id": "B", "opening_balance": 500}]
        with pytest.raises(GameFileError, match="allowed_parameters"):
            default_constraints(scenario(agents=agents))


class TestSection:
    @pytest.mark.parametrize(
        ("keys", "problem"),
        [
            ({"allowed_parameters": [SHARE, SHARE]}, "here twice"),
            ({"allowed_fields": ["balanse"]}, "nearest: balance"),
            ({"allowed_fields": ["bank_state_"]}, "no field"),
            ({"allowed_fields": ["balance", "balance"]}, "here twice"),
            ({"allowed_actions": {"payment": ["Relase"]}}, "nearest: Release"),
            ({"allowed_actions": {"bank": ["Release"]}}, "no action of bank_tree"),
            ({"allowed_actions": {"paiment": ["Release"]}}, "nearest: payment"),
            ({"allowed_actions": {"bank": [], "bank_tree": []}}, "named twice"),
            ({"allowed_actions": {"bank": "NoAction"}}, "a list"),
            ({"allowed_actions": {"bank": [1]}}, "names of actions"),
            ({"allowed_actions": {"bank": ["NoAction", "NoAction"]}}, "here twice"),
            ({"allowed_actions": []}, "mapping"),
        ],
    )
    def test_refuses_names_that_are_not_known(self, keys, problem):
        with pytest.raises(ValidationError) as caught:
            ScenarioConstraints(**keys)
        assert problem in str(caught.value) or "dict_type" in str(caught.value)

    def test_is_read_back_equal(self):
        of = constraints(
            SHARE,
            {"name": "x", "param_type": "enum", "values": [1, 2]},
            allowed_fields=["balance"],
            allowed_actions={"collateral": ["HoldCollateral"], "payment": ["Hold"]},
        )
        assert ScenarioConstraints(**json.loads(of.model_dump_json())) == of


class TestWords:
    def test_everything_allowed_is_told(self):
        text = describe(default_constraints(scenario()), scenario(), "A")
        missing = [name for name in [*TREES, *ACTIONS] if name not in text]
        missing += [name for name in FIELDS if name not in text and "_top_" not in name]
        assert missing == []
        assert "my_q2_out_value_top_1|2|3|4|5" in text
        assert "from 0 to 1 in steps of 0.05" in text
        assert "bank_state_" in text

    def test_nothing_else_is(self):
        of = constraints(
            URGENCY,
            allowed_fields=["balance", "my_q2_in_value_top_2"],
            allowed_actions={"payment": ["Release", "Hold"]},
        )
        text = describe(of, scenario(), "A")
        told = {name for name in [*ACTIONS, *FIELDS] if f"- {name}" in text}
        assert told == {"Release", "Hold", "balance", "my_q2_in_value_top_2"}
        assert "bank_state_" not in text
        assert FRACTION not in text

    def test_what_the_scenario_excludes_is_not_told(self):
        toggles = {"exclude": ["Drop", "bank_tree", "time", "end_of_tick_collateral_tree"]}
        narrow = scenario(policy_feature_toggles=toggles)
        text = describe(default_constraints(narrow), narrow, "A")
        assert "- Drop" not in text
        assert "- bank_tree" not in text
        assert "- current_tick" not in text
        assert "- Hold" in text

    def test_says_where_no_parameter_may_be_changed(self):
        text = describe(constraints(allowed_fields=["amount"]), scenario(), "A")
        assert text.startswith("No parameter may be changed")
        assert "- none" in text
        assert "- amount (cents)" in text

    def test_without_trees_the_language_is_not_told(self):
        text = describe(constraints(SHARE, allowed_actions={}), scenario(), "A")
        assert "node_id" not in text
        assert len(text) < 500

    def test_what_it_tells_of_the_language_is_true(self):
        """A policy written as the text says is valid."""
        policy = {
            "policy_id": "p",
            "parameters": {FRACTION: 0.5},
            "payment_tree": {
                "node_id": "a",
                "condition": {
                    "op": "and",
                    "conditions": [
                        {
                            "op": "not",
                            "condition": {
                                "op": "<",
                                "left": {"value": 1},
                                "right": {"param": FRACTION},
                            },
                        },
                        {
                            "op": ">=",
                            "left": {"field": "balance"},
                            "right": {
                                "compute": {
                                    "op": "div0",
                                    "numerator": {"value": 1},
                                    "denominator": {"value": 0},
                                    "default": {"value": 2},
                                }
                            },
                        },
                    ],
                },
                "on_true": {
                    "node_id": "b",
                    "action": "Release",
                    "parameters": {"priority_flag": "HIGH"},
                },
                "on_false": {"node_id": "c", "action": "Hold"},
            },
        }
        of = constraints({**SHARE, "step": 0.05})
        start = Policy(policy_id="p", parameters={FRACTION: 0.5})
        assert ConstraintValidator(of, scenario(), "A", start).validate(policy) == []
        assert parse_policy(policy).parameters == {FRACTION: 0.5}
