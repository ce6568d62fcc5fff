-- Checks without functions. DuckDB (1.5 and 2.0) cannot replay from its log that a table was altered
-- or commented on whose check calls a function: after a kill the file would not open again. A check by
-- comparison can be replayed; it refuses NaN and both infinities just as isfinite() does. Each table
-- is built anew, for the same reason: what was there must not be altered.

CREATE TABLE llm_interaction_log_rebuilt (
    game_id VARCHAR NOT NULL,
    agent_id VARCHAR NOT NULL,
    iteration_number INTEGER NOT NULL CHECK (iteration_number >= 1),
    attempt_number INTEGER NOT NULL CHECK (attempt_number >= 1),
    llm_model VARCHAR NOT NULL,
    system_prompt VARCHAR NOT NULL,
    user_prompt VARCHAR NOT NULL,
    raw_response VARCHAR,
    parsed_policy_json VARCHAR,
    parsing_error VARCHAR,
    llm_reasoning VARCHAR,
    input_tokens INTEGER NOT NULL CHECK (input_tokens >= 0),
    output_tokens INTEGER NOT NULL CHECK (output_tokens >= 0),
    llm_latency_seconds DOUBLE NOT NULL CHECK (llm_latency_seconds >= 0 AND llm_latency_seconds < 'Infinity'::DOUBLE),
    cost_usd DOUBLE CHECK (cost_usd >= 0 AND cost_usd < 'Infinity'::DOUBLE),
    request_timestamp TIMESTAMP NOT NULL,
    response_timestamp TIMESTAMP,
    PRIMARY KEY (game_id, agent_id, iteration_number, attempt_number)
);
INSERT INTO llm_interaction_log_rebuilt SELECT * FROM llm_interaction_log;
DROP TABLE llm_interaction_log;
ALTER TABLE llm_interaction_log_rebuilt RENAME TO llm_interaction_log;

CREATE TABLE iteration_context_rebuilt (
    game_id VARCHAR NOT NULL,
    agent_id VARCHAR NOT NULL,
    iteration_number INTEGER NOT NULL CHECK (iteration_number >= 1),
    num_samples INTEGER NOT NULL CHECK (num_samples >= 1),
    cost_mean DOUBLE NOT NULL CHECK (cost_mean > '-Infinity'::DOUBLE AND cost_mean < 'Infinity'::DOUBLE),
    cost_std DOUBLE NOT NULL CHECK (cost_std >= 0 AND cost_std < 'Infinity'::DOUBLE),
    settlement_rate_mean DOUBLE CHECK (settlement_rate_mean BETWEEN 0 AND 1),
    cost_breakdown_json VARCHAR NOT NULL,
    best_seed BIGINT NOT NULL,
    best_seed_cost DOUBLE NOT NULL CHECK (best_seed_cost > '-Infinity'::DOUBLE AND best_seed_cost < 'Infinity'::DOUBLE),
    best_seed_verbose_output VARCHAR,
    worst_seed BIGINT NOT NULL,
    worst_seed_cost DOUBLE NOT NULL CHECK (worst_seed_cost > '-Infinity'::DOUBLE AND worst_seed_cost < 'Infinity'::DOUBLE),
    worst_seed_verbose_output VARCHAR,
    context_json VARCHAR NOT NULL,
    omissions_json VARCHAR NOT NULL,
    PRIMARY KEY (game_id, agent_id, iteration_number)
);
INSERT INTO iteration_context_rebuilt SELECT * FROM iteration_context;
DROP TABLE iteration_context;
ALTER TABLE iteration_context_rebuilt RENAME TO iteration_context;

CREATE TABLE evaluation_samples_rebuilt (
    game_id VARCHAR NOT NULL,
    agent_id VARCHAR NOT NULL,
    iteration_number INTEGER NOT NULL CHECK (iteration_number >= 1),
    sample_number INTEGER NOT NULL CHECK (sample_number >= 1),
    sample_seed BIGINT NOT NULL,
    old_cost DOUBLE NOT NULL CHECK (old_cost > '-Infinity'::DOUBLE AND old_cost < 'Infinity'::DOUBLE),
    new_cost DOUBLE NOT NULL CHECK (new_cost > '-Infinity'::DOUBLE AND new_cost < 'Infinity'::DOUBLE),
    cost_improvement DOUBLE NOT NULL CHECK (cost_improvement > '-Infinity'::DOUBLE AND cost_improvement < 'Infinity'::DOUBLE),
    old_settlement_rate DOUBLE CHECK (old_settlement_rate BETWEEN 0 AND 1),
    new_settlement_rate DOUBLE CHECK (new_settlement_rate BETWEEN 0 AND 1),
    PRIMARY KEY (game_id, agent_id, iteration_number, sample_number)
);
INSERT INTO evaluation_samples_rebuilt SELECT * FROM evaluation_samples;
DROP TABLE evaluation_samples;
ALTER TABLE evaluation_samples_rebuilt RENAME TO evaluation_samples;

