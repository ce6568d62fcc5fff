-- Steps of a game: one in full, and many as rows of a table. Large texts are left where they lie.
-- {columns} stands for the columns of policy_iterations.

-- name: one_step
SELECT {columns} FROM policy_iterations
WHERE game_id = ? AND agent_id = ? AND iteration_number = ?

-- name: iterations_of_bank
SELECT iteration_number FROM policy_iterations
WHERE game_id = ? AND agent_id = ?
ORDER BY iteration_number

-- name: banks_with_steps
SELECT DISTINCT agent_id FROM policy_iterations WHERE game_id = ? ORDER BY agent_id

-- name: count_steps
-- By verdict; a step that was not accepted is refused where it has validation errors.
SELECT
    CASE
        WHEN was_accepted THEN 'accepted'
        WHEN regexp_full_match(validation_errors, '\s*\[\s*\]\s*') THEN 'rejected'
        ELSE 'refused'
    END AS verdict,
    count(*)
FROM policy_iterations
WHERE game_id = ? AND (? IS NULL OR agent_id = ?)
GROUP BY verdict
ORDER BY verdict

-- name: step_rows
-- The verdicts asked for are one text, with commas between them.
SELECT agent_id, iteration_number, trigger_tick,
    CASE
        WHEN was_accepted THEN 'accepted'
        WHEN regexp_full_match(validation_errors, '\s*\[\s*\]\s*') THEN 'rejected'
        ELSE 'refused'
    END AS verdict,
    old_cost, new_cost, cost_improvement, validation_errors, llm_model, llm_latency_seconds,
    tokens_used, created_at
FROM policy_iterations
WHERE game_id = ? AND (? IS NULL OR agent_id = ?) AND list_contains(string_split(?, ','), verdict)
ORDER BY iteration_number, agent_id
LIMIT ? OFFSET ?

-- name: reasons
-- Why each step was decided as it was, for a range of iterations.
SELECT agent_id, iteration_number, reason
FROM (
    SELECT agent_id, iteration_number, TRY(json_extract_string(context, '$.decision.reason')) AS reason
    FROM (
        SELECT agent_id, iteration_number, string_agg(content, '' ORDER BY piece_number) AS context
        FROM iteration_context JOIN text_pieces ON sha256 = context_json_sha256
        WHERE game_id = ? AND (? IS NULL OR agent_id = ?) AND iteration_number BETWEEN ? AND ?
        GROUP BY agent_id, iteration_number
    ) AS read_together
) AS decided
WHERE reason IS NOT NULL

-- name: summaries
-- What each proposal would have changed, in words, for a range of iterations.
SELECT agent_id, iteration_number, diff_summary
FROM policy_diffs
WHERE game_id = ? AND (? IS NULL OR agent_id = ?) AND iteration_number BETWEEN ? AND ?
