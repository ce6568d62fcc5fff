"""Replies that no good server sends, and answers without a policy: each is told for what it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.bank_situations import Calls, bank_situation, proposed
from tests.games import FRACTION, castro, play
from tests.model_server import INPUT_TOKENS, OUTPUT_TOKENS, ModelServer, Reply, Request

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.ai_cash_mgmt.persistence.checking import check_record
from payment_simulator.ai_cash_mgmt.persistence.models import LLMInteractionRecord
from payment_simulator.ai_cash_mgmt.proposers.base import Proposal, ProposerError, Refusal
from payment_simulator.ai_cash_mgmt.proposers.llm import LLMProposer
from payment_simulator.ai_cash_mgmt.proposers.llm.details import (
    answer_columns,
    details_json,
    read_details,
)
from payment_simulator.ai_cash_mgmt.proposers.llm.failures import CallFailedError
from payment_simulator.ai_cash_mgmt.proposers.llm.keys import KEYS
from payment_simulator.ai_cash_mgmt.proposers.llm.one_call import sampling_seed
from payment_simulator.ai_cash_mgmt.proposers.llm.replies import Reply as ReadReply
from payment_simulator.ai_cash_mgmt.proposers.llm.replies import read_reply
from payment_simulator.ai_cash_mgmt.record.verification import verify_game
from payment_simulator.ai_cash_mgmt.seeds import derive_seed
from payment_simulator.errors import GameFailedError
from payment_simulator.persistence.connection import DatabaseManager

CHAT, RESPONSES = "openai-chat:local", "openai:gpt-4o"
CLAUDE, GEMINI = "anthropic:claude-sonnet-5", "google:gemini-2.5-flash"
MODELS = (CHAT, RESPONSES, CLAUDE, GEMINI)
SECRET = "sk-proj-MadeUpForATest0123456789"


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put made-up keys into the environment."""
    for name in ("OPENAI_BASE_URL", "ANTHROPIC_BASE_URL", "GEMINI_API_KEY", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("ANTHROPIC_API_KEY", "GOOGLE_API_KEY"):
        monkeypatch.setenv(name, f"{name} made up for a test")
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)


def url_of(server: ModelServer, model: str) -> str:
    return server.url if model.startswith("openai") else server.root


def ask(
    script: Any, model: str = CHAT, situation: Any = None, **options: Any
) -> tuple[Proposal, list[LLMInteractionRecord], list[Request]]:
    """Let a model answer as a script says; return the proposal, the calls and the requests."""
    situation = situation or bank_situation()
    n_before = len(situation.calls.saved)
    with ModelServer(script) as server:
        proposer = LLMProposer(
            model, base_url=url_of(server, model), sleep=lambda _: None, **options
        )
        proposal = proposer.propose(situation)
    made = situation.calls.saved[n_before:]
    again = bank_situation(calls=Calls(made), refused=situation.refused)
    # Read back from the record, all of it is the same.
    assert LLMProposer(model, base_url="http://127.0.0.1:9", **options).propose(again) == proposal
    assert again.calls.saved == made
    return proposal, made, server.requests


def good(share: float = 0.25) -> Reply:
    """Return an answer that every protocol can give: as the call of a tool, and as text."""
    answer = proposed(bank_situation(), share)
    return Reply(text=json.dumps(answer), tool=answer)


def with_usage(model: str, counts: tuple[Any, Any]) -> Callable[[dict[str, Any]], None]:
    names = {
        CHAT: ("usage", "prompt_tokens", "completion_tokens"),
        RESPONSES: ("usage", "input_tokens", "output_tokens"),
        CLAUDE: ("usage", "input_tokens", "output_tokens"),
        GEMINI: ("usageMetadata", "promptTokenCount", "candidatesTokenCount"),
    }[model]

    def change(body: dict[str, Any]) -> None:
        body[names[0]] = dict(zip(names[1:], counts, strict=True))

    return change


def in_text(model: str) -> Reply:
    """Return a good answer in the form that a model's server is asked for."""
    reply = good()
    return Reply(text=reply.text) if model == CHAT else Reply(tool=reply.tool)


