-- Whole tables. Words in braces are table and column names from this package's own code; every value
-- is bound.

-- name: all_rows
SELECT {columns} FROM {table} ORDER BY {key}

-- name: chosen_rows
SELECT {columns} FROM {table} WHERE {by} IN ({marks}) ORDER BY {key}

-- name: run_ids
SELECT run_id FROM simulation_runs ORDER BY run_id