CREATE TABLE equilibrium_certificates_rebuilt (
    game_id VARCHAR NOT NULL,
    certificate_number INTEGER NOT NULL CHECK (certificate_number >= 1),
    method VARCHAR NOT NULL,
    parameter_space_json VARCHAR NOT NULL,
    profile_json VARCHAR NOT NULL,
    num_samples INTEGER NOT NULL CHECK (num_samples >= 1),
    regrets_json VARCHAR NOT NULL,
    distance_from_equilibrium DOUBLE NOT NULL CHECK (distance_from_equilibrium >= 0 AND distance_from_equilibrium < 'Infinity'::DOUBLE),
    best_deviations_json VARCHAR NOT NULL,
    pure_equilibria_json VARCHAR,
    best_responses_json VARCHAR,
    social_optimum_json VARCHAR,
    price_of_anarchy DOUBLE CHECK (price_of_anarchy > '-Infinity'::DOUBLE AND price_of_anarchy < 'Infinity'::DOUBLE),
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (game_id, certificate_number)
);
INSERT INTO equilibrium_certificates_rebuilt SELECT * FROM equilibrium_certificates;
DROP TABLE equilibrium_certificates;
ALTER TABLE equilibrium_certificates_rebuilt RENAME TO equilibrium_certificates;

DROP INDEX idx_run_game;

CREATE TABLE simulation_runs_rebuilt (
    run_id VARCHAR PRIMARY KEY,
    game_id VARCHAR,
    agent_id VARCHAR,
    iteration_number INTEGER CHECK (iteration_number >= 1),
    purpose VARCHAR NOT NULL,
    scenario_config VARCHAR NOT NULL,
    scenario_sha256 VARCHAR NOT NULL,
    policies_json VARCHAR NOT NULL,
    master_seed BIGINT NOT NULL,
    num_days INTEGER NOT NULL CHECK (num_days >= 1),
    ticks_per_day INTEGER NOT NULL CHECK (ticks_per_day >= 1),
    num_agents INTEGER NOT NULL CHECK (num_agents >= 1),
    num_payments BIGINT NOT NULL CHECK (num_payments >= 0),
    num_settled BIGINT NOT NULL CHECK (num_settled >= 0),
    total_cost DOUBLE NOT NULL CHECK (total_cost > '-Infinity'::DOUBLE AND total_cost < 'Infinity'::DOUBLE),
    measures_json VARCHAR NOT NULL,
    package_version VARCHAR NOT NULL,
    started_at TIMESTAMP NOT NULL,
    completed_at TIMESTAMP
);
INSERT INTO simulation_runs_rebuilt SELECT * FROM simulation_runs;
DROP TABLE simulation_runs;
ALTER TABLE simulation_runs_rebuilt RENAME TO simulation_runs;
CREATE INDEX idx_run_game ON simulation_runs (game_id);

CREATE TABLE transactions_rebuilt (
    run_id VARCHAR NOT NULL,
    payment_number BIGINT NOT NULL CHECK (payment_number >= 0),
    parent_payment_number BIGINT CHECK (parent_payment_number >= 0),
    sender_id VARCHAR NOT NULL,
    receiver_id VARCHAR NOT NULL,
    amount_cents BIGINT NOT NULL CHECK (amount_cents > 0),
    settled_cents BIGINT NOT NULL CHECK (settled_cents BETWEEN 0 AND amount_cents),
    arrival_tick INTEGER NOT NULL CHECK (arrival_tick >= 0),
    deadline_tick INTEGER NOT NULL CHECK (deadline_tick >= arrival_tick),
    priority INTEGER NOT NULL CHECK (priority BETWEEN 0 AND 10),
    is_divisible BOOLEAN NOT NULL,
    status VARCHAR NOT NULL CHECK (status IN ('queue1', 'queue2', 'settled', 'dropped', 'split')),
    released_tick INTEGER CHECK (released_tick >= arrival_tick),
    settled_tick INTEGER CHECK (settled_tick >= arrival_tick),
    settlement_method VARCHAR,
    delay_cost DOUBLE NOT NULL CHECK (delay_cost >= 0 AND delay_cost < 'Infinity'::DOUBLE),
    penalty_cost DOUBLE NOT NULL CHECK (penalty_cost >= 0 AND penalty_cost < 'Infinity'::DOUBLE),
    PRIMARY KEY (run_id, payment_number)
);
INSERT INTO transactions_rebuilt SELECT * FROM transactions;
DROP TABLE transactions;
ALTER TABLE transactions_rebuilt RENAME TO transactions;