@pytest.mark.sampled(10)
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((None, None), (None, None)),
        ((12.5, 7), (None, 7)),
        ((-3, 7), (None, 7)),
        ((2**31, 10**15), (None, None)),
        ((10**400, 7), (None, 7)),
        ((12.0, 7), (12, 7)),
        (("many", True), (None, None)),
        (([1], {"a": 1}), (None, None)),
    ],
    ids=str,
)
def test_an_odd_count_loses_no_answer(
    model: str, counts: tuple[Any, Any], expected: tuple[int | None, int | None]
) -> None:
    reply = in_text(model)
    reply = Reply(text=reply.text, tool=reply.tool, change=with_usage(model, counts))
    proposal, [call], requests = ask([reply], model)
    assert len(requests) == 1
    assert proposal.errors == ()
    assert bank_situation().validator.validate(proposal.policy) == []
    assert (call.input_tokens, call.output_tokens) == expected
    assert proposal.tokens_used == sum(count or 0 for count in expected)
    assert call.cost_usd is None


@pytest.mark.parametrize("usage", [None, [], "much", 7, {"prompt_tokens_details": 3}], ids=str)
def test_an_odd_account_of_tokens_loses_no_answer(usage: Any) -> None:
    def change(body: dict[str, Any]) -> None:
        body["usage"] = usage

    proposal, [call], _ = ask([Reply(text=good().text, change=change)])
    assert proposal.errors == ()
    assert (call.input_tokens, call.output_tokens) == (None, None)


@pytest.mark.parametrize("missing", ["id", "object", "created", "model", "usage"])
def test_what_a_small_server_leaves_out_loses_no_answer(missing: str) -> None:
    def change(body: dict[str, Any]) -> None:
        del body[missing]

    proposal, [call], _ = ask([Reply(text=good().text, change=change)])
    assert proposal.errors == ()
    assert (call.response_model is None) is (missing == "model")


def emptied(model: str, value: Any) -> Callable[[dict[str, Any]], None]:
    name = {CHAT: "choices", RESPONSES: "output", CLAUDE: "content", GEMINI: "candidates"}[model]

    def change(body: dict[str, Any]) -> None:
        body[name] = value

    return change


@pytest.mark.parametrize(
    ("model", "value", "said"),
    [
        (CHAT, [], "the server's reply holds no answer: choices is []"),
        (CHAT, None, "the server's reply holds no answer: choices is missing"),
        (CHAT, [None], "the server's reply holds no answer: choices is [null]"),
        (CHAT, "x", 'the server\'s reply holds no answer: choices is "x"'),
        (GEMINI, [], "the server's reply holds no answer: candidates is []"),
        (RESPONSES, None, "output is missing"),
    ],
    ids=str,
)
def test_a_reply_without_an_answer_is_asked_for_again(model: str, value: Any, said: str) -> None:
    empty = Reply(text="x", change=emptied(model, value))
    proposal, calls, requests = ask([empty, empty, in_text(model)], model)
    assert proposal.errors == ()
    assert len(requests) == 3
    assert [call.raw_response is None for call in calls] == [True, True, False]
    assert all(said in (call.parsing_error or "") for call in calls[:2])
    with pytest.raises(ProposerError, match=r"holds no answer.*\(after 2 calls\)"):
        ask([empty], model, max_retries=1)


def test_an_error_with_code_200_is_a_failed_call() -> None:
    def change(_: dict[str, Any]) -> dict[str, Any]:
        return {"error": {"code": 502, "message": f"upstream is down\nwith {SECRET}"}}

    proposal, calls, _ = ask([Reply(change=change), in_text(CHAT)])
    assert proposal.errors == ()
    assert calls[0].parsing_error == (
        "the server's reply is an error: upstream is down with [OPENAI_API_KEY]"
    )


