-- What the page of a simulation run shows. A run may have millions of rows: what is drawn is summed
-- and thinned here, and tables come a page at a time. Ticks count over the whole run.

-- name: list_runs
-- Newest first, without policies and measures, which are long.
SELECT run_id, game_id, agent_id, iteration_number, purpose, scenario_config, master_seed,
    num_days, ticks_per_day, num_agents, num_payments, num_settled, total_cost, started_at
FROM simulation_runs
WHERE $1 IS NULL OR game_id = $1
ORDER BY started_at DESC, run_id
LIMIT $2 OFFSET $3

-- name: count_runs
SELECT count(*) FROM simulation_runs WHERE $1 IS NULL OR game_id = $1

-- name: banks
-- Those of whom there is a state, a cost or a payment, whatever a program has saved of them.
SELECT agent_id FROM bank_states WHERE run_id = $1
UNION SELECT agent_id FROM daily_costs WHERE run_id = $1
UNION SELECT sender_id FROM transactions WHERE run_id = $1
UNION SELECT receiver_id FROM transactions WHERE run_id = $1
ORDER BY ALL

-- name: states
-- Banks over the ticks of some days. Where a line would have more points than can be seen, each
-- stands for some ticks, and is the last of them; 1 run, 2 banks as a JSON array (a list does not
-- travel to a process that writes the record), 3 and 4 days, 5 ticks of a point.
SELECT agent_id, tick, balance_cents, credit_limit_cents, posted_collateral_cents,
    queue1_count, queue1_cents, queue2_count, queue2_cents
FROM bank_states
WHERE run_id = $1 AND list_contains(from_json($2, '["VARCHAR"]'), agent_id) AND day BETWEEN $3 AND $4
QUALIFY row_number() OVER (PARTITION BY agent_id, tick // $5 ORDER BY tick DESC) = 1
ORDER BY agent_id, tick

-- name: settled_values
-- Value that settled in each tick of the days asked for.
SELECT day, tick, sum(sent_cents)::HUGEINT
FROM bank_states
WHERE run_id = $1 AND day BETWEEN $2 AND $3
GROUP BY ALL ORDER BY ALL

-- name: costs
SELECT agent_id, cost_kind, list(cost ORDER BY day)
FROM daily_costs WHERE run_id = $1
GROUP BY ALL ORDER BY ALL

-- name: chosen_payments
-- The payments that filters leave; 1 run, 2 sender, 3 receiver, 4 status, 5 and 6 ticks of arrival.
FROM transactions
WHERE run_id = $1 AND ($2 IS NULL OR sender_id = $2) AND ($3 IS NULL OR receiver_id = $3)
    AND ($4 IS NULL OR status = $4) AND arrival_tick BETWEEN $5 AND $6

-- name: payments
-- {order} is one of those that runs.py knows.
SELECT {columns} {chosen} ORDER BY {order} NULLS LAST, payment_number LIMIT $7 OFFSET $8

-- name: count_payments
SELECT count(*), coalesce(sum(amount_cents), 0)::HUGEINT {chosen}

-- name: payment
SELECT {columns} FROM transactions WHERE run_id = ? AND payment_number = ?

-- name: parts
-- What a payment was split into.
SELECT {columns} FROM transactions
WHERE run_id = ? AND parent_payment_number = ? ORDER BY payment_number

-- name: events_of_payment
SELECT {columns} FROM simulation_events
WHERE run_id = ? AND payment_number = ? ORDER BY event_number LIMIT ?
