"""Game files: what they say, what is refused, and that nothing is lost in writing them down."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payment_simulator.ai_cash_mgmt.config import (
    AgentConfig,
    GameConfig,
    ProposerConfig,
    is_game_file,
)
from payment_simulator.ai_cash_mgmt.constraints import ParameterSpec, ScenarioConstraints
from payment_simulator.errors import GameFileError
from payment_simulator.scenario import load_scenario, parse_scenario

FRACTION = "initial_liquidity_fraction"
EXAMPLES = Path(__file__).parents[4] / "examples"
SHARE = {"name": FRACTION, "min_value": 0, "max_value": 1, "step": 0.05}
URGENCY = {"name": "urgency_threshold", "param_type": "int", "min_value": 1, "max_value": 9}
#: Every key that goes with the others, none with its default.
FULL = {
    "game_id": "everything",
    "scenario_config": "day.yaml",
    "master_seed": 2**63 - 1,
    "game_mode": "rl_optimization",
    "optimized_agents": {
        "Z": {"proposer": {"kind": "grid", "grid_points": 5, "max_retries": 0}},
        "A": {"constraints": {"allowed_parameters": [URGENCY]}},
        "B": {
            "proposer": {
                "kind": "llm",
                "model": "openai-chat:llama3:8b",
                "base_url": "http://localhost:11434/v1",
                "temperature": 0.5,
                "max_tokens": 4000,
                "timeout_seconds": 30,
                "max_invalid_steps": 7,
                "send_seed": False,
                "prompt_budget_chars": 20_000,
            }
        },
        "C": {
            "proposer": {
                "kind": "python",
                "object": "mine.agents:Careful",
                "options": {"deep": [1, {"b": None, "a": "ü"}]},
            }
        },
    },
    "proposer": {"kind": "search", "candidates": 7, "sampler": "qmc"},
    "optimization_schedule": {"type": "every_x_ticks", "interval_ticks": 3},
    "bootstrap": {"num_samples": 3, "sample_method": "stratified", "observed_runs": 2},
    "acceptance": {"rule": "confident", "confidence": 0.9, "min_settlement_rate": 0.5},
    "update": "simultaneous",
    "convergence": {
        "stability_threshold": 0.1,
        "stability_window": 3,
        "max_iterations": 9,
        "improvement_threshold": 0.0,
        "best_response_check": True,
    },
    "constraints": {
        "allowed_parameters": [SHARE, {"name": "x", "param_type": "enum", "values": [1, 2.5]}],
        "allowed_fields": ["balance"],
        "allowed_actions": {"payment": ["Release"], "bank": []},
    },
    "equilibrium": {"grid_points": 11, "num_samples": 5},
    "output": {"database_path": "out/games.db"},
}


def game(**keys):
    return GameConfig.from_mapping({"scenario_config": "day.yaml", **keys})


def refusal(**keys):
    with pytest.raises(GameFileError) as caught:
        game(**keys)
    message = str(caught.value)
    assert message.isprintable()
    assert caught.value.exit_code == 2
    return message


def scenario(**more):
    return parse_scenario(
        {
            "name": "day",
            "simulation": {"ticks_per_day": 10, "num_days": 1},
            "agents": [
                {"id": "A", "opening_balance": 0, "liquidity_pool": 1000},
                {
                    "id": "B",
                    "opening_balance": 0,
                    "policy": {"type": "Deadline", "urgency_threshold": 4},
                },
                {"id": "C", "opening_balance": 0, "liquidity_pool": 500},
            ],
            **more,
        }
    )


def misfit(config, of=None):
    with pytest.raises(GameFileError) as caught:
        config.check_against(of or scenario())
    assert str(caught.value).isprintable()
    return str(caught.value)


class TestDefaults:
    def test_are_those_of_the_reference(self):
        config = game()
        assert config.game_id is None
        assert config.master_seed == 42
        assert config.game_mode == "campaign_learning"
        assert config.optimized_agents == {}
        assert (config.proposer.kind, config.proposer.candidates) == ("search", 32)
        assert (config.proposer.sampler, config.proposer.max_retries) == ("tpe", 3)
        assert config.optimization_schedule.type == "on_simulation_end"
        assert (config.bootstrap.num_samples, config.bootstrap.sample_method) == (20, "fresh")
        assert (config.acceptance.rule, config.acceptance.confidence) == ("mean", 0.95)
        assert config.acceptance.min_settlement_rate is None
        assert config.update == "sequential"
        convergence = config.convergence
        assert (convergence.stability_threshold, convergence.stability_window) == (0.05, 5)
        assert (convergence.max_iterations, convergence.improvement_threshold) == (50, 0.01)
        assert not convergence.best_response_check
        assert config.constraints is None
        assert config.equilibrium is None
        assert config.output.database_path == "simulation.db"

    @pytest.mark.parametrize("given", [{}, True])
    def test_an_equilibrium_can_be_asked_for_in_a_word(self, given):
        assert game(equilibrium=given).equilibrium.grid_points == 21

    def test_and_be_refused(self):
        assert game(equilibrium=False).equilibrium is None

    def test_banks_may_be_a_list_of_names(self):
        assert game(optimized_agents=["B", "A"]) == game(optimized_agents={"B": {}, "A": None})


class TestRefusals:
    @pytest.mark.parametrize(
        ("keys", "words"),
        [
            ({"propser": {}}, ["propser", "nearest: proposer"]),
            ({"proposer": {"kind": "serach"}}, ["proposer.kind", "'serach'", "nearest: search"]),
            ({"proposer": {"candidate": 3}}, ["proposer.candidate", "nearest: candidates"]),
            ({"proposer": {"candidates": 1}}, ["proposer.candidates", "2"]),
            ({"proposer": {"candidates": 2.5}}, ["2.5", "whole number"]),
            ({"proposer": {"kind": "llm"}}, ["proposer.model", "missing"]),
            ({"proposer": {"kind": "llm", "model": "gpt"}}, ["'gpt' was given", "provider:name"]),
            ({"proposer": {"kind": "python"}}, ["proposer.object", "missing"]),
            (
                {"proposer": {"kind": "python", "object": "mine"}},
                ["'mine' was given", "module:Class"],
            ),
            ({"proposer": {"kind": "python", "object": "a:b()"}}, ["module:Class"]),
            ({"master_seed": -1}, ["master_seed", "-1"]),
            ({"master_seed": 2**63}, ["master_seed"]),
            ({"master_seed": True}, ["true"]),
            ({"game_mode": "campaign"}, ["nearest: campaign_learning"]),
            ({"game_id": ""}, ["game_id", "a name"]),
            ({"scenario_config": 3}, ["scenario_config"]),
            ({"optimization_schedule": {"type": "every_x_ticks"}}, ["interval_ticks", "missing"]),
            ({"optimization_schedule": {"interval_ticks": 3}}, ["belongs to type every_x_ticks"]),
            ({"optimization_schedule": {"type": "after_eod"}}, ["campaign_learning"]),
            ({"game_mode": "rl_optimization"}, ["optimization_schedule.type", "after_eod"]),
            ({"bootstrap": {"num_samples": 0}}, ["num_samples", "0"]),
            ({"bootstrap": {"sample_method": "day_blok"}}, ["nearest: day_block"]),
            ({"acceptance": {"confidence": 1}}, ["confidence"]),
            ({"acceptance": {"confidence": 95}}, ["95"]),
            ({"acceptance": {"min_settlement_rate": 1.5}}, ["1.5"]),
            ({"convergence": {"stability_window": 1}}, ["stability_window"]),
            ({"convergence": {"max_iterations": 0}}, ["max_iterations"]),
            ({"convergence": {"best_response_check": "yes"}}, ["true or false"]),
            ({"update": "parallel"}, ["expected one of sequential, simultaneous"]),
            ({"equilibrium": {"points": 3}}, ["nearest: grid_points"]),
            ({"optimized_agents": ["A", "A"]}, ["here twice"]),
            ({"optimized_agents": [1]}, ["item 0"]),
            ({"optimized_agents": "A"}, ["optimized_agents", "mapping"]),
            ({"optimized_agents": {"A": {"kind": "grid"}}}, ["optimized_agents.A.kind"]),
            ({"output": {"database_path": " "}}, ["database_path"]),
            (
                {"constraints": {"allowed_parameters": [{"name": "x"}]}},
                ["[0].min_value", "missing"],
            ),
        ],
    )
    def test_name_place_value_and_what_was_expected(self, keys, words):
        message = refusal(**keys)
        assert message.startswith("game, ")
        assert [word for word in words if word not in message] == []

    @pytest.mark.parametrize(
        ("kind", "key", "value", "owner"),
        [
            ("grid", "candidates", 3, "search"),
            ("search", "grid_points", 3, "grid"),
            ("search", "model", "openai:x", "llm"),
            ("search", "temperature", 1, "llm"),
            ("grid", "options", {}, "python"),
            ("grid", "sampler", "tpe", "search"),
        ],
    )
    def test_a_key_of_another_kind_is_not_passed_over(self, kind, key, value, owner):
        message = refusal(proposer={"kind": kind, key: value})
        assert f"proposer.{key}: it belongs to kind {owner}" in message

    @pytest.mark.parametrize(
        "keys",
        [
            {"api_key": "X-1"},
            {"apiKey": "X-1"},
            {"OPENAI_API_KEY": "X-1"},
            {"token": "X-1"},
            {"auth_token": "X-1"},
            {"client_secret": "X-1"},
            {"password": "X-1"},
            {"key": "X-1"},
            {"options": {"headers": [{"Authorization": "X-1"}]}},
            {"base_url": "https://me:X-1@example.org/v1"},
            {"base_url": "https://example.org/v1?api-key=X-1"},
            {"base_url": "https://example.org/v1?key=X-1"},
        ],
    )
    def test_keys_never_stand_in_a_file_nor_in_an_error(self, keys):
        message = refusal(proposer={"kind": "llm", "model": "openai:x", **keys})
        assert "environment variable" in message
        assert "X-1" not in message

    def test_a_number_of_tokens_is_no_key(self):
        options = {"n_tokens": 3, "tokens": 4, "keyboard": 1}
        config = game(proposer={"kind": "python", "object": "a:B", "options": options})
        assert config.proposer.options == options
        assert ProposerConfig(kind="llm", model="openai:x", max_tokens=9).max_tokens == 9

    @pytest.mark.parametrize("address", ["localhost:80", "ftp://a", "http://", 3, "http://[", ""])
    def test_an_address_is_one(self, address):
        assert "http" in refusal(proposer={"kind": "llm", "model": "openai:x", "base_url": address})

    @pytest.mark.parametrize("data", [None, [], "x", 3])
    def test_what_is_no_mapping_is_refused(self, data):
        with pytest.raises(GameFileError, match="mapping"):
            GameConfig.from_mapping(data)

    def test_what_no_file_could_say_is_refused(self):
        assert "a value of type object" in refusal(master_seed=object())

    def test_a_scenario_must_be_named(self):
        with pytest.raises(GameFileError, match="scenario_config: missing"):
            GameConfig.from_mapping({})


class TestFiles:
    def test_the_shipped_games_can_be_played(self):
        files = sorted((EXAMPLES / "games").glob("*.yaml"))
        assert len(files) >= 4
        for file in files:
            config = GameConfig.from_yaml(file)
            config.check_against(load_scenario(config.scenario_path()))
            assert config.source_text == file.read_text(encoding="utf-8")
            assert is_game_file(config.source_text)

    def test_paths_are_relative_to_the_file(self, tmp_path):
        file = tmp_path / "game.yaml"
        file.write_text("scenario_config: sub/day.yaml\n", encoding="utf-8")
        config = GameConfig.from_yaml(file)
        assert config.folder == tmp_path
        assert config.scenario_path() == tmp_path / "sub" / "day.yaml"
        assert game().scenario_path() == Path("day.yaml")
        assert game(scenario_config="/x/y.yaml").scenario_path() == Path("/x/y.yaml")

    def test_errors_name_file_and_line(self, tmp_path):
        file = tmp_path / "game.yaml"
        file.write_text(
            "scenario_config: day.yaml\nproposer:\n  kind: grid\n  candidates: 3\n",
            encoding="utf-8",
        )
        with pytest.raises(GameFileError) as caught:
            GameConfig.from_yaml(file)
        assert str(caught.value).startswith(f"{file}, line 4, proposer.candidates: ")

    def test_so_do_errors_that_the_scenario_brings_up(self, tmp_path):
        file = tmp_path / "game.yaml"
        file.write_text(
            "scenario_config: day.yaml\noptimized_agents:\n  A: {}\n  BB: {}\n", encoding="utf-8"
        )
        message = misfit(GameConfig.from_yaml(file))
        assert message.startswith(f"{file}, line 4, optimized_agents.BB: ")
        assert "nearest: B" in message

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"", "empty"),
            (b"- 1", "mapping"),
            (b"a: b: c", "not YAML"),
            (b"a: 1\na: 2", "second time"),
            (b"\xff", "UTF-8"),
            (b"\0", "binary"),
            (b"a: &x 1", "anchors"),
            (b"a: !!python/object:os.system {}", "tag"),
        ],
    )
    def test_what_is_no_game_file_is_refused(self, tmp_path, content, words):
        file = tmp_path / "game.yaml"
        file.write_bytes(content)
        with pytest.raises(GameFileError) as caught:
            GameConfig.from_yaml(file)
        assert str(caught.value).startswith(str(file))
        assert words in str(caught.value)

    def test_a_file_that_is_not_there_is_named(self, tmp_path):
        with pytest.raises(GameFileError, match=r"not there; expected a game file"):
            GameConfig.from_yaml(tmp_path / "no.yaml")
        with pytest.raises(GameFileError, match="a folder"):
            GameConfig.from_yaml(tmp_path)

    @pytest.mark.parametrize(
        ("source", "is_game"),
        [
            ("scenario_config: a.yaml", True),
            ("proposer: {}\nmaster_seed: 3", True),
            ("simulation: {}\nagents: []\nproposer: {}", False),
            ("name: x", False),
            ("- scenario_config", False),
            ("", False),
            ("scenario_config: a: b", True),
            ("agents: a: b", False),
            ({"scenario_config": 3}, True),
            ({"agents": []}, False),
        ],
    )
    def test_a_game_file_is_told_from_a_scenario(self, source, is_game):
        assert is_game_file(source) is is_game

    def test_the_shipped_scenarios_are_no_games(self):
        for file in (EXAMPLES / "scenarios").glob("*.yaml"):
            assert not is_game_file(file.read_text(encoding="utf-8"))


class TestJson:
    @pytest.mark.parametrize("data", [{"scenario_config": "day.yaml"}, FULL])
    def test_is_read_back_equal(self, data):
        config = GameConfig.from_mapping(data)
        text = config.to_json()
        again = GameConfig.from_json(text)
        assert again == config
        assert again.to_json() == text
        assert hash(again) == hash(config)

    def test_holds_every_value(self):
        data = json.loads(GameConfig.from_mapping(FULL).to_json())
        assert data.keys() == FULL.keys()
        assert data["proposer"] == {**FULL["proposer"], "max_retries": 3, "max_invalid_steps": 3}
        agents = data["optimized_agents"]
        assert agents["B"]["proposer"]["model"] == "openai-chat:llama3:8b"
        assert (
            agents["C"]["proposer"]["options"]
            == FULL["optimized_agents"]["C"]["proposer"]["options"]
        )
        assert data["constraints"]["allowed_actions"] == {
            "payment_tree": ["Release"],
            "bank_tree": [],
        }

    def test_keys_are_sorted_but_banks_keep_the_order_of_their_steps(self):
        config = GameConfig.from_mapping(FULL)
        data = json.loads(config.to_json())
        assert list(data) == sorted(data)
        assert list(data["optimized_agents"]) == ["Z", "A", "B", "C"]
        assert list(GameConfig.from_json(config.to_json()).optimized_agents) == ["Z", "A", "B", "C"]

    def test_another_order_of_steps_is_another_game(self):
        assert game(optimized_agents=["A", "B"]) != game(optimized_agents=["B", "A"])

    def test_the_order_of_keys_makes_no_difference(self):
        config = GameConfig.from_mapping(FULL)
        turned = GameConfig.from_mapping(dict(reversed(FULL.items())))
        assert (turned, turned.to_json()) == (config, config.to_json())

    def test_where_it_stood_makes_none_either(self, tmp_path):
        there = GameConfig.from_mapping({"scenario_config": "day.yaml"}, folder=tmp_path)
        assert there == game()
        assert str(tmp_path) not in there.to_json()

    def test_what_was_changed_is_written(self):
        copied = game().model_copy(update={"master_seed": 7})
        assert GameConfig.from_json(copied.to_json()).master_seed == 7
        assert copied != game()

    def test_it_cannot_be_changed_in_place(self):
        with pytest.raises(ValueError, match="frozen"):
            game().master_seed = 3

    @pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"master_seed": NaN}', "[" * 100_000])
    def test_other_text_is_refused(self, text):
        with pytest.raises(GameFileError, match="config_json"):
            GameConfig.from_json(text)

    @given(
        st.dictionaries(
            st.text("abz_ü'\"{}\n", min_size=1, max_size=5),
            st.recursive(
                st.none()
                | st.booleans()
                | st.integers()
                | st.floats(allow_nan=False, allow_infinity=False)
                | st.text(st.characters(codec="utf-8")),
                lambda inner: st.lists(inner) | st.dictionaries(st.text("abz"), inner),
                max_leaves=5,
            ),
            max_size=3,
        )
    )
    def test_options_are_kept_whatever_they_are(self, options):
        config = game(proposer={"kind": "python", "object": "a:B", "options": options})
        assert GameConfig.from_json(config.to_json()).proposer.options == options
        assert GameConfig.from_json(config.to_json()) == config


class TestWithAScenario:
    def test_all_that_have_a_pool_play(self):
        assert game().agents(scenario()) == ("A", "C")

    def test_or_all_whose_policy_has_the_parameter(self):
        config = game(constraints={"allowed_parameters": [URGENCY]})
        config.check_against(scenario())
        assert config.agents(scenario()) == ("B",)

    def test_a_model_could_bring_a_parameter_into_any_tree(self):
        declared = {"allowed_parameters": [{**URGENCY, "default": 3}]}
        model = {"kind": "llm", "model": "openai:x"}
        assert game(constraints=declared).agents(scenario()) == ("B",)
        assert game(constraints=declared, proposer=model).agents(scenario()) == ("A", "B", "C")
        without = {"allowed_parameters": [URGENCY]}
        assert game(constraints=without, proposer=model).agents(scenario()) == ("B",)

    def test_or_those_named_in_their_order(self):
        assert game(optimized_agents=["C", "A"]).agents(scenario()) == ("C", "A")

    def test_where_trees_alone_may_change_all_play(self):
        assert game(constraints={}).agents(scenario()) == ("A", "B", "C")

    def test_what_holds_for_a_bank_alone_goes_first(self):
        config = game(
            optimized_agents={
                "A": {},
                "B": {
                    "proposer": {"kind": "grid"},
                    "constraints": {"allowed_parameters": [URGENCY]},
                },
            },
            proposer={"kind": "search", "candidates": 9},
        )
        config.check_against(scenario())
        assert config.proposer_of("A").candidates == 9
        assert config.proposer_of("B").kind == "grid"
        [spec] = config.constraints_of("A", scenario()).allowed_parameters
        assert (spec.name, spec.step) == (FRACTION, 0.05)
        assert config.constraints_of("B", scenario()).allowed_parameters[0].name == URGENCY["name"]

    @pytest.mark.parametrize(
        ("keys", "words"),
        [
            ({"optimized_agents": ["AA"]}, ["optimized_agents", '"AA"', "nearest: A"]),
            (
                {"constraints": {"allowed_parameters": [{**URGENCY, "name": "urgency"}]}},
                ["constraints", "no bank", "urgency"],
            ),
            (
                {"optimized_agents": ["A"], "constraints": {"allowed_parameters": [URGENCY]}},
                ["constraints", '"A"', "expected a default"],
            ),
            (
                {
                    "optimized_agents": {
                        "B": {"constraints": {"allowed_parameters": [{**URGENCY, "min_value": 5}]}}
                    }
                },
                ["optimized_agents.B.constraints", "4 was given", "from 5 to 9"],
            ),
            (
                {
                    "optimized_agents": ["B"],
                    "constraints": {"allowed_parameters": [SHARE], "allowed_actions": {}},
                },
                ["constraints", '"B"', "nothing to choose", FRACTION],
            ),
            ({"constraints": {"allowed_actions": {}}}, ["constraints", "no bank"]),
            (
                {
                    "game_mode": "rl_optimization",
                    "optimization_schedule": {"type": "every_x_ticks", "interval_ticks": 10},
                },
                ["optimization_schedule.interval_ticks", "10 ticks"],
            ),
            (
                {"game_mode": "rl_optimization", "optimization_schedule": {"type": "after_eod"}},
                ["optimization_schedule.type", "1 day"],
            ),
        ],
    )
    def test_what_does_not_go_together_is_refused(self, keys, words):
        message = misfit(game(**keys))
        quotes = message.replace("'", '"')
        assert [word for word in words if word not in quotes] == []

    @pytest.mark.parametrize(
        "schedule", [{"type": "after_eod"}, {"type": "every_x_ticks", "interval_ticks": 19}]
    )
    def test_a_schedule_that_fits_is_fine(self, schedule):
        two_days = scenario(simulation={"ticks_per_day": 10, "num_days": 2})
        game(game_mode="rl_optimization", optimization_schedule=schedule).check_against(two_days)

    def test_without_a_pool_something_must_be_declared(self):
        poor = scenario(agents=[{"id": "A", "opening_balance": 0}])
        assert "allowed_parameters" in misfit(game(), poor)
        with pytest.raises(GameFileError, match="allowed_parameters"):
            game().agents(poor)


class TestForAScenario:
    def test_has_sensible_defaults(self):
        file = EXAMPLES / "scenarios" / "two_period.yaml"
        config = GameConfig.for_scenario(file, load_scenario(file))
        assert config.scenario_path() == file
        assert config.equilibrium.grid_points == 21
        assert config.constraints == ScenarioConstraints(allowed_parameters=[SHARE])
        assert config.folder is None
        assert GameConfig.from_json(config.to_json()) == config

    def test_takes_other_keys_as_mappings_or_sections(self):
        config = GameConfig.for_scenario(
            "day.yaml",
            scenario(),
            master_seed=7,
            equilibrium=None,
            proposer=ProposerConfig(kind="grid", grid_points=5),
            optimized_agents={"B": AgentConfig()},
            constraints=ScenarioConstraints(allowed_parameters=(ParameterSpec(**URGENCY),)),
            convergence={"max_iterations": 2},
        )
        assert (config.master_seed, config.equilibrium) == (7, None)
        assert config.proposer == ProposerConfig(kind="grid", grid_points=5)
        assert config.agents(scenario()) == ("B",)
        assert config.convergence.max_iterations == 2

    def test_names_the_file_where_it_cannot_be(self):
        poor = scenario(agents=[{"id": "A", "opening_balance": 0}])
        with pytest.raises(GameFileError, match=r"^day\.yaml: .*allowed_parameters"):
            GameConfig.for_scenario("day.yaml", poor)
        with pytest.raises(GameFileError, match=r"^game of day\.yaml, master_sed: unknown key"):
            GameConfig.for_scenario("day.yaml", scenario(), master_sed=3)