def test_what_the_server_says_of_its_answer_is_recorded() -> None:
    def change(body: dict[str, Any]) -> None:
        body.update(model="local-2026-11", system_fingerprint="fp_12", id="chat-77")
        body["usage"]["prompt_tokens_details"] = {"cached_tokens": 200}
        body["usage"]["completion_tokens_details"] = {"reasoning_tokens": 30}

    situation = bank_situation()
    _, [call], [request] = ask(
        [Reply(text=good().text, change=change)],
        situation=situation,
        temperature=0.5,
        max_tokens=900,
    )
    assert call.response_model == "local-2026-11"
    assert (call.response_id, call.system_fingerprint) == ("chat-77", "fp_12")
    assert (call.finish_reason, call.refusal) == ("stop", None)
    assert (call.input_tokens, call.output_tokens) == (INPUT_TOKENS, OUTPUT_TOKENS)
    assert (call.cached_tokens, call.reasoning_tokens) == (200, 30)
    assert (call.temperature, call.max_tokens) == (0.5, 900)
    # The rule of the documentation.
    assert call.sampling_seed == derive_seed(situation.seed, "sampling", 1) // 2**32
    assert request.body["seed"] == call.sampling_seed
    details = json.loads(call.details_json or "")
    assert details["sent"] == {"temperature": 0.5, "max_tokens": 900, "seed": call.sampling_seed}
    assert details["answered"]["usage"]["prompt_tokens"] == INPUT_TOKENS


@pytest.mark.parametrize("model", MODELS)
def test_a_seed_is_sent_where_the_protocol_has_one(model: str) -> None:
    _, [call], [request] = ask([in_text(model)], model)
    sent = request.body.get("seed", request.body.get("generationConfig", {}).get("seed"))
    assert sent == call.sampling_seed
    assert (sent is None) is (model in {RESPONSES, CLAUDE})
    _, [call], [request] = ask([in_text(model)], model, send_seed=False)
    assert call.sampling_seed is None
    assert "seed" not in request.text


def test_a_server_that_refuses_the_seed_names_the_way_out() -> None:
    with pytest.raises(ProposerError, match=r"HTTP 422: seed: .*send_seed: false"):
        ask([Reply(status=422, text="seed: extra inputs are not permitted")])


def test_seeds_for_sampling_change_with_what_was_sent_back() -> None:
    situation = bank_situation()
    first = sampling_seed(situation)
    situation.refused = (Refusal("x", ("no",)),)
    assert sampling_seed(situation) != first
    assert 0 <= first < 2**31


def refused(body: dict[str, Any]) -> None:
    """Change an answer of any protocol to a refusal, in its own way."""
    if "choices" in body:
        body["choices"][0]["message"] = {
            "role": "assistant",
            "content": None,
            "refusal": "I can't.",
        }
    elif "output" in body:
        body["output"][0]["content"] = [{"type": "refusal", "refusal": "I can't."}]
    else:
        body["stop_reason"] = "refusal"


def filtered(body: dict[str, Any]) -> None:
    if "choices" in body:
        body["choices"][0]["finish_reason"] = "content_filter"
        body["choices"][0]["message"]["content"] = None
    elif "output" in body:
        body.update(status="incomplete", incomplete_details={"reason": "content_filter"})
    else:
        body["candidates"] = [{"finishReason": "SAFETY"}]


def blocked(body: dict[str, Any]) -> None:
    body["candidates"] = []
    body["promptFeedback"] = {"blockReason": "OTHER"}


def cut(body: dict[str, Any]) -> None:
    if "choices" in body:
        body["choices"][0]["finish_reason"] = "length"
    elif "output" in body:
        body.update(status="incomplete", incomplete_details={"reason": "max_output_tokens"})
    elif "candidates" in body:
        body["candidates"][0]["finishReason"] = "MAX_TOKENS"
    else:
        body["stop_reason"] = "max_tokens"


def calling(name: str) -> Callable[[dict[str, Any]], None]:
    def change(body: dict[str, Any]) -> None:
        call = {"id": "1", "type": "function", "function": {"name": name, "arguments": "{}"}}
        body["choices"][0]["message"] = {"role": "assistant", "content": None, "tool_calls": [call]}
        body["choices"][0]["finish_reason"] = "tool_calls"

    return change


