-- Trajectories of a game: what its steps measured, and the parameters of its policies. These are
-- taken out of the policies where they lie, which are large and many; a text that is no JSON has
-- none. A step that was not accepted is refused where it has validation errors.

-- name: cost_trajectories
-- The least cost so far is taken over all steps, then only those after an iteration are shown.
SELECT * FROM (
    SELECT
        agent_id,
        iteration_number,
        trigger_tick,
        old_cost,
        new_cost,
        CASE
            WHEN was_accepted THEN 'accepted'
            WHEN regexp_full_match(validation_errors, '\s*\[\s*\]\s*') THEN 'rejected'
            ELSE 'refused'
        END AS verdict,
        CASE WHEN was_accepted THEN new_cost ELSE old_cost END AS cost_in_force,
        min(cost_in_force) OVER (PARTITION BY agent_id ORDER BY iteration_number) AS best_cost
    FROM policy_iterations
    WHERE game_id = ?
)
WHERE iteration_number > ?
ORDER BY agent_id, iteration_number

-- name: parameters_of_steps
-- The parameters of the policy in force after each step, and of the one proposed where that is
-- another and was not refused.
SELECT
    agent_id,
    iteration_number,
    was_accepted,
    TRY(json_extract(
        CASE WHEN was_accepted THEN new_policy_json ELSE old_policy_json END, '$.parameters'
    ))::VARCHAR AS in_force,
    TRY(json_extract(
        CASE WHEN NOT was_accepted AND regexp_full_match(validation_errors, '\s*\[\s*\]\s*')
            THEN new_policy_json
        END, '$.parameters'
    ))::VARCHAR AS proposed
FROM policy_iterations
WHERE game_id = ?
ORDER BY agent_id, iteration_number

-- name: first_parameters
-- The parameters of the policy that each bank had before its first step.
SELECT agent_id, TRY(json_extract(policy, '$.parameters'))::VARCHAR
FROM (
    SELECT agent_id, arg_min(old_policy_json, iteration_number) AS policy
    FROM policy_iterations
    WHERE game_id = ?
    GROUP BY agent_id
)
ORDER BY agent_id
