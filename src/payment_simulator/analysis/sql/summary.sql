-- The numbers that a summary says, one query each: SELECT what FROM one table of the record WHERE which
-- rows. In that form a reader can run them anywhere, and summary.py can tell table, column and rows.

-- name: iterations
SELECT total_iterations FROM game_sessions WHERE game_id = ?

-- name: last_iteration
SELECT max(iteration_number) FROM policy_iterations WHERE game_id = ?

-- name: banks
SELECT json_array_length(optimized_agents) FROM game_sessions WHERE game_id = ?

-- name: steps
SELECT count(*) FROM policy_iterations WHERE game_id = ?

-- name: accepted
SELECT count(*) FROM policy_iterations WHERE game_id = ? AND was_accepted

-- name: rejected
SELECT count(*) FROM policy_iterations
WHERE game_id = ? AND NOT was_accepted
    AND regexp_full_match(validation_errors, '\s*\[\s*\]\s*')

-- name: refused
SELECT count(*) FROM policy_iterations
WHERE game_id = ? AND NOT was_accepted
    AND NOT regexp_full_match(validation_errors, '\s*\[\s*\]\s*')

-- name: failed_iteration
SELECT iteration_number FROM game_failures WHERE game_id = ? AND failure_number = ?

-- name: held_out_days
SELECT max(num_samples) FROM game_outcomes WHERE game_id = ?

-- name: all_at_start
SELECT sum(start_cost) FROM game_outcomes WHERE game_id = ?

-- name: all_at_end
SELECT sum(final_cost) FROM game_outcomes WHERE game_id = ?

-- name: all_changed_percent
SELECT abs(100 * sum(cost_improvement) / sum(start_cost)) FROM game_outcomes WHERE game_id = ?

-- name: bank_at_start
SELECT start_cost FROM game_outcomes WHERE game_id = ? AND agent_id = ?

-- name: bank_at_end
SELECT final_cost FROM game_outcomes WHERE game_id = ? AND agent_id = ?

-- name: bank_changed
SELECT abs(cost_improvement) FROM game_outcomes WHERE game_id = ? AND agent_id = ?

-- name: bank_changed_low
SELECT abs(improvement_low) FROM game_outcomes WHERE game_id = ? AND agent_id = ?

-- name: bank_changed_high
SELECT abs(improvement_high) FROM game_outcomes WHERE game_id = ? AND agent_id = ?

-- name: confidence
SELECT confidence FROM game_outcomes WHERE game_id = ? AND agent_id = ?

-- name: distance
SELECT distance_from_equilibrium FROM equilibrium_certificates
WHERE game_id = ? AND certificate_number = ?

-- name: distance_upper_bound
SELECT distance_upper_bound FROM equilibrium_certificates
WHERE game_id = ? AND certificate_number = ?

-- name: deviations
SELECT num_deviations FROM equilibrium_certificates
WHERE game_id = ? AND certificate_number = ?

-- name: calls
SELECT count(*) FROM llm_interaction_log WHERE game_id = ?

-- name: input_tokens
SELECT coalesce(sum(input_tokens), 0)::BIGINT FROM llm_interaction_log WHERE game_id = ?

-- name: output_tokens
SELECT coalesce(sum(output_tokens), 0)::BIGINT FROM llm_interaction_log WHERE game_id = ?

-- name: price
SELECT sum(cost_usd) FROM llm_interaction_log WHERE game_id = ?

-- name: calls_without_price
SELECT count(*) FROM llm_interaction_log WHERE game_id = ? AND cost_usd IS NULL
