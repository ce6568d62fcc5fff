-- Calls of language models, counted; their prompts stay where they are.

-- name: totals
SELECT agent_id, llm_model, count(*), count(*) FILTER (parsing_error IS NOT NULL),
    sum(input_tokens)::BIGINT, sum(output_tokens)::BIGINT, list(llm_latency_seconds),
    list(cost_usd), count(cost_usd)
FROM llm_interaction_log
WHERE game_id = ?
GROUP BY ALL ORDER BY ALL
