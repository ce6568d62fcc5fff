-- The tables, indexes and views of a record. Money is in cents, times are UTC. What each column
-- means: docs/reference/record.md. A file of the first tool has the two first tables already.

CREATE TABLE IF NOT EXISTS game_sessions (
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

CREATE TABLE IF NOT EXISTS policy_iterations (
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

CREATE TABLE schema_ledger (
    version INTEGER PRIMARY KEY,
    sha256 VARCHAR NOT NULL,
    applied_at TIMESTAMP NOT NULL,
    package_version VARCHAR NOT NULL
);

CREATE TABLE superseded_records (
    table_name VARCHAR NOT NULL,
    record_key VARCHAR NOT NULL,  -- JSON array of the key's values
    revision INTEGER NOT NULL,
    record_json VARCHAR NOT NULL,
    superseded_at TIMESTAMP NOT NULL,
    PRIMARY KEY (table_name, record_key, revision)
);

-- Long texts, each once; columns called ..._sha256 hold their keys. No row is longer than a piece,
-- so that DuckDB never reads many long ones for the sake of one. The pieces have no key of their own:
-- they are added with their text, once.
CREATE TABLE texts (
    sha256 VARCHAR PRIMARY KEY,
    num_bytes BIGINT NOT NULL CHECK (num_bytes >= 0)
);

CREATE TABLE text_pieces (
    sha256 VARCHAR NOT NULL,
    piece_number INTEGER NOT NULL CHECK (piece_number >= 1),
    content VARCHAR NOT NULL
);

CREATE TABLE llm_interaction_log (
    game_id VARCHAR NOT NULL,
    agent_id VARCHAR NOT NULL,
    iteration_number INTEGER NOT NULL CHECK (iteration_number >= 1),
    attempt_number INTEGER NOT NULL CHECK (attempt_number >= 1),
    llm_model VARCHAR NOT NULL,
    temperature DOUBLE CHECK (temperature >= 0 AND temperature < 'Infinity'::DOUBLE),
    max_tokens INTEGER CHECK (max_tokens >= 1),
    sampling_seed INTEGER CHECK (sampling_seed >= 0),
    system_prompt_sha256 VARCHAR NOT NULL,
    user_prompt_sha256 VARCHAR NOT NULL,
    raw_response_sha256 VARCHAR,
    parsed_policy_json_sha256 VARCHAR,
    parsing_error VARCHAR,
    llm_reasoning_sha256 VARCHAR,
    details_json VARCHAR,
    response_id VARCHAR,
    response_model VARCHAR,
    system_fingerprint VARCHAR,
    finish_reason VARCHAR,
    refusal VARCHAR,
    input_tokens INTEGER CHECK (input_tokens >= 0),
    output_tokens INTEGER CHECK (output_tokens >= 0),
    cached_tokens INTEGER CHECK (cached_tokens >= 0),
    reasoning_tokens INTEGER CHECK (reasoning_tokens >= 0),
    llm_latency_seconds DOUBLE NOT NULL CHECK (llm_latency_seconds >= 0 AND llm_latency_seconds < 'Infinity'::DOUBLE),
    cost_usd DOUBLE CHECK (cost_usd >= 0 AND cost_usd < 'Infinity'::DOUBLE),
    request_timestamp TIMESTAMP NOT NULL,
    response_timestamp TIMESTAMP,
    PRIMARY KEY (game_id, agent_id, iteration_number, attempt_number)
);

CREATE TABLE policy_diffs (
    game_id VARCHAR NOT NULL,
    agent_id VARCHAR NOT NULL,
    iteration_number INTEGER NOT NULL CHECK (iteration_number >= 1),
    diff_summary VARCHAR NOT NULL,
    parameter_changes_json VARCHAR NOT NULL,
    tree_changes_json VARCHAR NOT NULL,
    payment_tree_changed BOOLEAN NOT NULL,
    bank_tree_changed BOOLEAN NOT NULL,
    strategic_collateral_tree_changed BOOLEAN NOT NULL,
    end_of_tick_collateral_tree_changed BOOLEAN NOT NULL,
    PRIMARY KEY (game_id, agent_id, iteration_number)
);

CREATE TABLE iteration_context (
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
    best_seed_verbose_output_sha256 VARCHAR,
    worst_seed BIGINT NOT NULL,
    worst_seed_cost DOUBLE NOT NULL CHECK (worst_seed_cost > '-Infinity'::DOUBLE AND worst_seed_cost < 'Infinity'::DOUBLE),
    worst_seed_verbose_output_sha256 VARCHAR,
    context_json_sha256 VARCHAR NOT NULL,
    omissions_json VARCHAR NOT NULL,
    seal_sha256 VARCHAR,
    PRIMARY KEY (game_id, agent_id, iteration_number)
);

CREATE TABLE evaluation_samples (
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

CREATE TABLE game_provenance (
    game_id VARCHAR PRIMARY KEY,
    package_version VARCHAR NOT NULL,
    code_revision VARCHAR,
    code_is_clean BOOLEAN,
    python_version VARCHAR NOT NULL,
    platform VARCHAR NOT NULL,
    libraries_json VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL,
    seal_sha256 VARCHAR
);

CREATE TABLE provenance_files (
    game_id VARCHAR NOT NULL,
    role VARCHAR NOT NULL CHECK (role IN ('game_file', 'scenario', 'policy', 'payments')),
    name VARCHAR NOT NULL,
    sha256 VARCHAR NOT NULL,
    PRIMARY KEY (game_id, role, name)
);

CREATE TABLE equilibrium_certificates (
    game_id VARCHAR NOT NULL,
    certificate_number INTEGER NOT NULL CHECK (certificate_number >= 1),
    method VARCHAR NOT NULL,
    parameter_space_json VARCHAR NOT NULL,
    profile_json VARCHAR NOT NULL,
    num_samples INTEGER NOT NULL CHECK (num_samples >= 1),
    regrets_json VARCHAR NOT NULL,
    distance_from_equilibrium DOUBLE NOT NULL CHECK (distance_from_equilibrium > '-Infinity'::DOUBLE AND distance_from_equilibrium < 'Infinity'::DOUBLE),
    distance_upper_bound DOUBLE CHECK (distance_upper_bound > '-Infinity'::DOUBLE AND distance_upper_bound < 'Infinity'::DOUBLE),
    num_deviations INTEGER CHECK (num_deviations >= 0),
    deviation_space VARCHAR,
    is_within_tolerance BOOLEAN,
    best_deviations_json VARCHAR NOT NULL,
    pure_equilibria_json VARCHAR,
    best_responses_json VARCHAR,
    social_optimum_json VARCHAR,
    price_of_anarchy DOUBLE CHECK (price_of_anarchy > '-Infinity'::DOUBLE AND price_of_anarchy < 'Infinity'::DOUBLE),
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (game_id, certificate_number)
);

CREATE TABLE simulation_runs (
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

CREATE TABLE transactions (
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

CREATE TABLE simulation_events (
    run_id VARCHAR NOT NULL,
    event_number BIGINT NOT NULL CHECK (event_number >= 0),
    day INTEGER NOT NULL CHECK (day >= 0),
    tick INTEGER NOT NULL CHECK (tick >= 0),
    event_type VARCHAR NOT NULL,
    agent_id VARCHAR,
    counterparty_id VARCHAR,
    payment_number BIGINT CHECK (payment_number >= 0),
    amount_cents BIGINT,
    details_json VARCHAR,
    PRIMARY KEY (run_id, event_number)
);

CREATE TABLE bank_states (
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

CREATE TABLE daily_costs (
    run_id VARCHAR NOT NULL,
    day INTEGER NOT NULL CHECK (day >= 0),
    agent_id VARCHAR NOT NULL,
    cost_kind VARCHAR NOT NULL CHECK (cost_kind IN (
        'liquidity', 'overdraft', 'collateral', 'delay', 'deadline_penalty', 'end_of_day', 'split')),
    cost DOUBLE NOT NULL CHECK (cost >= 0 AND cost < 'Infinity'::DOUBLE),
    PRIMARY KEY (run_id, day, agent_id, cost_kind)
);
CREATE INDEX idx_run_game ON simulation_runs (game_id);

CREATE TABLE game_outcomes (
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

CREATE TABLE game_failures (
    game_id VARCHAR NOT NULL,
    failure_number INTEGER NOT NULL CHECK (failure_number >= 1),
    agent_id VARCHAR,
    iteration_number INTEGER CHECK (iteration_number >= 1),
    reason VARCHAR NOT NULL,
    error_type VARCHAR NOT NULL,
    failed_at TIMESTAMP NOT NULL,
    model_calls INTEGER NOT NULL CHECK (model_calls >= 0),
    seal_sha256 VARCHAR,
    PRIMARY KEY (game_id, failure_number)
);

-- For each bank the accepted proposal of least cost, the earliest of equals.
CREATE VIEW best_policies AS
SELECT game_id, agent_id, iteration_number, new_cost AS cost, new_policy_json AS policy_json
FROM policy_iterations
WHERE was_accepted
QUALIFY row_number() OVER (PARTITION BY game_id, agent_id ORDER BY new_cost, iteration_number) = 1;

CREATE VIEW acceptance_rates AS
SELECT
    game_id,
    agent_id,
    count(*) AS steps,
    count(*) FILTER (WHERE was_accepted) AS accepted,
    count(*) FILTER (WHERE NOT was_accepted AND validation_errors = '[]') AS rejected,
    count(*) FILTER (WHERE NOT was_accepted AND validation_errors <> '[]') AS refused,
    avg(was_accepted::INTEGER) AS acceptance_rate
FROM policy_iterations
GROUP BY game_id, agent_id;

-- What each step measured, and what the policy costs that rules after it.
CREATE VIEW cost_trajectory AS
SELECT
    game_id,
    agent_id,
    iteration_number,
    trigger_tick,
    old_cost,
    new_cost,
    CASE
        WHEN was_accepted THEN 'accepted'
        WHEN validation_errors = '[]' THEN 'rejected'
        ELSE 'refused'
    END AS verdict,
    CASE WHEN was_accepted THEN new_cost ELSE old_cost END AS cost_in_force,
    min(CASE WHEN was_accepted THEN new_cost ELSE old_cost END)
        OVER (PARTITION BY game_id, agent_id ORDER BY iteration_number) AS least_cost_so_far
FROM policy_iterations;

-- The parameters of the policy that rules after each step. Policies that are no JSON, and parameters
-- that are no finite numbers, are left out.
CREATE VIEW parameter_trajectory AS
SELECT game_id, agent_id, iteration_number, parameter.key AS parameter, parameter.value::DOUBLE AS value
FROM (
    SELECT
        game_id,
        agent_id,
        iteration_number,
        CASE
            WHEN NOT json_valid(policy_json) THEN '{}'
            WHEN json_type(policy_json, '$.parameters') = 'OBJECT' THEN policy_json
            ELSE '{}'
        END AS policy_json
    FROM (
        SELECT
            game_id,
            agent_id,
            iteration_number,
            CASE WHEN was_accepted THEN new_policy_json ELSE old_policy_json END AS policy_json
        FROM policy_iterations
    ) AS in_force
) AS readable, json_each(readable.policy_json, '$.parameters') AS parameter
WHERE parameter.type IN ('DOUBLE', 'BIGINT', 'UBIGINT')
  AND isfinite(try_cast(parameter.value AS DOUBLE));

-- Calls of models with their texts. Texts are put together after the calls are chosen: ask for some
-- calls by their game, bank or iteration, and only their texts are read.
CREATE VIEW llm_calls AS
SELECT
    calls.*,
    put_together.system_prompt,
    put_together.user_prompt,
    put_together.raw_response,
    put_together.parsed_policy_json,
    put_together.llm_reasoning
FROM llm_interaction_log AS calls
LEFT JOIN (
    SELECT
        game_id,
        agent_id,
        iteration_number,
        attempt_number,
        any_value(content) FILTER (part = 'system_prompt') AS system_prompt,
        any_value(content) FILTER (part = 'user_prompt') AS user_prompt,
        any_value(content) FILTER (part = 'raw_response') AS raw_response,
        any_value(content) FILTER (part = 'parsed_policy_json') AS parsed_policy_json,
        any_value(content) FILTER (part = 'llm_reasoning') AS llm_reasoning
    FROM (
        SELECT
            game_id,
            agent_id,
            iteration_number,
            attempt_number,
            part,
            string_agg(content, '' ORDER BY piece_number) AS content
        FROM (
            SELECT
                game_id,
                agent_id,
                iteration_number,
                attempt_number,
                unnest([
                    'system_prompt', 'user_prompt', 'raw_response', 'parsed_policy_json',
                    'llm_reasoning'
                ]) AS part,
                unnest([
                    system_prompt_sha256, user_prompt_sha256, raw_response_sha256,
                    parsed_policy_json_sha256, llm_reasoning_sha256
                ]) AS sha256
            FROM llm_interaction_log
        ) AS parts
        JOIN text_pieces USING (sha256)
        GROUP BY game_id, agent_id, iteration_number, attempt_number, part
    ) AS whole
    GROUP BY game_id, agent_id, iteration_number, attempt_number
) AS put_together USING (game_id, agent_id, iteration_number, attempt_number);
