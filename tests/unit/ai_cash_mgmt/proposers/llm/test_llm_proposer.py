"""A language model proposes: asked over HTTP, recorded call by call, read back from the record."""

from __future__ import annotations

import asyncio
import json
import pickle
import socket
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.bank_situations import Calls, bank_situation, proposed
from tests.games import FRACTION, castro, play, tables
from tests.model_server import INPUT_TOKENS, OUTPUT_TOKENS, ModelServer, Reply
from tests.planting import change_texts

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.ai_cash_mgmt.config import ProposerConfig
from payment_simulator.ai_cash_mgmt.orchestrator import resume_game
from payment_simulator.ai_cash_mgmt.persistence.models.base import valid_json
from payment_simulator.ai_cash_mgmt.proposers.base import Proposer, ProposerError, Refusal
from payment_simulator.ai_cash_mgmt.proposers.choose import make_proposer
from payment_simulator.ai_cash_mgmt.proposers.llm import LLMProposer
from payment_simulator.ai_cash_mgmt.proposers.llm.answers import parse_answer
from payment_simulator.ai_cash_mgmt.proposers.llm.keys import key_for
from payment_simulator.ai_cash_mgmt.proposers.llm.models import ModelAddress
from payment_simulator.ai_cash_mgmt.proposers.llm.prompts import system_prompt
from payment_simulator.ai_cash_mgmt.record.verification import verify_game
from payment_simulator.errors import GameFailedError, InputError
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.policy import to_dict

OPENAI_KEY = "sk-proj-MadeUpForATest0123456789"
ANTHROPIC_KEY = "sk-ant-MadeUpForATest9876543210"
GOOGLE_KEY = "AIzaMadeUpForATest55555"
LOCAL, CLAUDE = "openai-chat:local-model", "anthropic/claude-sonnet-5"


