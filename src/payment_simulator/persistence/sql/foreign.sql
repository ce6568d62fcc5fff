-- What a file holds, asked before anything in it is evaluated. Run on a connection whose search
-- path leads past the file, and every name is given in full: what the file calls itself cannot
-- stand in for any of it. Flags such as "internal" stand in the file, so none is relied on.

-- name: leave_the_file
-- From here on, names are looked up in the connection's own empty catalog and in DuckDB's.
SET search_path = 'temp.main'

-- name: databases
SELECT database_name, path FROM system.main.duckdb_databases()
WHERE database_name <> 'system' AND database_name <> 'temp'

-- name: things_that_run
-- Whatever DuckDB would run in the course of a read or a write, and what a record has no use for.
SELECT 'macro' AS kind, function_name AS name, NULL AS definition
FROM system.main.duckdb_functions() WHERE database_name = $1
UNION ALL
SELECT 'view', view_name, sql FROM system.main.duckdb_views() WHERE database_name = $1
UNION ALL
SELECT 'trigger', trigger_name, NULL FROM system.main.duckdb_triggers() WHERE database_name = $1
UNION ALL
SELECT 'sequence', sequence_name, NULL FROM system.main.duckdb_sequences() WHERE database_name = $1
UNION ALL
SELECT 'type', type_name, NULL FROM system.main.duckdb_types()
WHERE database_name = $1 AND NOT internal
UNION ALL
SELECT 'schema', schema_name, NULL FROM system.main.duckdb_schemas()
WHERE database_name = $1 AND schema_name <> 'main'
ORDER BY 1, 2

-- name: expressions
-- What DuckDB would calculate for a table. To list columns, it looks into views: so not before
-- those are known to be this package's.
SELECT 'generated column' AS kind, table_name, column_name AS name, generation_expression AS text
FROM system.main.duckdb_columns() WHERE database_name = $1 AND is_generated
UNION ALL
SELECT 'default', table_name, column_name, column_default
FROM system.main.duckdb_columns() WHERE database_name = $1 AND column_default IS NOT NULL AND NOT is_generated
UNION ALL
SELECT 'check', table_name, constraint_text, expression
FROM system.main.duckdb_constraints() WHERE database_name = $1 AND constraint_type = 'CHECK'
UNION ALL
SELECT 'index', table_name, index_name, expressions
FROM system.main.duckdb_indexes() WHERE database_name = $1
ORDER BY 1, 2, 3

-- name: as_trees
-- The parts of queries, without looking anything up that they name.
SELECT text, system.main.json_serialize_sql(text) FROM (SELECT unnest($1::VARCHAR[]) AS text)

-- name: as_tree
-- The parts of one query.
SELECT system.main.json_serialize_sql($1)

-- name: as_written
-- Queries as this DuckDB writes them.
SELECT system.main.json_deserialize_sql(system.main.json_serialize_sql(text))
FROM (SELECT unnest($1::VARCHAR[]) AS text)
