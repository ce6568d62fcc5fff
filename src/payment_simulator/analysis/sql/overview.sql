-- A game in figures, without its policies, which are long.

-- name: proposing
-- Who proposed for each bank, and at what cost; sums are made outside, where they do not depend on
-- the order in which threads deliver rows.
SELECT agent_id, list_sort(list(DISTINCT llm_model)), sum(tokens_used)::BIGINT,
    list(llm_latency_seconds), min(new_cost) FILTER (was_accepted), max(created_at)
FROM policy_iterations
WHERE game_id = ?
GROUP BY agent_id ORDER BY agent_id

-- name: judging_days
-- On how many days steps were judged: the fewest and the most.
SELECT min(days), max(days) FROM (
    SELECT count(*) AS days FROM evaluation_samples
    WHERE game_id = ?
    GROUP BY agent_id, iteration_number
)
