-- Queries over the record. {columns} stands for the columns of the record's own table, in the
-- order of its fields; every value is bound.

-- name: get_game_session
SELECT {columns} FROM game_sessions WHERE game_id = ?

-- name: game_ids
SELECT game_id FROM game_sessions ORDER BY game_id

-- name: list_game_sessions
-- Newest first; games that started in the same microsecond by their id.
SELECT {columns} FROM game_sessions
WHERE (? IS NULL OR status = ?) AND (? IS NULL OR game_mode = ?)
ORDER BY started_at DESC, game_id
LIMIT ?

-- name: get_policy_iterations
SELECT {columns} FROM policy_iterations
WHERE game_id = ?
ORDER BY iteration_number, agent_id

-- name: get_policy_iterations_of_agent
SELECT {columns} FROM policy_iterations
WHERE game_id = ? AND agent_id = ?
ORDER BY iteration_number

-- name: get_best_policy
-- The least cost among accepted proposals, the earliest of equals.
SELECT new_policy_json FROM policy_iterations
WHERE game_id = ? AND agent_id = ? AND was_accepted
ORDER BY new_cost, iteration_number
LIMIT 1

-- name: optimization_figures
-- What a summary sums. The sums are made outside, where they do not depend on the order in which
-- threads deliver rows.
SELECT was_accepted, cost_improvement, tokens_used, llm_latency_seconds
FROM policy_iterations
WHERE game_id = ?

-- name: get_policies_in_force
-- The policy that rules after each step of one agent.
SELECT iteration_number, CASE WHEN was_accepted THEN new_policy_json ELSE old_policy_json END
FROM policy_iterations
WHERE game_id = ? AND agent_id = ?
ORDER BY iteration_number

-- name: get_policy_iteration
SELECT {columns} FROM policy_iterations
WHERE game_id = ? AND agent_id = ? AND iteration_number = ?

-- name: count_rows_of_steps
-- The steps that rows of a table belong to, and how many rows each has.
SELECT iteration_number, agent_id, count(*) FROM {table}
WHERE game_id = ?
GROUP BY ALL ORDER BY ALL

-- name: rows_of_iterations
SELECT {columns} FROM {table}
WHERE game_id = ? AND iteration_number BETWEEN ? AND ?

-- name: sample_means
-- What the steps of a game say that policies cost, and the means of their samples.
SELECT i.iteration_number, i.agent_id, i.old_cost, i.new_cost,
       count(s.sample_number), max(s.sample_number), avg(s.old_cost), avg(s.new_cost)
FROM policy_iterations AS i
LEFT JOIN evaluation_samples AS s USING (game_id, agent_id, iteration_number)
WHERE i.game_id = ?
GROUP BY ALL ORDER BY ALL

-- name: has_null_counters
-- Whether a session lacks what the specification lets be NULL, and a game always writes.
SELECT total_iterations IS NULL OR converged IS NULL FROM game_sessions WHERE game_id = ?

-- name: step_times
SELECT iteration_number, agent_id, created_at FROM policy_iterations
WHERE game_id = ?
ORDER BY iteration_number, agent_id

-- name: runs_of_game
SELECT run_id FROM simulation_runs WHERE game_id = ? ORDER BY run_id

-- name: superseded_of_game
-- Keys of the superseded rows of a game: the first value of a row's key is the game, or a run of it.
SELECT table_name, record_key, revision FROM superseded_records
WHERE CASE
    WHEN NOT json_valid(record_key) THEN false
    ELSE (record_key::JSON -> '$[0]')::VARCHAR = to_json(?::VARCHAR)::VARCHAR
        OR (record_key::JSON -> '$[0]')::VARCHAR IN (
            SELECT to_json(run_id)::VARCHAR FROM simulation_runs WHERE game_id = ?)
END
ORDER BY table_name, record_key, revision

