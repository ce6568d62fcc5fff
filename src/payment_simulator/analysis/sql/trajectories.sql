-- Trajectories of a game: what its steps measured, and the parameters of its policies. Policies
-- are taken apart where they lie, for they are large and many; a text that is no JSON has nothing
-- in it. A step that was not accepted is refused where it has validation errors.

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

-- name: parameter_trajectories
-- A parameter that is written twice in one policy has the value written last.
WITH texts AS (
    SELECT agent_id, iteration_number, TRUE AS is_in_force, was_accepted AS is_proposed,
        CASE WHEN was_accepted THEN new_policy_json ELSE old_policy_json END AS policy
    FROM policy_iterations
    WHERE game_id = ?
    UNION ALL
    SELECT agent_id, iteration_number, FALSE, TRUE, new_policy_json
    FROM policy_iterations
    WHERE game_id = ? AND NOT was_accepted
        AND regexp_full_match(validation_errors, '\s*\[\s*\]\s*')
),
objects AS (
    SELECT * EXCLUDE (policy), TRY(json_extract(policy, '$.parameters')) AS parameters FROM texts
)
SELECT agent_id, iteration_number, is_in_force, is_proposed, found.key,
    TRY_CAST(found.value AS DOUBLE) AS number
FROM objects,
    json_each(CASE WHEN json_type(parameters) = 'OBJECT' THEN parameters END) AS found
WHERE found.type IN ('DOUBLE', 'UBIGINT', 'BIGINT', 'HUGEINT') AND isfinite(number)
ORDER BY agent_id, iteration_number, is_in_force, found.id
