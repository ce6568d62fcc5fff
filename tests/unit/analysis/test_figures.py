"""Figures: what they draw, what they say of it, and that nothing about a record stops them."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure
from tests.builders import a_record, a_session, an_iteration
from tests.games import play, ten_days, twelve
from tests.migration.first_tool import write_first_tool_file

from payment_simulator.ai_cash_mgmt import (
    BankStateRecord,
    GameOutcomeRecord,
    GameRepository,
    SimulationRunRecord,
)
from payment_simulator.analysis import figures
from payment_simulator.analysis.figures.parts import drawable, foremost, name
from payment_simulator.analysis.opening import open_record
from payment_simulator.errors import GameNotFoundError, InputError, RunNotFoundError

HOSTILE = "$\\frac{a}{b}$<script>\u202e\x1b[1m\n\U0001f3e6 and so on and on and on"


def policy(**parameters: float) -> str:
    return json.dumps({"version": "1.0", "policy_id": "p", "parameters": parameters})


def texts(figure: Figure) -> list[str]:
    found = [text.get_text() for axes in figure.axes for text in axes.texts]
    found += [axes.get_title(loc="left") for axes in figure.axes]
    found += [axes.get_xlabel() for axes in figure.axes]
    found += [axes.get_ylabel() for axes in figure.axes]
    return [*found, *(t.get_text() for legend in figure.legends for t in legend.get_texts())]


def drawn(figure: Any) -> str:
    """Return the SVG of a figure, after it was drawn as PNG too."""
    assert figure.description
    assert figure._repr_png_().startswith(b"\x89PNG")
    return str(figure.svg())


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Play two games into a file."""
    path = tmp_path_factory.mktemp("figures") / "simulation.db"
    play(path, twelve())
    play(path, ten_days())
    return path


