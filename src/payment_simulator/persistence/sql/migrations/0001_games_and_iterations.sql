-- The two tables of the specification with their four indexes: the file that the first published
-- tool of this kind writes. Nothing may ever be added to these two tables.

CREATE TABLE game_sessions (
    game_id VARCHAR PRIMARY KEY,
    scenario_config VARCHAR NOT NULL,
    master_seed BIGINT NOT NULL,
    game_mode VARCHAR NOT NULL,
    config_json VARCHAR NOT NULL,
    started_at TIMESTAMP NOT NULL,
    completed_at TIMESTAMP,
    status VARCHAR NOT NULL,
    optimized_agents VARCHAR NOT NULL,  -- JSON array
    total_iterations INTEGER DEFAULT 0,
    converged BOOLEAN DEFAULT FALSE,
    final_cost DOUBLE
);

CREATE TABLE policy_iterations (
    game_id VARCHAR NOT NULL,
    agent_id VARCHAR NOT NULL,
    iteration_number INTEGER NOT NULL,
    trigger_tick INTEGER NOT NULL,
    old_policy_json VARCHAR NOT NULL,
    new_policy_json VARCHAR NOT NULL,
    old_cost DOUBLE NOT NULL,
    new_cost DOUBLE NOT NULL,
    cost_improvement DOUBLE NOT NULL,
    was_accepted BOOLEAN NOT NULL,
    validation_errors VARCHAR NOT NULL,  -- JSON array
    llm_model VARCHAR NOT NULL,
    llm_latency_seconds DOUBLE NOT NULL,
    tokens_used INTEGER NOT NULL,
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (game_id, agent_id, iteration_number)
);

CREATE INDEX IF NOT EXISTS idx_game_status ON game_sessions (status);
CREATE INDEX IF NOT EXISTS idx_game_started_at ON game_sessions (started_at);
CREATE INDEX IF NOT EXISTS idx_iter_game ON policy_iterations (game_id);
CREATE INDEX IF NOT EXISTS idx_iter_agent ON policy_iterations (game_id, agent_id);
