-- Adoption of a file of the first tool: what stands under names of this schema, and which of its
-- rows mean the same here. {kept} is the table that they are in now; every value is converted or
-- refused, for that tool checked none. A row that a record of this package would refuse stays
-- where it is.

-- name: things
-- Tables and views, whoever made them.
SELECT table_name, 'TABLE' FROM duckdb_tables()
WHERE database_name = current_database() AND schema_name = 'main'
UNION ALL
SELECT view_name, 'VIEW' FROM duckdb_views()
WHERE database_name = current_database() AND schema_name = 'main' AND NOT internal

-- name: indexes
SELECT index_name, table_name, sql FROM duckdb_indexes()
WHERE database_name = current_database() AND schema_name = 'main' ORDER BY index_name

-- name: columns
SELECT column_name FROM duckdb_columns()
WHERE database_name = current_database() AND schema_name = 'main' AND table_name = ?

-- name: drop_index
DROP INDEX {name}

-- name: create_index
CREATE {kind} {name} ON {table} {columns}

-- name: load_indexes
-- Finds nothing, and has DuckDB load the indexes of a table. DuckDB 2.0 loads them when they are
-- first looked at; after the table was renamed, in the same transaction, it looks for the old name.
SELECT 1 FROM {name} WHERE rowid < 0

-- name: rename
ALTER {kind} {name} RENAME TO {kept}

-- name: row_count
SELECT count(*) FROM {kept}

-- name: is_json
-- Whether a text is JSON. DuckDB also takes NaN, Infinity and a comma too many for such: these are
-- looked for outside of the text's strings.
json_valid({text})
AND NOT regexp_matches(regexp_replace({text}, '"(\\.|[^"\\])*"', '""', 'g'), '(?i)nan|inf|,\s*[}}\]]')

-- name: is_moment
-- Whether a time can be read by Python.
isfinite({time}) AND year({time}) BETWEEN 1 AND 9999

-- name: take_over_llm_interaction_log
-- Calls of a step, numbered in the order in which they were made. That tool noted the model and the
-- tokens with the step: the tokens of a single call are not known.
INSERT INTO llm_interaction_log (
    game_id, agent_id, iteration_number, attempt_number, llm_model, system_prompt, user_prompt,
    raw_response, parsed_policy_json, parsing_error, llm_reasoning, llm_latency_seconds,
    request_timestamp, response_timestamp
)
SELECT
    game_id, agent_id, iteration_number, numbered.attempt_number, step.llm_model,
    call.system_prompt::VARCHAR, call.user_prompt::VARCHAR, call.raw_response::VARCHAR,
    call.parsed_policy_json::VARCHAR, call.parsing_error::VARCHAR, call.llm_reasoning::VARCHAR,
    epoch(numbered.response_timestamp - numbered.request_timestamp),
    numbered.request_timestamp, numbered.response_timestamp
FROM {kept} AS call
JOIN (
    SELECT
        rowid AS position,
        TRY_CAST(request_timestamp AS TIMESTAMP) AS request_timestamp,
        TRY_CAST(response_timestamp AS TIMESTAMP) AS response_timestamp,
        row_number() OVER (
            PARTITION BY game_id, agent_id, iteration_number ORDER BY request_timestamp, rowid
        ) AS attempt_number
    FROM {kept}
) AS numbered ON numbered.position = call.rowid
JOIN policy_iterations AS step USING (game_id, agent_id, iteration_number)
SEMI JOIN game_sessions USING (game_id)
WHERE game_id <> '' AND agent_id <> '' AND iteration_number >= 1
  AND call.system_prompt IS NOT NULL AND call.user_prompt IS NOT NULL
  AND {request_timestamp_is_moment} AND {response_timestamp_is_moment}
  AND numbered.response_timestamp >= numbered.request_timestamp
  AND (call.parsed_policy_json IS NULL OR {parsed_policy_json_is_json})