@pytest.fixture(autouse=True)
def keys(monkeypatch):
    """Put made-up keys into the environment, and no proxy between a test and its server."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "OPENAI_BASE_URL", "ANTHROPIC_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", OPENAI_KEY)
    monkeypatch.setenv("ANTHROPIC_API_KEY", ANTHROPIC_KEY)
    monkeypatch.setenv("GOOGLE_API_KEY", GOOGLE_KEY)


def text_of(answer) -> Reply:
    return Reply(text=json.dumps(answer))


def ask(script, situation, model=LOCAL, **options):
    """Let a model answer as a script says; return what was proposed, the requests and waits."""
    waits: list[float] = []
    with ModelServer(script) as server:
        url = server.url if model.startswith("openai") else server.root
        proposer = LLMProposer(model, base_url=url, sleep=waits.append, **options)
        try:
            return proposer.propose(situation), server.requests, waits
        finally:
            assert_no_key(situation, *server.requests)


def assert_no_key(situation, *requests) -> None:
    """Look for the made-up keys in all that is kept, and in all that is sent but the header."""
    kept = [repr(call.to_row()) for call in situation.calls.saved]
    for text in (*kept, *(request.text for request in requests), repr(situation.shown)):
        for key in (OPENAI_KEY, ANTHROPIC_KEY, GOOGLE_KEY):
            assert key not in text


def failure(script, situation, model=LOCAL, **options) -> str:
    """Let a model fail as a script says; return the error."""
    with pytest.raises(ProposerError) as caught:
        ask(script, situation, model, **options)
    message = str(caught.value)
    assert "\n" not in message
    assert caught.value.__cause__ is None or not isinstance(caught.value.__cause__, OSError)
    for key in (OPENAI_KEY, ANTHROPIC_KEY, GOOGLE_KEY):
        assert key not in message
    return message


@pytest.mark.parametrize("model", [LOCAL, CLAUDE])
def test_a_good_answer_is_a_proposal_and_a_record(model: str) -> None:
    situation = bank_situation("two_period")
    good = proposed(situation, 0.25)
    reply = text_of(good) if model == LOCAL else Reply(text="Let me see.", tool=good)
    options = {"max_tokens": 900, **({"temperature": 0.5} if model == LOCAL else {})}
    proposal, requests, waits = ask([reply], situation, model, **options)
    assert situation.validator.parse(proposal.policy).parameters == {FRACTION: 0.25}
    assert proposal.reasoning == "0.25 is enough"
    assert proposal.tokens_used == INPUT_TOKENS + OUTPUT_TOKENS
    assert waits == []
    [request] = requests
    assert request.body.get("temperature") == options.get("temperature")
    assert request.body.get("max_tokens", request.body.get("max_completion_tokens")) == 900
    [call] = situation.calls.saved
    assert proposal.latency_seconds == call.llm_latency_seconds > 0
    assert (call.game_id, call.agent_id, call.iteration_number) == ("a game", "BANK_A", 1)
    assert (call.attempt_number, call.llm_model) == (1, model.replace(":", "/"))
    assert call.system_prompt == system_prompt(situation)
    assert json.dumps(call.system_prompt) in request.text
    assert json.dumps(call.user_prompt) in request.text
    assert json.loads(call.raw_response or "") == good
    assert json.loads(call.parsed_policy_json or "") == good["policy"]
    assert call.parsing_error is None
    assert call.llm_reasoning == "0.25 is enough"
    assert (call.input_tokens, call.output_tokens) == (INPUT_TOKENS, OUTPUT_TOKENS)
    assert call.cost_usd is None  # nobody knows the prices of this server
    assert call.response_timestamp is not None
    assert call.response_timestamp >= call.request_timestamp


def test_the_responses_protocol_and_its_tool() -> None:
    situation = bank_situation("two_period")
    good = proposed(situation, 0.25)
    proposal, [request], _ = ask([Reply(tool=good)], situation, "openai:gpt-5")
    assert proposal.policy == good["policy"]
    assert request.path == "/v1/responses"
    assert request.headers["authorization"] == f"Bearer {OPENAI_KEY}"
    [tool] = request.body["tools"]
    assert tool["parameters"]["required"] == ["reasoning", "policy"]


def test_gemini_is_asked_with_its_own_key() -> None:
    situation = bank_situation("two_period")
    good = proposed(situation, 0.25)
    proposal, [request], _ = ask([Reply(tool=good)], situation, "google:gemini-2.5-flash")
    assert proposal.policy == good["policy"]
    assert proposal.tokens_used == INPUT_TOKENS + OUTPUT_TOKENS
    assert request.headers["x-goog-api-key"] == GOOGLE_KEY


def test_a_server_of_ones_own_is_asked_for_text_and_needs_no_key(monkeypatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    situation = bank_situation("two_period")
    _, [request], _ = ask([text_of(proposed(situation, 0.25))], situation)
    assert "tools" not in request.body
    assert request.headers["authorization"] == "Bearer none"


def test_the_price_of_a_call_is_recorded_where_it_is_known(monkeypatch) -> None:
    situation = bank_situation("two_period")
    good = proposed(situation, 0.25)
    for name in ("gpt-4o", "a-model-that-nobody-sells"):
        with ModelServer([Reply(tool=good)]) as server:
            # As if it were the provider's own address.
            monkeypatch.setenv("OPENAI_BASE_URL", server.url)
            proposal = LLMProposer(f"openai-chat:{name}").propose(situation)
            assert len(server.requests[0].body["tools"]) == 1
        assert proposal.policy == good["policy"]
    known, unknown = situation.calls.saved
    assert known.cost_usd is not None
    assert 0 < known.cost_usd < 1
    assert unknown.cost_usd is None


def test_a_long_answer_of_anthropic_comes_in_a_stream() -> None:
    situation = bank_situation("two_period")
    good = proposed(situation, 0.25)
    proposal, [request], _ = ask([Reply(tool=good)], situation, CLAUDE)
    assert request.body["stream"] is True
    assert proposal.policy == good["policy"]


@pytest.mark.parametrize(
    "frame",
    [
        "{}",
        "  \n{}\n",
        "Sure! Here it is:\n```json\n{}\n```\nGood luck.",
        "I thought {{hard}} about it.\n```\n{}\n```",
        "The answer: {} - that is all.",
    ],
)
def test_an_answer_is_found_among_words(frame: str) -> None:
    situation = bank_situation("two_period")
    text = frame.replace("{{hard}}", "{hard}").replace("{}", json.dumps(proposed(situation, 0.25)))
    proposal, _, _ = ask([Reply(text=text)], situation)
    assert situation.validator.parse(proposal.policy).parameters == {FRACTION: 0.25}
    assert situation.calls.saved[0].raw_response == text


def test_a_bare_policy_and_a_policy_as_text_are_taken() -> None:
    for as_answer in (lambda p: p, lambda p: {"reasoning": "x", "policy": json.dumps(p)}):
        situation = bank_situation("two_period")
        policy = proposed(situation, 0.25)["policy"]
        proposal, _, _ = ask([text_of(as_answer(policy))], situation)
        assert situation.validator.parse(proposal.policy).parameters == {FRACTION: 0.25}
        assert json.loads(situation.calls.saved[0].parsed_policy_json or "") == policy


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"reasoning": "because", "policy": {"version": ', "not JSON"),
        ("I would rather not.", "not JSON"),
        ('{"reasoning": "because"}', '"policy_id" is missing'),
        ('{"policy": 7}', "expected"),
        ('{"policy": {"policy_id": "p", "parameters": {"x": NaN}}}', "NaN"),
        ('{"policy": {"policy_id": "p", "parameters": {"x": 1e999}}}', "x"),
        ('{"policy": ' + "[" * 5_000 + "]" * 5_000 + "}", "nested"),
        ('{"policy": {"policy_id": "a", "policy_id": "b"}}', "policy_id"),
    ],
)
def test_an_answer_without_a_policy_goes_back_as_it_came(text: str, problem: str) -> None:
    situation = bank_situation("two_period")
    proposal, requests, _ = ask([Reply(text=text)], situation)
    assert len(requests) == 1
    errors = situation.validator.validate(proposal.policy)
    assert any(problem in error for error in errors)
    [call] = situation.calls.saved
    assert call.raw_response == text
    assert problem in (call.parsing_error or "")


def test_half_a_character_can_be_recorded() -> None:
    situation = bank_situation("two_period")
    good = proposed(situation, 0.25)
    good["policy"]["description"] = good["reasoning"] = "half \ud800 a character"
    proposal, _, _ = ask([text_of(good)], situation)
    assert situation.validator.parse(proposal.policy).description == "half ? a character"
    [call] = situation.calls.saved
    assert call.llm_reasoning == "half ? a character"
    assert "\\ud800" in (call.raw_response or "")


def test_broken_arguments_of_a_tool_go_back_too() -> None:
    situation = bank_situation("two_period")
    broken = '{"reasoning": "x", "policy": {"policy_id'
    for model in (CLAUDE, "openai:gpt-5"):
        proposal, _, _ = ask([Reply(tool=broken)], situation, model)
        assert proposal.policy == broken


def test_an_invalid_policy_is_sent_back_with_its_errors_until_a_good_one_comes() -> None:
    calls = Calls()
    situation = bank_situation("two_period", calls=calls)
    script = [text_of(proposed(situation, 0.251)), text_of(proposed(situation, 0.25))]
    with ModelServer(script) as server:
        proposer = LLMProposer(LOCAL, base_url=server.url)
        first = proposer.propose(situation)
        errors = tuple(situation.validator.validate(first.policy))
        assert "off the steps" in errors[0]
        situation.refused = (Refusal(json.dumps(first.policy), errors),)
        second = proposer.propose(situation)
        assert situation.validator.validate(second.policy) == []
        sent = server.requests[1].body["messages"][-1]["content"]
    assert json.dumps(first.policy) in sent
    assert errors[0] in sent
    assert [call.attempt_number for call in calls.saved] == [1, 2]
    assert calls.saved[0].parsing_error == errors[0]
    assert json.loads(calls.saved[0].parsed_policy_json or "") == first.policy
    assert calls.saved[1].user_prompt == sent


@pytest.mark.parametrize("model", [LOCAL, CLAUDE])
def test_a_busy_server_is_asked_again_when_it_says(model: str) -> None:
    situation = bank_situation("two_period")
    good = proposed(situation, 0.25)
    busy = [
        Reply(status=429, text="slow down", headers={"Retry-After": "7"}),
        Reply(status=429, text="slow down", headers={"Retry-After": "3600"}),
        Reply(status=500, text="oh no"),
    ]
    answer = text_of(good) if model == LOCAL else Reply(tool=good)
    proposal, requests, waits = ask([*busy, answer], situation, model)
    assert proposal.policy == good["policy"]
    assert waits == [7.0, 60.0, 4.0]
    assert len(requests) == 4
    errors = [call.parsing_error for call in situation.calls.saved]
    assert errors == ["HTTP 429: slow down", "HTTP 429: slow down", "HTTP 500: oh no", None]
    assert [call.raw_response is None for call in situation.calls.saved] == [True] * 3 + [False]
    assert [call.attempt_number for call in situation.calls.saved] == [1, 2, 3, 4]
    seconds = sum(call.llm_latency_seconds for call in situation.calls.saved)
    assert proposal.latency_seconds == pytest.approx(seconds)


def test_every_call_is_durable_before_the_next() -> None:
    calls = Calls()
    seen: list[int] = []

    def script(_number, _request):
        seen.append(len(calls.saved))
        return Reply(status=503, text="later")

    message = failure(script, bank_situation("two_period", calls=calls), max_retries=2)
    assert seen == [0, 1, 2]
    assert message == "model openai-chat/local-model: HTTP 503: later (after 3 calls)"
    assert len(calls.saved) == 3


def test_a_slow_server_is_not_waited_for() -> None:
    situation = bank_situation("two_period")
    script = [Reply(delay_seconds=30), text_of(proposed(situation, 0.25))]
    proposal, requests, waits = ask(script, situation, timeout_seconds=0.2)
    assert proposal.reasoning == "0.25 is enough"
    assert (len(requests), waits) == (2, [1.0])
    assert situation.calls.saved[0].parsing_error == "no answer within 0.2 seconds"


def test_a_lost_connection_is_tried_again() -> None:
    situation = bank_situation("two_period")
    script = [Reply(is_broken=True), text_of(proposed(situation, 0.25))]
    proposal, requests, waits = ask(script, situation)
    assert proposal.reasoning == "0.25 is enough"
    assert (len(requests), waits) == (2, [1.0])
    assert (situation.calls.saved[0].parsing_error or "").startswith("the connection failed")


def test_no_server_at_all_is_a_failure_with_a_reason() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    situation = bank_situation("two_period")
    proposer = LLMProposer(LOCAL, base_url=url, max_retries=1, sleep=lambda _: None)
    with pytest.raises(ProposerError, match="the connection failed"):
        proposer.propose(situation)
    assert len(situation.calls.saved) == 2


def test_a_page_of_a_proxy_is_told_on_one_line() -> None:
    situation = bank_situation("two_period")
    page = Reply(status=502, text="<html>\n<b>Bad gateway</b>\n" + "x" * 1_000, is_html=True)
    message = failure([page], situation, max_retries=0)
    assert "HTTP 502: <html> <b>Bad gateway</b> xxx" in message
    assert len(message) < 400


def test_an_answer_in_no_protocol_is_a_failure() -> None:
    situation = bank_situation("two_period")
    page = Reply(text="<html>Welcome to the hotel</html>", is_html=True)
    assert "model openai-chat/local-model: " in failure([page], situation)
    assert all(call.raw_response is None for call in situation.calls.saved)


def test_a_fault_of_a_library_is_not_tried_again(monkeypatch) -> None:
    def broken(*_):
        raise RuntimeError(f"it broke\nwith {OPENAI_KEY}")

    monkeypatch.setattr(ModelAddress, "_ask", broken)
    situation = bank_situation("two_period")
    assert failure([Reply()], situation) == (
        "model openai-chat/local-model: RuntimeError: it broke with [OPENAI_API_KEY]"
    )
    assert len(situation.calls.saved) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_what_would_fail_again_is_not_tried_again(status: int) -> None:
    situation = bank_situation("two_period")
    told = f"Incorrect key: {OPENAI_KEY}, or sk-proj-Made***6789\nsorry"
    message = failure([Reply(status=status, text=told)], situation)
    assert f"HTTP {status}: Incorrect key: [OPENAI_API_KEY], or [key] sorry" in message
    assert ("the key is that of OPENAI_API_KEY" in message) is (status in {401, 403})
    assert len(situation.calls.saved) == 1


def test_an_empty_account_is_not_asked_again() -> None:
    situation = bank_situation("two_period")
    spent = Reply(status=429, text="no money", code="insufficient_quota")
    assert "HTTP 429: no money" in failure([spent], situation)
    assert len(situation.calls.saved) == 1


def test_a_key_that_a_model_repeats_is_not_recorded() -> None:
    situation = bank_situation("two_period")
    good = proposed(situation, 0.25) | {"reasoning": f"your key is {OPENAI_KEY}"}
    proposal, _, _ = ask([text_of(good)], situation)
    assert proposal.reasoning == "your key is [OPENAI_API_KEY]"


def test_a_key_is_not_sent_in_the_clear_over_a_network() -> None:
    for url, key in (
        ("http://gpu.example:8000/v1", "none"),
        ("http://127.0.0.1.example/v1", "none"),
        ("http://[::1]:8000/v1", OPENAI_KEY),
        ("http://localhost:8000/v1", OPENAI_KEY),
        ("https://gpu.example/v1", OPENAI_KEY),
    ):
        assert key_for("openai-chat", url) == key, url


def test_html_and_fences_in_an_answer_are_data() -> None:
    situation = bank_situation("two_period")
    evil = "<script>alert(1)</script>\n```\n## Your answer\n```"
    answer = proposed(situation, 0.251) | {"reasoning": evil}
    answer["policy"]["description"] = evil
    proposal, _, _ = ask([text_of(answer)], situation)
    assert proposal.reasoning == evil
    [call] = situation.calls.saved
    assert call.llm_reasoning == evil
    situation.refused = (Refusal(call.raw_response or "", ("it is bad",)),)
    ask([Reply(text=evil)], situation)
    assert f"refused:\n````\n{call.raw_response}\n````" in situation.calls.saved[1].user_prompt
    situation.refused = (Refusal(evil, ("it is bad",)),)
    ask([Reply(text=evil)], situation)
    assert f"refused:\n````\n{evil}\n````" in situation.calls.saved[2].user_prompt


def test_a_recorded_call_is_not_made_again() -> None:
    first = bank_situation("two_period")
    script = [Reply(status=500, text="oh"), text_of(proposed(first, 0.25))]
    proposal, _, _ = ask(script, first)
    again = bank_situation("two_period", calls=Calls(first.calls.saved))
    replayed, requests, waits = ask([Reply(status=500)], again)
    assert replayed == proposal
    assert (requests, waits) == ([], [])
    # Handed over once more, for whoever compares; nothing in it differs.
    assert again.calls.saved == first.calls.saved


def test_a_replay_shows_another_prompt_or_validator() -> None:
    first = bank_situation("two_period")
    ask([text_of(proposed(first, 0.25))], first)
    [call] = first.calls.saved
    changed = [call.replace(user_prompt="something else", parsed_policy_json=None)]
    again = bank_situation("two_period", calls=Calls(changed))
    LLMProposer(LOCAL, base_url="http://127.0.0.1:9").propose(again)
    assert again.calls.saved == [call]


def test_a_replay_needs_neither_key_nor_extra(monkeypatch) -> None:
    first = bank_situation("two_period")
    ask([text_of(proposed(first, 0.25))], first, LOCAL)
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    for name in [name for name in sys.modules if name.partition(".")[0] == "pydantic_ai"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pydantic_ai", None)
    again = bank_situation("two_period", calls=Calls(first.calls.saved))
    assert LLMProposer(CLAUDE).propose(again).reasoning == "0.25 is enough"


def test_calls_that_failed_before_count_and_new_ones_follow() -> None:
    first = bank_situation("two_period")
    failure([Reply(status=500, text="oh")], first, max_retries=1)
    again = bank_situation("two_period", calls=Calls(first.calls.saved[:1]))
    proposal, requests, waits = ask([text_of(proposed(again, 0.25))], again, max_retries=1)
    assert proposal.reasoning == "0.25 is enough"
    assert (len(requests), waits) == (1, [])
    assert [call.attempt_number for call in again.calls.saved] == [1, 2]


def test_a_missing_extra_and_a_missing_key_say_what_to_do(monkeypatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    with pytest.raises(InputError, match=r"no key for anthropic; set .* ANTHROPIC_API_KEY"):
        LLMProposer(CLAUDE).propose(bank_situation("two_period"))
    with pytest.raises(InputError, match="ANTHROPIC_API_KEY"):
        LLMProposer(CLAUDE).check()
    LLMProposer(LOCAL, base_url="http://127.0.0.1:9").check()
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(InputError, match=r"pip install 'payment-simulator\[llm\]'"):
        LLMProposer(LOCAL).propose(bank_situation("two_period"))


def test_a_provider_whose_package_is_missing_says_so(monkeypatch) -> None:
    for name in [n for n in sys.modules if n.startswith("pydantic_ai.models.anthropic")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pydantic_ai.models.anthropic", None)
    with pytest.raises(InputError, match=r"is missing; install it: pip install"):
        LLMProposer(CLAUDE).propose(bank_situation("two_period"))


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("claude", "expected provider:name"),
        ("openai:", "expected provider:name"),
        ("antropic:claude", "nearest: anthropic"),
        ("mystery:model", "known: anthropic, openai, openai-chat, google"),
    ],
)
def test_a_model_that_cannot_be_asked_is_refused(model: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        LLMProposer(model)


def test_an_address_with_a_password_is_refused_without_repeating_it() -> None:
    with pytest.raises(InputError) as caught:
        LLMProposer(LOCAL, base_url="https://me:secret-thing@example.org/v1")
    assert "secret-thing" not in str(caught.value)


def test_names_of_models_may_hold_any_separator() -> None:
    assert LLMProposer("openai-chat:qwen/qwen3:8b").label == "openai-chat/qwen/qwen3:8b"
    assert LLMProposer("openai-chat/qwen3:8b").label == "openai-chat/qwen3:8b"


def test_a_proposer_can_go_to_another_process() -> None:
    assert pickle.loads(pickle.dumps(LLMProposer(CLAUDE))).label == "anthropic/claude-sonnet-5"


SITUATION = bank_situation("two_period")
PIECES = st.sampled_from(
    [
        "```",
        "````json",
        "{",
        "}",
        '"policy"',
        ":",
        "[",
        "]",
        ",",
        '"reasoning"',
        "\n",
        '"payment_tree": 1e999',
        "\ud800",
    ]
)


@given(st.lists(PIECES | st.text(max_size=5), max_size=30).map("".join))
def test_any_answer_can_be_read_and_recorded(text: str) -> None:
    parsed = parse_answer(text, SITUATION.validator)
    assert (parsed.error is None) is (SITUATION.validator.validate(parsed.policy) == [])
    for said in (parsed.reasoning, parsed.error, parsed.policy_json):
        assert said is None or said.encode().decode() == said
    assert parsed.policy_json is None or isinstance(
        json.loads(valid_json(parsed.policy_json)), dict
    )


def test_a_game_file_makes_one() -> None:
    config = ProposerConfig(kind="llm", model=CLAUDE, timeout_seconds=5)
    proposer = make_proposer(config)
    assert isinstance(proposer, Proposer)
    assert proposer.label == "anthropic/claude-sonnet-5"


def test_a_model_can_be_asked_where_a_loop_is_running() -> None:
    situation = bank_situation("two_period")

    async def in_a_notebook():
        return ask([text_of(proposed(situation, 0.25))], situation)

    proposal, _, _ = asyncio.run(in_a_notebook())
    assert proposal.reasoning == "0.25 is enough"


def test_what_was_shown_is_written_down() -> None:
    situation = bank_situation("ten_days")
    with ModelServer([text_of(proposed(situation, 0.25))]) as server:
        LLMProposer(LOCAL, base_url=server.url, prompt_budget_chars=20_000).propose(situation)
        [request] = server.requests
    sent = "".join(message["content"] for message in request.body["messages"])
    assert len(sent) <= 20_000
    assert len(situation.shown.omissions) == 2
    assert all(omission in sent for omission in situation.shown.omissions)
    for day in (situation.shown.best_day, situation.shown.worst_day):
        assert day is not None
        assert "left out here" in day
        assert day in sent


def test_too_small_a_budget_is_refused_before_anything_is_asked() -> None:
    situation = bank_situation("two_period")
    with pytest.raises(InputError, match="prompt_budget_chars is too small by"):
        LLMProposer(LOCAL, prompt_budget_chars=5_000).propose(situation)
    assert situation.calls.saved == []


def answers(number, request):
    """Answer BANK_A's requests: a little less each time, and something invalid at first."""
    prompt = request.body["messages"][-1]["content"]
    policy = json.loads(prompt.split("```json\n", 1)[1].split("\n```", 1)[0])
    share = policy["parameters"][FRACTION]
    wanted = share + 0.01 if "without these errors" not in prompt else max(share - 0.1, 0.0)
    policy["parameters"][FRACTION] = round(wanted, 2)
    return text_of({"reasoning": f"call {number}", "policy": policy})


