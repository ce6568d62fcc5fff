-- Lists of games. Texts that are sought are parts of a text as they stand: no character of theirs is
-- a wildcard. Values are bound by number: 1 status, 2 mode, 3 part of the scenario's name, 4 part of
-- what names the game, 5 the games that are being played.

-- name: chosen
-- The games that filters leave, for the two queries below. A scenario is called by its file's name.
named AS (
    SELECT *,
           coalesce(
               nullif(regexp_replace(scenario_config, '(?is)^.*[/\\]|\.ya?ml$', '', 'g'), ''),
               scenario_config
           ) AS scenario,
           -- As analysis/game_state.py has it.
           CASE WHEN status = 'running' AND NOT list_contains($5::VARCHAR[], game_id)
                THEN 'interrupted' ELSE status END AS state
    FROM game_sessions
), chosen AS (
    SELECT * FROM named
    WHERE ($1 IS NULL OR state = $1) AND ($2 IS NULL OR game_mode = $2)
      AND ($3 IS NULL OR contains(lower(scenario), lower($3)))
      AND ($4 IS NULL
           OR contains(lower(game_id), lower($4))
           OR contains(lower(scenario), lower($4))
           OR contains(
                  lower(array_to_string(TRY(from_json(optimized_agents, '["VARCHAR"]')), chr(10))),
                  lower($4))
           OR game_id IN (
                  SELECT DISTINCT game_id FROM policy_iterations
                  WHERE contains(lower(llm_model), lower($4))))
)

-- name: games
-- A game counts its iterations when it ends; until then they are those of its last step. {config} is
-- the configuration, or nothing, for it is long; {order} is one of those that listing.py knows.
WITH {chosen}, last_steps AS (
    SELECT game_id, max(iteration_number) AS iteration
    FROM policy_iterations
    WHERE game_id IN (SELECT game_id FROM chosen WHERE status = 'running')
    GROUP BY game_id
)
SELECT game_id, scenario_config, master_seed, game_mode, {config} AS config_json, started_at,
       completed_at, status, optimized_agents,
       greatest(coalesce(total_iterations, 0), coalesce(iteration, 0)) AS iterations,
       converged, final_cost, state, scenario
FROM chosen LEFT JOIN last_steps USING (game_id)
ORDER BY {order} NULLS LAST, started_at DESC, game_id
LIMIT $6 OFFSET $7

-- name: count_games
WITH {chosen} SELECT count(*) FROM chosen

-- name: configuration
SELECT config_json FROM game_sessions WHERE game_id = $1
