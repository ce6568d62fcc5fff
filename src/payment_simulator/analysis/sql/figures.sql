-- What figures draw and no other module reads. Sums of cents are exact before they become floats.

-- name: queues
-- What waits at the end of each tick, over all banks: values (cents), then numbers.
SELECT tick, sum(queue1_cents)::DOUBLE, sum(queue2_cents)::DOUBLE,
    sum(queue1_count)::DOUBLE, sum(queue2_count)::DOUBLE
FROM bank_states
WHERE run_id = ?
GROUP BY tick
ORDER BY tick

-- name: outcomes
-- What banks paid at the start and at the end, by kind, without their policies.
SELECT agent_id, start_cost, final_cost, start_costs_json, final_costs_json
FROM game_outcomes
WHERE game_id = ?
ORDER BY agent_id