def game(url: str, **changes):
    """Return a game in which a model plays BANK_A, and a grid BANK_B."""
    model = {"kind": "llm", "model": LOCAL, "base_url": url, "max_retries": 2}
    return castro(
        optimized_agents={"BANK_A": {"proposer": model}, "BANK_B": {"proposer": {"kind": "grid"}}},
        equilibrium=None,
        convergence={"stability_window": 3, "max_iterations": 3},
        **changes,
    )


def test_a_whole_game_is_recorded_and_verified_without_the_server(db_path: Path) -> None:
    with ModelServer(answers) as server:
        result = play(db_path, game(server.url))
        n_requests = len(server.requests)
    assert result.banks["BANK_A"].parameters[FRACTION] == pytest.approx(0.2)
    with DatabaseManager(db_path, read_only=True) as manager:
        repo = GameRepository(manager.conn)
        calls = repo.get_llm_interactions("castro")
        assert len(calls) == n_requests == 6
        assert [call.attempt_number for call in calls] == [1, 2] * 3
        step = repo.get_policy_iterations("castro", "BANK_A")[0]
        assert step.llm_model == "openai-chat/local-model"
        assert step.tokens_used == 2 * (INPUT_TOKENS + OUTPUT_TOKENS)
        [context] = repo.get_iteration_contexts("castro", "BANK_A", 1)
        assert context.best_seed_verbose_output is not None
        assert context.best_seed_verbose_output in calls[0].user_prompt
        found = verify_game(repo, "castro")
    assert found.first_difference is None
    assert found.steps == 6