@pytest.fixture
def crowd(repo: GameRepository) -> GameRepository:
    """Return a game of thirty banks with odd names, and a run of theirs."""
    banks = [HOSTILE, *(f"BANK_{number:02}" for number in range(1, 30))]
    repo.save_game_session(a_session(optimized_agents=banks))
    repo.save_policy_iterations(
        an_iteration(
            iteration,
            agent_id=bank,
            old_cost=1000.0 * place,
            new_cost=1000.0 * place + (iteration - 2) * 100,
            cost_improvement=(2 - iteration) * 100.0,
            was_accepted=iteration == 1,
            validation_errors=["no"] if iteration == 3 else [],
            old_policy_json=policy(**{HOSTILE: 0.5}),
            new_policy_json=policy(**{HOSTILE: place / 30}),
        )
        for place, bank in enumerate(banks)
        for iteration in (1, 2, 3)
    )
    repo.save_game_outcomes(
        a_record(
            GameOutcomeRecord,
            agent_id=bank,
            start_costs_json=json.dumps({"delay": 100.0 * place, "<b>new": 1.0}),
        )
        for place, bank in enumerate(banks)
    )
    run = {"num_days": 2, "ticks_per_day": 3, "agent_id": None, "iteration_number": None}
    repo.save_simulation_run(a_record(SimulationRunRecord, **run))
    repo.save_bank_states(
        "run-001",
        [
            a_record(BankStateRecord, agent_id=bank, tick=tick, day=tick // 3, balance_cents=-place)
            for place, bank in enumerate(banks)
            for tick in range(6)
        ],
    )
    return repo


@pytest.mark.parametrize("game", ["twelve", "ten_days"])
def test_all_figures_of_a_real_game(game: str, record: Path):
    runs = [f"{game}/start", f"{game}/final"]
    with open_record(record) as repo:
        found = [
            figures.cost_figure(repo, game),
            figures.parameter_figure(repo, game),
            figures.sample_figure(repo, game, "BANK_A", 1),
            figures.balance_figure(repo, runs[1]),
            figures.queue_figure(repo, runs[1]),
            figures.throughput_figure(repo, runs, ["start", "end"]),
            figures.cost_split_figure(repo, game),
            figures.comparison_figure(repo, ["twelve", "ten_days"]),
        ]
    for figure in found:
        assert isinstance(figure, Figure)
        assert len(drawn(figure)) < 150_000
        assert any(
            "currency units" in text or "share" in text or "value" in text for text in texts(figure)
        )


def test_the_same_figure_is_the_same_file(record: Path, tmp_path: Path):
    files: list[list[bytes]] = []
    for turn in range(2):
        with open_record(record) as repo:
            figure = figures.cost_figure(repo, "twelve")
        paths = [tmp_path / f"{turn}.{kind}" for kind in ("svg", "pdf", "png")]
        for path in paths:
            figure.savefig(path)
        files.append([path.read_bytes() for path in paths])
    assert files[0] == files[1]


def test_a_notebook_shows_a_figure(record: Path):
    from IPython.core.formatters import DisplayFormatter

    with open_record(record) as repo:
        shown, _ = DisplayFormatter().format(figures.cost_figure(repo, "twelve"))
    assert shown["image/svg+xml"].startswith("<?xml")
    assert shown["image/png"]


def test_settings_of_the_process_neither_matter_nor_change(record: Path):
    with open_record(record) as repo:
        plain = figures.cost_figure(repo, "twelve").svg()
        with mpl.rc_context({"font.size": 30, "axes.grid": False, "svg.hashsalt": "x"}):
            before = dict(mpl.rcParams)
            figure = figures.cost_figure(repo, "twelve")
            assert figure.svg() == plain
            assert dict(mpl.rcParams) == before


def test_costs_of_few_banks_have_a_panel_each(record: Path):
    with open_record(record) as repo:
        figure = figures.cost_figure(repo, "twelve")
        steps = repo.get_policy_iterations("twelve", "BANK_A")
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["BANK_A", "BANK_B"]
    in_force = figure.axes[0].lines[0]
    assert list(in_force.get_xdata()) == [0, *(step.iteration_number for step in steps)]
    assert in_force.get_ydata()[0] == steps[0].old_cost
    assert figure.description.startswith("Cost of each bank over the iterations. BANK_A: ")


def test_an_absurd_proposal_does_not_flatten_the_others(repo: GameRepository):
    repo.save_game_session(a_session())
    costs = {"old_cost": 100.0, "was_accepted": False}
    repo.save_policy_iterations(
        [
            an_iteration(1, new_cost=90.0, cost_improvement=10.0, **costs),
            an_iteration(2, new_cost=1e9, cost_improvement=100.0 - 1e9, **costs),
        ]
    )
    figure = figures.cost_figure(repo, "game-001")
    drawn(figure)
    assert figure.axes[0].get_ylim()[1] == 250.0
    assert "rejected, beyond the scale" in texts(figure)


def test_many_banks_with_odd_names(crowd: GameRepository):
    found = [
        figures.cost_figure(crowd, "game-001"),
        figures.parameter_figure(crowd, "game-001"),
        figures.balance_figure(crowd, "run-001"),
        figures.queue_figure(crowd, "run-001"),
        figures.throughput_figure(crowd, "run-001"),
        figures.cost_split_figure(crowd, "game-001"),
        figures.comparison_figure(crowd, "game-001"),
    ]
    for figure in found:
        svg = drawn(figure)
        assert "<script" not in svg
        assert "\u202e" not in svg
        assert figure.description.isprintable()
    assert "24 other banks" in texts(found[0])
    assert "27 other banks" in texts(found[1])
    assert "all 30 banks" in texts(found[0])
    assert "19 others, mean" in texts(found[5])


def test_more_parameters_than_can_be_drawn(repo: GameRepository):
    repo.save_game_session(a_session())
    values = {f"p{number:02}": 1.0 + number for number in range(12)}
    moved = {parameter: value * 2 for parameter, value in values.items() if parameter > "p05"}
    new = policy(**{**values, **moved})
    repo.save_policy_iteration(
        an_iteration(1, old_policy_json=policy(**values), new_policy_json=new)
    )
    figure = figures.parameter_figure(repo, "game-001")
    drawn(figure)
    titles = {axes.get_title(loc="left") for axes in figure.axes}
    assert moved.keys() <= titles
    assert "4 more parameters are not drawn." in figure.description


def test_records_with_numbers_that_are_none(tmp_path: Path):
    path = tmp_path / "old.db"
    write_first_tool_file(path)
    with open_record(path) as repo:
        for game in repo.get_game_ids():
            for draw in (figures.cost_figure, figures.parameter_figure, figures.cost_split_figure):
                drawn(draw(repo, game))
            drawn(figures.comparison_figure(repo, [game]))


def test_what_is_not_there_yet_is_said_in_the_figure(repo: GameRepository):
    repo.save_game_session(a_session())
    repo.save_simulation_run(a_record(SimulationRunRecord))
    for figure in (
        figures.cost_figure(repo, "game-001"),
        figures.parameter_figure(repo, "game-001"),
        figures.cost_split_figure(repo, "game-001"),
        figures.balance_figure(repo, "run-001"),
        figures.queue_figure(repo, "run-001"),
        figures.throughput_figure(repo, ["run-001"]),
    ):
        assert figure.description.startswith("No figure: ")
        drawn(figure)
    assert "no steps" in texts(figures.comparison_figure(repo, ["game-001"]))
    repo.save_policy_iteration(an_iteration())
    figure = figures.sample_figure(repo, "game-001", "BANK_A", 1)
    assert figure.description == "No figure: no sample days are recorded for this step."
    assert "last step (no outcomes)" in texts(figures.comparison_figure(repo, ["game-001"]))


def test_what_is_named_must_be_there(repo: GameRepository):
    with pytest.raises(RunNotFoundError):
        figures.balance_figure(repo, "nothing")
    with pytest.raises(GameNotFoundError):
        figures.comparison_figure(repo, ["nothing"])
    with pytest.raises(GameNotFoundError):
        figures.sample_figure(repo, "nothing", "BANK_A", 1)
    with pytest.raises(InputError, match="0 games are named, expected 1 to 40"):
        figures.comparison_figure(repo, [])


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("BANK_A", "BANK_A"),
        ("a\nb\u202e", r"a\nb\u202e"),
        ("x" * 20 + "0123456789", "x" * 15 + "\N{HORIZONTAL ELLIPSIS}0123456789"),
    ],
)
def test_names_are_made_fit(given: str, shown: str):
    assert name(given) == shown


def test_numbers_that_cannot_be_drawn():
    found = drawable([1, None, math.inf, -1e200, math.nan])
    assert found[0] == 1.0
    assert all(math.isnan(value) for value in found[1:])


def test_the_foremost_are_those_of_most_weight():
    assert foremost({"a": 1.0, "b": math.nan, "c": 3.0, "d": 1.0}, 3) == ["c", "a", "d"]


def test_without_matplotlib_an_error_names_the_extra():
    program = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from payment_simulator.errors import InputError\n"
        "from payment_simulator.analysis import figures\n"
        "try: figures.cost_figure\n"
        "except InputError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "pip install 'payment-simulator[report]'" in done.stdout


def test_names_of_the_package():
    assert set(figures.__all__) == set(dir(figures))
    for public in figures.__all__:
        assert getattr(figures, public)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        figures.nothing  # noqa: B018 - that it is not there is what is tried
