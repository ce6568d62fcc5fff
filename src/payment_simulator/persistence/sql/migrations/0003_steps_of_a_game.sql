-- What each step of a game saw, asked, changed and measured; where a game came from; how far from
-- equilibrium it ended. Money is in cents, times are UTC.

CREATE TABLE llm_interaction_log (
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
    llm_latency_seconds DOUBLE NOT NULL CHECK (isfinite(llm_latency_seconds) AND llm_latency_seconds >= 0),
    cost_usd DOUBLE CHECK (isfinite(cost_usd) AND cost_usd >= 0),
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
    cost_mean DOUBLE NOT NULL CHECK (isfinite(cost_mean)),
    cost_std DOUBLE NOT NULL CHECK (isfinite(cost_std) AND cost_std >= 0),
    settlement_rate_mean DOUBLE CHECK (settlement_rate_mean BETWEEN 0 AND 1),
    cost_breakdown_json VARCHAR NOT NULL,
    best_seed BIGINT NOT NULL,
    best_seed_cost DOUBLE NOT NULL CHECK (isfinite(best_seed_cost)),
    best_seed_verbose_output VARCHAR,
    worst_seed BIGINT NOT NULL,
    worst_seed_cost DOUBLE NOT NULL CHECK (isfinite(worst_seed_cost)),
    worst_seed_verbose_output VARCHAR,
    context_json VARCHAR NOT NULL,
    omissions_json VARCHAR NOT NULL,
    PRIMARY KEY (game_id, agent_id, iteration_number)
);

CREATE TABLE evaluation_samples (
    game_id VARCHAR NOT NULL,
    agent_id VARCHAR NOT NULL,
    iteration_number INTEGER NOT NULL CHECK (iteration_number >= 1),
    sample_number INTEGER NOT NULL CHECK (sample_number >= 1),
    sample_seed BIGINT NOT NULL,
    old_cost DOUBLE NOT NULL CHECK (isfinite(old_cost)),
    new_cost DOUBLE NOT NULL CHECK (isfinite(new_cost)),
    cost_improvement DOUBLE NOT NULL CHECK (isfinite(cost_improvement)),
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
    created_at TIMESTAMP NOT NULL
);

CREATE TABLE provenance_files (
    game_id VARCHAR NOT NULL,
    role VARCHAR NOT NULL CHECK (role IN ('game_file', 'scenario', 'policy', 'payments')),
    name VARCHAR NOT NULL,
    content VARCHAR NOT NULL,
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
    distance_from_equilibrium DOUBLE NOT NULL CHECK (isfinite(distance_from_equilibrium) AND distance_from_equilibrium >= 0),
    best_deviations_json VARCHAR NOT NULL,
    pure_equilibria_json VARCHAR,
    best_responses_json VARCHAR,
    social_optimum_json VARCHAR,
    price_of_anarchy DOUBLE CHECK (isfinite(price_of_anarchy)),
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (game_id, certificate_number)
);
