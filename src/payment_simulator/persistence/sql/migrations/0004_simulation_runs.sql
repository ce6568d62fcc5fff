-- Simulation runs with the life of every payment, the event log, the state of every bank at every
-- tick, and costs by bank, kind and day. Ticks count from 0 over the whole run; days from 0; money
-- is int64 cents; costs are cents with fractions.

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
    total_cost DOUBLE NOT NULL CHECK (isfinite(total_cost)),
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
    delay_cost DOUBLE NOT NULL CHECK (isfinite(delay_cost) AND delay_cost >= 0),
    penalty_cost DOUBLE NOT NULL CHECK (isfinite(penalty_cost) AND penalty_cost >= 0),
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
    tick_cost DOUBLE NOT NULL CHECK (isfinite(tick_cost)),
    PRIMARY KEY (run_id, tick, agent_id)
);

CREATE TABLE daily_costs (
    run_id VARCHAR NOT NULL,
    day INTEGER NOT NULL CHECK (day >= 0),
    agent_id VARCHAR NOT NULL,
    cost_kind VARCHAR NOT NULL CHECK (cost_kind IN (
        'liquidity', 'overdraft', 'collateral', 'delay', 'deadline_penalty', 'end_of_day', 'split')),
    cost DOUBLE NOT NULL CHECK (isfinite(cost) AND cost >= 0),
    PRIMARY KEY (run_id, day, agent_id, cost_kind)
);

CREATE INDEX idx_run_game ON simulation_runs (game_id);
