"""Games side by side: what they came to, how sure that is over seeds, and against baselines."""

from payment_simulator.analysis.compare.comparison import Comparison, compare_games
from payment_simulator.analysis.compare.groups import Estimate, Group, all_seeds_of

__all__ = ["Comparison", "Estimate", "Group", "all_seeds_of", "compare_games"]
