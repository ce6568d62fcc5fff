-- Calls of language models, counted; their prompts stay where they are.

-- name: totals
SELECT agent_id, llm_model, count(*), count(*) FILTER (parsing_error IS NOT NULL),
    coalesce(sum(input_tokens), 0)::BIGINT, coalesce(sum(output_tokens), 0)::BIGINT,
    list(llm_latency_seconds), list(cost_usd), count(cost_usd),
    count(*) FILTER (finish_reason = 'length'),
    count(*) FILTER (refusal IS NOT NULL OR finish_reason IN ('refusal', 'content_filter')),
    count(*) FILTER (
        raw_response_sha256 IS NOT NULL AND (input_tokens IS NULL OR output_tokens IS NULL))
FROM llm_interaction_log
WHERE game_id = ?
GROUP BY ALL ORDER BY ALL
