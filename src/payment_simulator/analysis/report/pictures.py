"""Figures of a report, as images that stand in the page itself."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Final

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.analysis import figures
from payment_simulator.analysis.figures import ResultFigure
from payment_simulator.analysis.runs import RunRow, list_runs

#: Blanks between elements, and what tells nothing of the picture.
_NEEDLESS: Final = re.compile(r"<metadata>.*?</metadata>|<!--.*?-->|(?<=>)\s+(?=<)", re.DOTALL)
_POINTS_PER_INCH: Final = 72
_PIXELS_PER_INCH: Final = 96


@dataclass(frozen=True)
class Picture:
    """An image for a page.

    Attributes
    ----------
    address : str
        A ``data:`` address that holds all of it.
    description : str
        What is drawn, for those who do not see it.
    width, height : int
        In pixels.
    caption : str
    """

    address: str
    description: str
    width: int
    height: int
    caption: str = ""


def picture(figure: ResultFigure, caption: str = "") -> Picture | None:
    """Return a figure as an image; None where it has nothing to show."""
    if figure.description.startswith("No figure"):
        return None
    svg = _NEEDLESS.sub("", figure.svg()).encode("utf-8")
    width, height = figure.get_size_inches() * _PIXELS_PER_INCH
    return Picture(
        f"data:image/svg+xml;base64,{base64.b64encode(svg).decode('ascii')}",
        figure.description,
        round(width),
        round(height),
        caption,
    )


def game_pictures(repo: GameRepository, game_id: str) -> dict[str, Picture | None]:
    """Return the figures of a game: ``costs``, ``parameters`` and ``split``."""
    return {
        "costs": picture(
            figures.cost_figure(repo, game_id),
            "Cost over the iterations. At iteration 0, what the first policy cost in the first "
            "step; days may differ from step to step, and the other banks move too.",
        ),
        "parameters": picture(
            figures.parameter_figure(repo, game_id),
            "Parameters over the iterations; at iteration 0 those of the first policy.",
        ),
        "split": picture(
            figures.cost_split_figure(repo, game_id),
            "Mean cost by kind under the first policies and the last.",
        ),
    }


def runs_of(repo: GameRepository, game_id: str) -> dict[str, RunRow]:
    """Return the newest run of a game for each purpose."""
    found: dict[str, RunRow] = {}
    for run in list_runs(repo, game_id=game_id):
        found.setdefault(run.purpose, run)
    return found


def run_pictures(repo: GameRepository, runs: dict[str, RunRow]) -> list[Picture]:
    """Return the figures of the run under the last policies, beside that under the first."""
    final = runs.get("final") or next(iter(runs.values()))
    compared = {"at the start": runs.get("start"), "at the end": final}
    shown = {label: run.run_id for label, run in compared.items() if run is not None}
    made = [
        picture(figures.balance_figure(repo, final.run_id), "Balances at the end of every tick."),
        picture(
            figures.queue_figure(repo, final.run_id),
            "Payments waiting at the end of every tick, over all banks.",
        ),
        picture(
            figures.throughput_figure(repo, list(shown.values()), list(shown)),
            "Throughput: the share of a day\N{RIGHT SINGLE QUOTATION MARK}s settled value that has "
            "settled by each tick; of several days, the mean.",
        ),
    ]
    return [found for found in made if found is not None]
