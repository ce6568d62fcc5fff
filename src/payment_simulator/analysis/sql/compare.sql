-- What a comparison of games reads. {ids} stands for as many question marks as games are asked for;
-- every value is bound. No query reads the policies of more than one step of a bank.

-- name: sessions
SELECT game_id, status, game_mode, scenario_config, master_seed, config_json, optimized_agents,
       total_iterations, converged, final_cost
FROM game_sessions
WHERE game_id IN ({ids})

-- name: games_of_mode
SELECT game_id FROM game_sessions WHERE game_mode = ? ORDER BY master_seed, game_id

-- name: files
-- The texts that games were made of, by their hashes; the game file itself differs with every id.
SELECT game_id, role, name, sha256
FROM provenance_files
WHERE role <> 'game_file' AND game_id IN ({ids})
ORDER BY game_id, role, name

-- name: versions
SELECT game_id, package_version FROM game_provenance WHERE game_id IN ({ids})

-- name: steps
-- The cost in force after a step is that of the proposal where it was accepted.
SELECT game_id, agent_id,
       count(*),
       count(*) FILTER (was_accepted),
       max(iteration_number),
       coalesce(max(iteration_number) FILTER (was_accepted), 0),
       sum(tokens_used)::BIGINT,
       arg_min(old_cost, iteration_number),
       arg_max(CASE WHEN was_accepted THEN new_cost ELSE old_cost END, iteration_number)
FROM policy_iterations
WHERE game_id IN ({ids})
GROUP BY game_id, agent_id
ORDER BY game_id, agent_id

-- name: proposers
SELECT DISTINCT game_id, llm_model
FROM policy_iterations
WHERE game_id IN ({ids})
ORDER BY game_id, llm_model

-- name: last_policies
-- The policies in force after the last steps of a game. Of one game at a time: only then are the
-- policies of all other steps left where they are.
SELECT agent_id, CASE WHEN was_accepted THEN new_policy_json ELSE old_policy_json END
FROM policy_iterations
WHERE game_id = ? AND iteration_number >= ?
ORDER BY iteration_number, agent_id

-- name: outcomes
SELECT game_id, agent_id, num_samples, start_cost, final_cost, cost_improvement, improvement_low,
       improvement_high, confidence, start_settlement_rate, final_settlement_rate,
       final_policy_json
FROM game_outcomes
WHERE game_id IN ({ids})
ORDER BY game_id, agent_id

-- name: certificates
-- The last of each game.
SELECT
    game_id, regrets_json, distance_from_equilibrium, price_of_anarchy, distance_upper_bound,
    num_deviations, deviation_space
FROM equilibrium_certificates
WHERE game_id IN ({ids})
QUALIFY row_number() OVER (PARTITION BY game_id ORDER BY certificate_number DESC) = 1

-- name: calls
SELECT game_id, count(*), count(cost_usd), coalesce(sum(input_tokens), 0)::BIGINT,
    coalesce(sum(output_tokens), 0)::BIGINT
FROM llm_interaction_log
WHERE game_id IN ({ids})
GROUP BY game_id

-- name: prices
-- Summed outside, where the sum does not depend on the order in which threads deliver rows.
SELECT game_id, cost_usd
FROM llm_interaction_log
WHERE cost_usd IS NOT NULL AND game_id IN ({ids})
