"""Proposers are made as a game file names them, those of users included."""

from __future__ import annotations

import sys
import types

import pytest

from payment_simulator.ai_cash_mgmt.config import ProposerConfig
from payment_simulator.ai_cash_mgmt.proposers.base import Proposer
from payment_simulator.ai_cash_mgmt.proposers.choose import make_proposer
from payment_simulator.errors import GameFileError

MINE = """
import helper_of_mine

class Careful:
    def __init__(self, share=0.5, **more):
        self.share, self.more = share, more

    def propose(self, situation):
        return helper_of_mine.answer(situation, self.share)

class Named(Careful):
    label = "mine/named"

class Badly(Careful):
    label = 3

class Silent:
    pass

class Failing(Careful):
    def __init__(self):
        raise RuntimeError("no\\nluck")

number = 3
"""
HELPER = "def answer(situation, share):\n    return situation, share\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "mine_of_b.py").write_text(MINE, encoding="utf-8")
    (tmp_path / "helper_of_mine.py").write_text(HELPER, encoding="utf-8")
    before, path = set(sys.modules), list(sys.path)
    yield tmp_path
    assert sys.path == path
    for name in set(sys.modules) - before:
        if name.startswith(("mine_", "helper_of", "pack_of")):
            del sys.modules[name]


def own(folder, name="mine_of_b:Careful", **options):
    return make_proposer(ProposerConfig(kind="python", object=name, options=options), folder)


def refusal(folder, name, **options):
    with pytest.raises(GameFileError) as caught:
        own(folder, name, **options)
    assert str(caught.value).isprintable()
    return str(caught.value)


def test_a_search_is_made_with_its_options():
    made = make_proposer(ProposerConfig(candidates=7, sampler="random"))
    assert (made.label, made.candidates) == ("search/random", 7)
    assert isinstance(made, Proposer)


def test_a_grid_is_made_with_its_options():
    made = make_proposer(ProposerConfig(kind="grid", grid_points=5))
    assert (made.label, made.grid_points) == ("grid/exhaustive", 5)


def test_a_model_is_asked_as_configured(monkeypatch):
    class LLMProposer:
        label = "openai-chat/mine"

        def __init__(self, model, **more):
            self.given = {"model": model, **more}

        def propose(self, situation):
            return situation

    module = types.ModuleType("llm")
    module.LLMProposer = LLMProposer
    monkeypatch.setitem(sys.modules, "payment_simulator.ai_cash_mgmt.proposers.llm", module)
    keys = {
        "model": "openai-chat:mine",
        "base_url": "http://localhost:1/v1",
        "temperature": 0.5,
        "max_tokens": 100,
        "timeout_seconds": 3.0,
        "max_retries": 1,
        "send_seed": False,
        "prompt_budget_chars": 5000,
    }
    made = make_proposer(ProposerConfig(kind="llm", **keys))
    assert made.given == keys


def test_a_class_beside_the_game_file_is_found_with_what_it_imports(folder):
    made = own(folder, share=0.25, depth=[1, 2])
    assert isinstance(made, Proposer)
    assert made.label == "python/mine_of_b:Careful"
    assert made.propose("situation") == ("situation", 0.25)


def test_a_label_of_its_own_is_kept(folder):
    made = own(folder, "mine_of_b:Named")
    assert made.label == "mine/named"
    assert type(made).__name__ == "Named"


def test_packages_are_found(folder):
    (folder / "pack_of_b" / "inner").mkdir(parents=True)
    (folder / "pack_of_b" / "__init__.py").touch()
    (folder / "pack_of_b" / "inner" / "deep.py").write_text(MINE, encoding="utf-8")
    assert own(folder, "pack_of_b.inner.deep:Named").label == "mine/named"


def test_two_games_may_have_modules_of_one_name(folder, tmp_path_factory):
    first = own(folder, "mine_of_b:Named")
    other = tmp_path_factory.mktemp("other")
    (other / "mine_of_b.py").write_text(MINE.replace("mine/named", "other"), encoding="utf-8")
    loaded = sys.modules["mine_of_b"]
    assert own(other, "mine_of_b:Named").label == "other"
    assert sys.modules["mine_of_b"] is loaded
    assert own(folder, "mine_of_b:Named").label == first.label == "mine/named"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mine_of_c:Careful", ['no module "mine_of_c"', "nearest: mine_of_b"]),
        ("mine_of_b.deep:Careful", ['"mine_of_b.deep"']),
        ("mine_of_b:Carefull", ['no class "Carefull"', "nearest: Careful"]),
        ("mine_of_b:number", ['no class "number"']),
        ("mine_of_b:Silent", ["no method propose"]),
        ("mine_of_b:Badly", ["label is 3"]),
        ("mine_of_b:Failing", ["RuntimeError: no\\nluck"]),
        ("mine_broken:X", ["SyntaxError"]),
        ("mine_lacking:X", ["fails", "nothing_of_the_kind"]),
    ],
)
def test_errors_are_one_line(folder, name, words):
    (folder / "mine_broken.py").write_text("def", encoding="utf-8")
    (folder / "mine_lacking.py").write_text("import nothing_of_the_kind", encoding="utf-8")
    message = refusal(folder, name)
    assert [word for word in words if word not in message] == []


def test_options_that_a_class_does_not_take_are_named(folder):
    message = refusal(folder, "mine_of_b:Failing", share=1)
    assert "options given (share)" in message
    assert "TypeError" in message
