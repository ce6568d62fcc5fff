"""Games leave a record as files that anything can read, and come back exactly as they were."""

from payment_simulator.analysis.exchange.adding import Import, import_file, import_games
from payment_simulator.analysis.exchange.layout import FORMATS
from payment_simulator.analysis.exchange.writing import Export, export_games

__all__ = ["FORMATS", "Export", "Import", "export_games", "import_file", "import_games"]
