"""The complete example of docs/reference/record.md, as a file to start from."""

from datetime import datetime
import json

from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.ai_cash_mgmt import (
    GameRepository,
    GameSessionRecord,
    PolicyIterationRecord,
)

# Initialize database
with DatabaseManager("optimization.db") as manager:
    repo = GameRepository(manager.conn)
    repo.initialize_schema()

    # Create game session
    session = GameSessionRecord(
        game_id="exp1-run-001",
        scenario_config="experiments/castro/configs/exp1.yaml",
        master_seed=42,
        game_mode="rl_optimization",
        config_json=json.dumps({"max_iterations": 25}),
        started_at=datetime.now(),
        status="running",
        optimized_agents=["BANK_A", "BANK_B"],
    )
    repo.save_game_session(session)

    # Run optimization loop
    for iteration in range(1, 26):
        for agent_id in ["BANK_A", "BANK_B"]:
            # ... run optimization ...

            # Record iteration
            record = PolicyIterationRecord(
                game_id="exp1-run-001",
                agent_id=agent_id,
                iteration_number=iteration,
                trigger_tick=iteration * 10,
                old_policy_json='{"payment_tree": {"root": {"action": "Hold"}}}',
                new_policy_json='{"payment_tree": {"root": {"action": "Release"}}}',
                old_cost=1500.0 - iteration * 50,
                new_cost=1500.0 - (iteration + 1) * 50,
                cost_improvement=50.0,
                was_accepted=True,
                validation_errors=[],
                llm_model="anthropic/claude-sonnet",
                llm_latency_seconds=1.5,
                tokens_used=800,
                created_at=datetime.now(),
            )
            repo.save_policy_iteration(record)

    # Mark completed
    repo.update_game_session_status(
        game_id="exp1-run-001",
        status="converged",
        completed_at=datetime.now(),
        total_iterations=25,
        converged=True,
        final_cost=250.0,
    )

    # Get summary
    summary = repo.get_optimization_summary("exp1-run-001")
    print(f"Total iterations: {summary['total_iterations']}")
    print(f"Cost improvement: ${summary['total_cost_improvement']/100:.2f}")
