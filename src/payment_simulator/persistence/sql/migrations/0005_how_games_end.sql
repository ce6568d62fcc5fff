-- What a whole game brought each bank, measured on days that no step was judged on, and why a game
-- stopped before its end. Money is in cents, times are UTC.

CREATE TABLE game_outcomes (
    game_id VARCHAR NOT NULL,
    agent_id VARCHAR NOT NULL,
    num_samples INTEGER NOT NULL CHECK (num_samples >= 1),
    start_cost DOUBLE NOT NULL CHECK (isfinite(start_cost)),
    final_cost DOUBLE NOT NULL CHECK (isfinite(final_cost)),
    cost_improvement DOUBLE NOT NULL CHECK (isfinite(cost_improvement)),
    improvement_low DOUBLE CHECK (isfinite(improvement_low)),
    improvement_high DOUBLE CHECK (isfinite(improvement_high)),
    confidence DOUBLE CHECK (confidence BETWEEN 0 AND 1),
    start_settlement_rate DOUBLE CHECK (start_settlement_rate BETWEEN 0 AND 1),
    final_settlement_rate DOUBLE CHECK (final_settlement_rate BETWEEN 0 AND 1),
    start_costs_json VARCHAR NOT NULL,
    final_costs_json VARCHAR NOT NULL,
    start_policy_json VARCHAR NOT NULL,
    final_policy_json VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (game_id, agent_id)
);

CREATE TABLE game_failures (
    game_id VARCHAR NOT NULL,
    failure_number INTEGER NOT NULL CHECK (failure_number >= 1),
    agent_id VARCHAR,
    iteration_number INTEGER CHECK (iteration_number >= 1),
    reason VARCHAR NOT NULL,
    error_type VARCHAR NOT NULL,
    failed_at TIMESTAMP NOT NULL,
    PRIMARY KEY (game_id, failure_number)
);
