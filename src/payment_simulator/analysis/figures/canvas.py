"""What all figures share: their style, their paper, and how they are shown and saved.

Nothing here touches the settings of the process, and nothing goes through ``pyplot``: a figure
looks the same in a notebook of any style, and in a report.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from payment_simulator.errors import InputError

try:
    from matplotlib import rc_context, rcdefaults, rcParams
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
except ImportError as error:
    raise InputError(
        "figures need matplotlib, which is not installed; it comes with the extra 'report': "
        "pip install 'payment-simulator[report]'"
    ) from error

#: Colours of Okabe and Ito (2008), told apart by people who see few colours; yellow is left out,
#: for it is too light for lines on white.
BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK = (
    *("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"),
)
COLOURS: Final = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK)
#: Kinds of line, which go with the colours: printed in grey, lines are still told apart.
DASHES: Final = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)), (0, (1, 2)), (0, (8, 3)))
GREY, FAINT, INK = "#8a929a", "#c9ced3", "#222222"
#: Width of a figure in inches: that of the text of an A4 page.
WIDTH: Final = 6.7
_SETTINGS: Final[dict[str, Any]] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8.5,
    "text.parse_math": False,  # a name may have dollars in it
    "text.usetex": False,
    "text.color": INK,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.labelsize": 8.5,
    "axes.titlesize": 8.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.facecolor": "white",
    "axes.unicode_minus": True,
    "axes.xmargin": 0.02,
    "grid.color": "#e6e8ea",
    "grid.linewidth": 0.6,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "lines.linewidth": 1.4,
    "lines.markersize": 4,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "legend.handlelength": 2.2,
    "figure.facecolor": "white",
    "figure.dpi": 100,
    "savefig.dpi": 200,
    "svg.fonttype": "none",
    "svg.hashsalt": "payment-simulator",
    "pdf.fonttype": 42,
}
#: What a file tells of its making; without a date, the same figure is the same file.
_UNDATED: Final = {
    "svg": {"Date": None, "Creator": "payment-simulator"},
    "pdf": {"CreationDate": None, "Creator": "payment-simulator"},
}


@contextmanager
def style() -> Iterator[None]:
    """Let what is drawn in a block have the style of these figures."""
    # Matplotlib's classes look settings up when they are made and when they are drawn. A letter
    # that the font lacks becomes a box, which is no reason to stop.
    with warnings.catch_warnings(), rc_context():
        rcdefaults()  # what a notebook has set stays out
        settings: Any = rcParams
        settings.update(_SETTINGS)
        warnings.filterwarnings("ignore", message="Glyph .* missing from (current )?font")
        yield


class ResultFigure(Figure):
    """A figure that shows itself in a notebook, with a description for those who do not see it.

    Attributes
    ----------
    description : str
        What is drawn, with its main numbers: the text to stand in place of the picture.
    """

    description: str = ""

    def draw(self, renderer: Any) -> None:
        """Draw in the style of these figures."""
        with style():
            super().draw(renderer)

    def savefig(self, fname: Any, **options: Any) -> None:
        """Save to a file or a stream, as PDF, SVG, PNG or what else Matplotlib writes.

        Parameters
        ----------
        fname : path or file
            Without ``format`` in the options, the path's ending tells the format.
        **options
            As Matplotlib's own ``savefig`` takes them.
        """
        with style():
            kind = str(options.get("format") or str(fname).rpartition(".")[2]).lower()
            if kind in _UNDATED:
                options["metadata"] = {**_UNDATED[kind], **(options.get("metadata") or {})}
            super().savefig(fname, **options)

    def svg(self) -> str:
        """Return the figure as the text of an SVG file."""
        file = io.StringIO()
        self.savefig(file, format="svg")
        return file.getvalue()

    def _repr_svg_(self) -> str:
        return self.svg()

    def _repr_png_(self) -> bytes:
        file = io.BytesIO()
        self.savefig(file, format="png")
        return file.getvalue()


def new_figure(height: float, width: float = WIDTH) -> ResultFigure:
    """Return an empty figure of a size in inches; call it within :func:`style`."""
    figure = ResultFigure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    engine: Any = figure.get_layout_engine()
    engine.set(w_pad=0.06, h_pad=0.06, hspace=0.06, wspace=0.06)
    return figure