@pytest.mark.parametrize(
    ("model", "change", "finish", "words"),
    [
        (CHAT, refused, "stop", "the model refused to answer: I can't."),
        (RESPONSES, refused, "stop", "the model refused to answer: I can't."),
        (CLAUDE, refused, "refusal", "the model refused to answer: I think not."),
        (CHAT, filtered, "content_filter", "stopped by a content filter"),
        (RESPONSES, filtered, "content_filter", "stopped by a content filter"),
        (GEMINI, filtered, "content_filter", "content filter of the provider (SAFETY)"),
        (GEMINI, blocked, "content_filter", "content filter of the provider (blocked: OTHER)"),
        (CHAT, calling("search"), "tool_call", "a tool that it was not offered: 'search'"),
    ],
)
def test_an_answer_that_is_none_is_told_for_what_it_is(
    model: str, change: Any, finish: str, words: str
) -> None:
    situation = bank_situation()
    proposal, [call], _ = ask([Reply(text="I think not.", change=change)], model, situation)
    assert words in (call.parsing_error or "")
    assert proposal.errors == (call.parsing_error,)
    assert call.finish_reason == finish
    assert call.refusal == ("I can't." if "can't" in words else None)
    # The next prompt says it too.
    situation.refused = (Refusal("I think not.", proposal.errors, is_withdrawn=True),)
    _, calls, _ = ask([in_text(model)], model, situation)
    assert f"Answer 1 held no policy:\n- {proposal.errors[0]}" in calls[-1].user_prompt


@pytest.mark.parametrize("model", MODELS)
def test_an_answer_that_is_cut_says_so_once_and_is_then_given_up(model: str) -> None:
    situation = bank_situation()
    half = Reply(text=good().text[:300], change=cut)
    proposal, [call], [request] = ask([half], model, situation, max_tokens=900)
    assert request.body.get("temperature") is None
    assert (call.finish_reason, call.max_tokens) == ("length", 900)
    [error] = proposal.errors
    assert error == call.parsing_error
    assert error.startswith("the answer was cut at max_tokens=900, before the policy was complete")
    assert "keep the reasoning to one sentence" in error
    situation.refused = (Refusal(half.text, proposal.errors, is_withdrawn=True),)
    with pytest.raises(
        ProposerError,
        match=r"cut at max_tokens=900, .* so was the one before; .*raise it above 900",
    ):
        ask([half], model, situation, max_tokens=900)
    assert error in situation.calls.saved[-1].user_prompt
    assert half.text not in situation.calls.saved[-1].user_prompt


def test_a_cut_is_given_up_at_once_where_there_are_no_retries() -> None:
    with pytest.raises(
        ProposerError, match=r"cut at the server's own limit, .*complete; .*: set it,"
    ):
        ask([Reply(text="{", change=cut)], max_retries=0)


def test_a_whole_policy_counts_even_where_the_rest_was_cut() -> None:
    proposal, [call], _ = ask([Reply(text=good().text + " Also, I", change=cut)])
    assert proposal.errors == ()
    assert (call.parsing_error, call.finish_reason) == (None, "length")


def test_several_calls_of_the_tool_must_agree() -> None:
    one, other = good(0.25).tool, good(0.5).tool

    def twice(other: Any) -> Callable[[dict[str, Any]], None]:
        def change(body: dict[str, Any]) -> None:
            [call] = body["output"]
            body["output"].append({**call, "call_id": "2", "arguments": json.dumps(other)})

        return change

    proposal, _, _ = ask([Reply(tool=one, change=twice(one))], RESPONSES)
    assert proposal.errors == ()
    proposal, [call], _ = ask([Reply(tool=one, change=twice(other))], RESPONSES)
    assert proposal.errors == ("the answer holds different valid policies; expected one",)
    assert call.parsing_error == proposal.errors[0]


def test_a_broken_stream_is_asked_for_again() -> None:
    def ended(body: dict[str, Any]) -> None:
        body["stop_reason"] = None

    proposal, calls, _ = ask([Reply(text="x", change=ended), in_text(CLAUDE)], CLAUDE)
    assert proposal.errors == ()
    assert len(calls) == 2
    assert calls[0].raw_response is None