-- name: take_over_iteration_context
-- Every column but the breakdown of costs and the rest of what was shown, which it did not keep.
INSERT INTO iteration_context (
    game_id, agent_id, iteration_number, num_samples, cost_mean, cost_std, settlement_rate_mean,
    cost_breakdown_json, best_seed, best_seed_cost, best_seed_verbose_output, worst_seed,
    worst_seed_cost, worst_seed_verbose_output, context_json, omissions_json
)
SELECT * FROM (
    SELECT
        game_id, agent_id, iteration_number,
        TRY_CAST(num_samples AS INTEGER) AS num_samples,
        TRY_CAST(cost_mean AS DOUBLE) AS cost_mean,
        TRY_CAST(cost_std AS DOUBLE) AS cost_std,
        TRY_CAST(settlement_rate_mean AS DOUBLE) AS settlement_rate_mean,
        '{{}}',
        TRY_CAST(best_seed AS BIGINT) AS best_seed,
        TRY_CAST(best_seed_cost AS DOUBLE) AS best_seed_cost,
        best_seed_verbose_output::VARCHAR,
        TRY_CAST(worst_seed AS BIGINT) AS worst_seed,
        TRY_CAST(worst_seed_cost AS DOUBLE) AS worst_seed_cost,
        worst_seed_verbose_output::VARCHAR,
        '{{}}', '[]'
    FROM {kept}
    SEMI JOIN policy_iterations USING (game_id, agent_id, iteration_number)
    SEMI JOIN game_sessions USING (game_id)
)
WHERE game_id <> '' AND agent_id <> '' AND iteration_number >= 1 AND num_samples >= 1
  AND isfinite(cost_mean) AND isfinite(cost_std) AND cost_std >= 0
  AND settlement_rate_mean BETWEEN 0 AND 1
  AND best_seed IS NOT NULL AND isfinite(best_seed_cost)
  AND worst_seed IS NOT NULL AND isfinite(worst_seed_cost)

-- name: take_over_policy_diffs
-- That tool named the changed parameters in an array, and did not tell one collateral tree from the
-- other; which trees changed, the two policies of the step tell. Where they tell otherwise than the
-- row does, the row stays.
INSERT INTO policy_diffs (
    game_id, agent_id, iteration_number, diff_summary, parameter_changes_json, tree_changes_json,
    payment_tree_changed, bank_tree_changed, strategic_collateral_tree_changed,
    end_of_tick_collateral_tree_changed
)
WITH steps AS (
    SELECT
        game_id, agent_id, iteration_number, tree,
        json_extract(old_policy, '$.' || tree) AS old, json_extract(new_policy, '$.' || tree) AS new
    FROM (
        SELECT
            game_id, agent_id, iteration_number,
            CASE WHEN {old_policy_json_is_json} THEN old_policy_json END AS old_policy,
            CASE WHEN {new_policy_json_is_json} THEN new_policy_json END AS new_policy
        FROM policy_iterations AS step
    ), unnest([
        'payment_tree', 'bank_tree', 'strategic_collateral_tree', 'end_of_tick_collateral_tree'
    ]) AS trees (tree)
    WHERE old_policy IS NOT NULL AND new_policy IS NOT NULL
), changes AS (
    SELECT
        game_id, agent_id, iteration_number,
        coalesce(
            to_json(map_from_entries(
                list((tree, json_object('old', old, 'new', new)))
                    FILTER (old::VARCHAR IS DISTINCT FROM new::VARCHAR)
            )),
            '{{}}'
        )::VARCHAR AS tree_changes_json,
        coalesce(list(tree) FILTER (old::VARCHAR IS DISTINCT FROM new::VARCHAR), []) AS changed
    FROM steps GROUP BY ALL
), parameters AS (
    SELECT
        game_id, agent_id, iteration_number, diff.diff_summary::VARCHAR AS diff_summary,
        diff.payment_tree_changed, diff.collateral_tree_changed,
        coalesce(CASE WHEN {parameter_changes_json_is_json} THEN diff.parameter_changes_json END, '[]')
            AS changes_json
    FROM {kept} AS diff
    WHERE diff.parameter_changes_json IS NULL OR {parameter_changes_json_is_json}
)
SELECT
    game_id, agent_id, iteration_number, diff_summary,
    coalesce((
        SELECT json_group_object(
            json_extract_string(change.value, '$.param'),
            json_object(
                'old', json_extract(change.value, '$.old'),
                'new', json_extract(change.value, '$.new')
            )
        )
        FROM json_each(parameters.changes_json) AS change
    ), '{{}}')::VARCHAR,
    tree_changes_json,
    list_contains(changed, 'payment_tree'),
    list_contains(changed, 'bank_tree'),
    list_contains(changed, 'strategic_collateral_tree'),
    list_contains(changed, 'end_of_tick_collateral_tree')
FROM parameters
JOIN changes USING (game_id, agent_id, iteration_number)
SEMI JOIN game_sessions USING (game_id)
WHERE game_id <> '' AND agent_id <> '' AND iteration_number >= 1 AND diff_summary IS NOT NULL
  AND json_type(changes_json) = 'ARRAY'
  AND payment_tree_changed = list_contains(changed, 'payment_tree')
  AND collateral_tree_changed = list_has_any(
      changed, ['strategic_collateral_tree', 'end_of_tick_collateral_tree']
  )