CREATE TABLE bank_states_rebuilt (
    run_id VARCHAR NOT NULL,
    tick INTEGER NOT NULL CHECK (tick >= 0),
    agent_id VARCHAR NOT NULL,
    day INTEGER NOT NULL CHECK (day >= 0),
    balance_cents BIGINT NOT NULL,
    credit_limit_cents BIGINT NOT NULL CHECK (credit_limit_cents >= 0),
    posted_collateral_cents BIGINT NOT NULL CHECK (posted_collateral_cents >= 0),
    queue1_count INTEGER NOT NULL CHECK (queue1_count >= 0),
    queue1_cents BIGINT NOT NULL CHECK (queue1_cents >= 0),
    queue2_count INTEGER NOT NULL CHECK (queue2_count >= 0),
    queue2_cents BIGINT NOT NULL CHECK (queue2_cents >= 0),
    sent_cents BIGINT NOT NULL CHECK (sent_cents >= 0),
    received_cents BIGINT NOT NULL CHECK (received_cents >= 0),
    tick_cost DOUBLE NOT NULL CHECK (tick_cost > '-Infinity'::DOUBLE AND tick_cost < 'Infinity'::DOUBLE),
    PRIMARY KEY (run_id, tick, agent_id)
);
INSERT INTO bank_states_rebuilt SELECT * FROM bank_states;
DROP TABLE bank_states;
ALTER TABLE bank_states_rebuilt RENAME TO bank_states;

CREATE TABLE daily_costs_rebuilt (
    run_id VARCHAR NOT NULL,
    day INTEGER NOT NULL CHECK (day >= 0),
    agent_id VARCHAR NOT NULL,
    cost_kind VARCHAR NOT NULL CHECK (cost_kind IN (
        'liquidity', 'overdraft', 'collateral', 'delay', 'deadline_penalty', 'end_of_day', 'split')),
    cost DOUBLE NOT NULL CHECK (cost >= 0 AND cost < 'Infinity'::DOUBLE),
    PRIMARY KEY (run_id, day, agent_id, cost_kind)
);
INSERT INTO daily_costs_rebuilt SELECT * FROM daily_costs;
DROP TABLE daily_costs;
ALTER TABLE daily_costs_rebuilt RENAME TO daily_costs;

CREATE TABLE game_outcomes_rebuilt (
    game_id VARCHAR NOT NULL,
    agent_id VARCHAR NOT NULL,
    num_samples INTEGER NOT NULL CHECK (num_samples >= 1),
    start_cost DOUBLE NOT NULL CHECK (start_cost > '-Infinity'::DOUBLE AND start_cost < 'Infinity'::DOUBLE),
    final_cost DOUBLE NOT NULL CHECK (final_cost > '-Infinity'::DOUBLE AND final_cost < 'Infinity'::DOUBLE),
    cost_improvement DOUBLE NOT NULL CHECK (cost_improvement > '-Infinity'::DOUBLE AND cost_improvement < 'Infinity'::DOUBLE),
    improvement_low DOUBLE CHECK (improvement_low > '-Infinity'::DOUBLE AND improvement_low < 'Infinity'::DOUBLE),
    improvement_high DOUBLE CHECK (improvement_high > '-Infinity'::DOUBLE AND improvement_high < 'Infinity'::DOUBLE),
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
INSERT INTO game_outcomes_rebuilt SELECT * FROM game_outcomes;
DROP TABLE game_outcomes;
ALTER TABLE game_outcomes_rebuilt RENAME TO game_outcomes;
