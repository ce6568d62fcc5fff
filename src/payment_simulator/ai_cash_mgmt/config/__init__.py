"""Game files: what is played, by whom, on which days, and when it ends."""

from payment_simulator.ai_cash_mgmt.config.game import (
    AcceptanceConfig,
    AgentConfig,
    BootstrapConfig,
    ConvergenceConfig,
    EquilibriumConfig,
    GameConfig,
    OptimizationSchedule,
    OutputConfig,
    ProposerConfig,
    is_game_file,
)

__all__ = [
    "AcceptanceConfig",
    "AgentConfig",
    "BootstrapConfig",
    "ConvergenceConfig",
    "EquilibriumConfig",
    "GameConfig",
    "OptimizationSchedule",
    "OutputConfig",
    "ProposerConfig",
    "is_game_file",
]
