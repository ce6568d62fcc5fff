-- Views for the common questions, for any program that speaks DuckDB.

-- For each bank the accepted proposal of least cost, the earliest of equals.
CREATE VIEW best_policies AS
SELECT game_id, agent_id, iteration_number, new_cost AS cost, new_policy_json AS policy_json
FROM policy_iterations
WHERE was_accepted
QUALIFY row_number() OVER (PARTITION BY game_id, agent_id ORDER BY new_cost, iteration_number) = 1;

CREATE VIEW acceptance_rates AS
SELECT
    game_id,
    agent_id,
    count(*) AS steps,
    count(*) FILTER (WHERE was_accepted) AS accepted,
    count(*) FILTER (WHERE NOT was_accepted AND validation_errors = '[]') AS rejected,
    count(*) FILTER (WHERE NOT was_accepted AND validation_errors <> '[]') AS refused,
    avg(was_accepted::INTEGER) AS acceptance_rate
FROM policy_iterations
GROUP BY game_id, agent_id;

-- What each step measured, and what the policy costs that rules after it.
CREATE VIEW cost_trajectory AS
SELECT
    game_id,
    agent_id,
    iteration_number,
    trigger_tick,
    old_cost,
    new_cost,
    CASE
        WHEN was_accepted THEN 'accepted'
        WHEN validation_errors = '[]' THEN 'rejected'
        ELSE 'refused'
    END AS verdict,
    CASE WHEN was_accepted THEN new_cost ELSE old_cost END AS cost_in_force,
    min(CASE WHEN was_accepted THEN new_cost ELSE old_cost END)
        OVER (PARTITION BY game_id, agent_id ORDER BY iteration_number) AS least_cost_so_far
FROM policy_iterations;

-- The parameters of the policy that rules after each step. Policies that are no JSON, and parameters
-- that are no finite numbers, are left out.
CREATE VIEW parameter_trajectory AS
SELECT game_id, agent_id, iteration_number, parameter.key AS parameter, parameter.value::DOUBLE AS value
FROM (
    SELECT
        game_id,
        agent_id,
        iteration_number,
        CASE
            WHEN NOT json_valid(policy_json) THEN '{}'
            WHEN json_type(policy_json, '$.parameters') = 'OBJECT' THEN policy_json
            ELSE '{}'
        END AS policy_json
    FROM (
        SELECT
            game_id,
            agent_id,
            iteration_number,
            CASE WHEN was_accepted THEN new_policy_json ELSE old_policy_json END AS policy_json
        FROM policy_iterations
    ) AS in_force
) AS readable, json_each(readable.policy_json, '$.parameters') AS parameter
WHERE parameter.type IN ('DOUBLE', 'BIGINT', 'UBIGINT')
  AND isfinite(try_cast(parameter.value AS DOUBLE));
