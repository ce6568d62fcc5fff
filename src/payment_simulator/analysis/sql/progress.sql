-- How far a game is, and which steps stand beside another: asked again and again, so as little is
-- read as will do.

-- name: progress
SELECT status, (SELECT count(*) FROM policy_iterations WHERE game_id = $1),
    (SELECT coalesce(max(iteration_number), 0) FROM policy_iterations WHERE game_id = $1)
FROM game_sessions WHERE game_id = $1

-- name: neighbours
SELECT max(iteration_number) FILTER (iteration_number < $3),
    min(iteration_number) FILTER (iteration_number > $3)
FROM policy_iterations WHERE game_id = $1 AND agent_id = $2

-- name: banks_of_iteration
SELECT agent_id FROM policy_iterations
WHERE game_id = ? AND iteration_number = ? ORDER BY agent_id