def test_a_price_that_cannot_be_told_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    for counts in ((None, 3), (1.5, 3), (-1, 3), (10**18, 10**18)):
        situation = bank_situation()
        reply = Reply(tool=good().tool, change=with_usage(CHAT, counts))
        with ModelServer([reply]) as server:
            monkeypatch.setenv("OPENAI_BASE_URL", server.url)
            proposal = LLMProposer("openai-chat:gpt-4o", max_retries=0).propose(situation)
        assert situation.validator.validate(proposal.policy) == []
        assert situation.calls.saved[0].cost_usd is None


#: Keys that mean something in one of the protocols.
NAMES = (
    *("choices", "message", "content", "text", "output", "type", "usage", "error", "model"),
    *("tool_calls", "function", "candidates", "parts", "finish_reason", "stop_reason", "refusal"),
    *("input_tokens", "prompt_tokens", "id", "arguments", "name", "status", "functionCall"),
    *("finishReason", "promptFeedback", "blockReason", "usageMetadata"),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5)
    ),
    max_leaves=20,
)


@given(st.sampled_from(sorted(KEYS)), JSON)
def test_any_reply_is_read_or_refused(provider: str, body: Any) -> None:
    try:
        reply = read_reply(provider, json.dumps(body))
    except CallFailedError as error:
        told = error
    else:
        check_columns(provider, reply)
        return
    assert told.is_worth_another
    assert "\n" not in str(told)


def check_columns(provider: str, reply: ReadReply) -> None:
    """Look at what the record makes of a reply."""
    kept = details_json({"seed": 1}, reply)
    sent, said = read_details(kept)
    assert sent == {"seed": 1}
    columns = answer_columns(provider, said)
    for name, value in columns.items():
        if name.endswith("_tokens"):
            assert value is None or 0 <= value < 2**31
        else:
            assert value is None or value.encode()
    json.loads(kept, parse_constant=pytest.fail)


@given(st.text(max_size=200) | st.text(st.characters(max_codepoint=255), max_size=200))
def test_any_text_is_no_reply(text: str) -> None:
    for provider in KEYS:
        for body in (text, f"data: {text}\n", f"event: x\ndata: {text}"):
            with pytest.raises(CallFailedError):
                read_reply(provider, body)


def game(url: str, **changes: Any) -> Any:
    model = {"kind": "llm", "model": CHAT, "base_url": url, "max_retries": 1, **changes}
    return castro(
        optimized_agents={"BANK_A": {"proposer": model}, "BANK_B": {"proposer": {"kind": "grid"}}},
        equilibrium=None,
        convergence={"stability_window": 3, "max_iterations": 3},
    )


def test_a_refusing_model_loses_its_step_and_no_more(db_path: Path) -> None:
    def script(number: int, request: Request) -> Reply:
        if number < 2:
            return Reply(change=refused)
        prompt = request.body["messages"][-1]["content"]
        policy = json.loads(prompt.split("```json\n", 1)[1].split("\n```", 1)[0])
        policy["parameters"][FRACTION] = 0.2
        return Reply(text=json.dumps({"reasoning": "so", "policy": policy}))

    with ModelServer(script) as server:
        play(db_path, game(server.url))
    with DatabaseManager(db_path, read_only=True) as manager:
        repo = GameRepository(manager.conn)
        first, second, _ = repo.get_policy_iterations("castro", "BANK_A")
        assert first.validation_errors == ["the model refused to answer: I can't."]
        assert second.was_accepted
        assert verify_game(repo, "castro").first_difference is None
        rows = [f for f in check_record(manager.conn) if f.table == "policy_iterations"]
        assert rows == []


def test_a_model_that_is_always_cut_stops_the_game(db_path: Path) -> None:
    with ModelServer([Reply(text='{"reasoning": "well', change=cut)]) as server:
        with pytest.raises(GameFailedError, match=r"raise it above 50, and play a new game"):
            play(db_path, game(server.url, max_tokens=50))
        assert len(server.requests) == 2
    with DatabaseManager(db_path, read_only=True) as manager:
        repo = GameRepository(manager.conn)
        [step] = repo.get_policy_iterations("castro", "BANK_A")
        assert "cut at max_tokens=50" in step.validation_errors[0]
        calls = repo.get_llm_interactions("castro", "BANK_A", 1)
        assert [call.finish_reason for call in calls] == ["length", "length"]