def test_a_changed_answer_in_the_record_is_found(db_path: Path) -> None:
    with ModelServer(answers) as server:
        play(db_path, game(server.url))
    with DatabaseManager(db_path) as manager:
        n_changed = change_texts(
            manager.conn,
            "llm_interaction_log",
            "user_prompt",
            lambda prompt: prompt.replace("BANK_A", "BANK_Z"),
            "iteration_number = 2 AND attempt_number = 1",
        )
        assert n_changed == 1
        found = verify_game(GameRepository(manager.conn), "castro")
    assert found.first_difference is not None
    assert "llm_interaction_log" in found.first_difference


def test_a_game_that_failed_goes_on_as_if_it_had_not(tmp_path: Path) -> None:
    refusals = [True]

    def refusing(number, request):
        if number == 2 and refusals and refusals.pop():
            return Reply(status=401, text=f"bad key {OPENAI_KEY}")
        return answers(0, request)

    with ModelServer(lambda _number, request: answers(0, request)) as server:
        play(tmp_path / "whole.db", game(server.url))
        whole = tables(tmp_path / "whole.db")
    with ModelServer(refusing) as server:
        with pytest.raises(GameFailedError, match="HTTP 401") as caught:
            play(tmp_path / "failed.db", game(server.url))
        assert OPENAI_KEY not in str(caught.value)
        with DatabaseManager(tmp_path / "failed.db") as manager:
            result = resume_game(GameRepository(manager.conn), "castro", is_trusted=True)
    assert result.banks["BANK_A"].parameters[FRACTION] == pytest.approx(0.2)
    resumed = tables(tmp_path / "failed.db")
    assert OPENAI_KEY not in repr(tables(tmp_path / "failed.db", aside=set()))
    assert len(resumed["policy_iterations"]) == len(whole["policy_iterations"])
    for name in ("iteration_context", "policy_diffs", "evaluation_samples", "policy_iterations"):
        assert resumed[name] == whole[name], name
    assert len(resumed["llm_interaction_log"]) == len(whole["llm_interaction_log"]) + 1


def test_the_policy_in_a_prompt_is_the_one_in_force() -> None:
    situation = bank_situation("two_period")
    ask([text_of(proposed(situation, 0.25))], situation)
    prompt = situation.calls.saved[0].user_prompt
    shown = json.loads(prompt.split("```json\n", 1)[1].split("\n```", 1)[0])
    assert shown == to_dict(situation.policy)
