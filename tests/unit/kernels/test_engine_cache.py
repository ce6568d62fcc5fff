import subprocess
import sys

import pytest

from payment_simulator.kernels import engine
from payment_simulator.kernels._jit import fingerprint
from tests.effort import THOROUGH

_PLAY = """
from payment_simulator.scenario import parse_scenario
from payment_simulator.simulation import simulate
run = simulate(parse_scenario({
    "simulation": {"ticks_per_day": 2, "num_days": 1},
    "agents": [{"id": "A", "opening_balance": 5}, {"id": "B", "opening_balance": 5}],
}))
print(run.n_ticks)
"""


@pytest.fixture(autouse=True)
def _fresh():
    engine._entry.cache_clear()
    engine._announce.cache_clear()
    yield
    engine._entry.cache_clear()
    engine._announce.cache_clear()


def test_every_version_of_the_kernels_has_a_folder_of_its_own(monkeypatch, tmp_path):
    monkeypatch.setenv("PAYMENT_SIM_CACHE", str(tmp_path))
    before = engine.cache_folder()
    assert before.parent.parent == tmp_path
    assert fingerprint()[:16] in before.name
    monkeypatch.setattr(engine, "fingerprint", lambda: "0" * 64)
    assert engine.cache_folder() != before


def test_engines_nobody_used_for_long_are_removed(tmp_path):
    import os

    mine, old, recent = (tmp_path / f"engine-{name}" for name in ("a", "b", "c"))
    for folder in (mine, old, recent):
        folder.mkdir()
    os.utime(old, (1.0, 1.0))
    engine._forget_others(mine)
    assert (mine.exists(), old.exists(), recent.exists()) == (True, False, True)


def test_where_nothing_can_be_kept_the_engine_says_so_once_and_works(monkeypatch, tmp_path, capsys):
    blocked = tmp_path / "a file"
    blocked.write_text("")
    monkeypatch.setenv("PAYMENT_SIM_CACHE", str(blocked / "x"))
    monkeypatch.setattr(engine, "IS_INTERPRETED", False)
    asked, played = [], []

    def njit(**options):  # to compile all kernels anew takes minutes
        asked.append(options)
        return lambda _: lambda *given: played.append(given)

    monkeypatch.setattr(engine.numba, "njit", njit)
    with pytest.warns(RuntimeWarning, match="cannot be kept on disk") as told:
        engine.run_engine(*"wbpdj", 1, "out")
    engine.run_engine(*"wbpdj", 2, "out")  # without a second warning, which would be an error
    assert len(told) == len(asked) == 1
    assert "cache" not in asked[0]
    assert [given[5] for given in played] == [1, 2]
    assert capsys.readouterr().err == engine.COMPILING + "\n"


@pytest.mark.slow
@pytest.mark.skipif(not THOROUGH, reason="compiles all kernels: PAYMENT_SIM_THOROUGH=1 has it run")
def test_an_engine_that_is_not_kept_plays(tmp_path):
    blocked = tmp_path / "a file"
    blocked.write_text("")
    done = subprocess.run(
        [sys.executable, "-c", _PLAY],
        env={"PATH": "", "PAYMENT_SIM_CACHE": str(blocked / "x"), "NUMBA_OPT": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "2\n", done.stderr
    assert done.stderr.count("cannot be kept on disk") == 1
    assert done.stderr.count("Compiling the settlement engine") == 1