-- name: get_superseded_record
SELECT {columns} FROM superseded_records
WHERE table_name = ? AND record_key = ? AND revision = ?

-- name: get_llm_interactions
SELECT {columns} FROM llm_interaction_log
WHERE game_id = ? AND (? IS NULL OR agent_id = ?) AND (? IS NULL OR iteration_number = ?)
ORDER BY iteration_number, agent_id, attempt_number

-- name: get_policy_diffs
SELECT {columns} FROM policy_diffs
WHERE game_id = ? AND (? IS NULL OR agent_id = ?) AND (? IS NULL OR iteration_number = ?)
ORDER BY iteration_number, agent_id

-- name: get_iteration_contexts
SELECT {columns} FROM iteration_context
WHERE game_id = ? AND (? IS NULL OR agent_id = ?) AND (? IS NULL OR iteration_number = ?)
ORDER BY iteration_number, agent_id

-- name: get_evaluation_samples
SELECT {columns} FROM evaluation_samples
WHERE game_id = ? AND (? IS NULL OR agent_id = ?) AND (? IS NULL OR iteration_number = ?)
ORDER BY iteration_number, agent_id, sample_number

-- name: get_game_provenance
SELECT {columns} FROM game_provenance WHERE game_id = ?

-- name: get_provenance_files
SELECT {columns} FROM provenance_files WHERE game_id = ? ORDER BY role, name

-- name: get_equilibrium_certificates
SELECT {columns} FROM equilibrium_certificates WHERE game_id = ? ORDER BY certificate_number

-- name: get_game_outcomes
SELECT {columns} FROM game_outcomes WHERE game_id = ? ORDER BY agent_id

-- name: get_game_failures
SELECT {columns} FROM game_failures WHERE game_id = ? ORDER BY failure_number

-- name: get_simulation_run
SELECT {columns} FROM simulation_runs WHERE run_id = ?

-- name: list_simulation_runs
-- Newest first; runs that started in the same microsecond by their id.
SELECT {columns} FROM simulation_runs
WHERE (? IS NULL OR game_id = ?)
ORDER BY started_at DESC, run_id
LIMIT ?

-- name: get_transactions
SELECT {columns} FROM transactions WHERE run_id = ? ORDER BY payment_number

-- name: get_simulation_events
SELECT {columns} FROM simulation_events WHERE run_id = ? ORDER BY event_number

-- name: get_bank_states
SELECT {columns} FROM bank_states WHERE run_id = ? ORDER BY tick, agent_id

-- name: get_daily_costs
SELECT {columns} FROM daily_costs WHERE run_id = ? ORDER BY day, agent_id, cost_kind

-- name: get_superseded_records
SELECT {columns} FROM superseded_records
WHERE (? IS NULL OR table_name = ?)
ORDER BY table_name, record_key, revision

-- name: orphans
-- What rows belong to, where that is not there, and how many rows.
SELECT {key}, count(*) FROM {child} AS child
WHERE child.{first} IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM {parent} AS parent WHERE {match})
GROUP BY ALL ORDER BY ALL

-- name: gaps
-- Agents whose iterations do not run from 1 without a gap.
SELECT game_id, agent_id, count(*), min(iteration_number), max(iteration_number)
FROM policy_iterations
GROUP BY game_id, agent_id
HAVING count(*) <> max(iteration_number)
ORDER BY game_id, agent_id

-- name: miscounted_games
-- Ended games whose count of iterations is neither their last iteration nor their number of steps.
SELECT g.game_id, g.status, g.total_iterations, coalesce(max(i.iteration_number), 0)
FROM game_sessions AS g LEFT JOIN policy_iterations AS i USING (game_id)
WHERE g.status <> 'running'
GROUP BY g.game_id, g.status, g.total_iterations
HAVING coalesce(g.total_iterations, 0)
       NOT IN (coalesce(max(i.iteration_number), 0), count(i.iteration_number))
ORDER BY g.game_id
