-- Queries of the persistence floor. Words in braces are table and column names from this
-- package's own code; every value is bound.

-- name: table_columns
-- Every table of this database with its columns in order.
SELECT table_name, column_name, data_type
FROM duckdb_columns()
WHERE database_name = current_database() AND schema_name = 'main' AND NOT internal
  AND table_name IN (
      SELECT table_name FROM duckdb_tables() WHERE database_name = current_database()
  )
ORDER BY table_name, column_index

-- name: names
-- Every table and view of this database.
SELECT table_name FROM duckdb_tables()
WHERE database_name = current_database() AND schema_name = 'main'
UNION ALL
SELECT view_name FROM duckdb_views()
WHERE database_name = current_database() AND schema_name = 'main' AND NOT internal

-- name: views
-- Views with the names of their columns.
SELECT table_name, string_agg(column_name, ', ' ORDER BY column_index) FROM duckdb_columns()
WHERE database_name = current_database() AND schema_name = 'main' AND NOT internal
  AND table_name IN (
      SELECT view_name FROM duckdb_views()
      WHERE database_name = current_database() AND NOT internal
  )
GROUP BY table_name ORDER BY table_name

-- name: other_things
-- What else a database can hold: an empty one holds none of it.
SELECT view_name FROM duckdb_views() WHERE database_name = current_database() AND NOT internal
UNION ALL
SELECT sequence_name FROM duckdb_sequences() WHERE database_name = current_database()
UNION ALL
SELECT type_name FROM duckdb_types() WHERE database_name = current_database() AND NOT internal
UNION ALL
SELECT function_name FROM duckdb_functions()
WHERE database_name = current_database() AND NOT internal
UNION ALL
SELECT schema_name FROM duckdb_schemas()
WHERE database_name = current_database() AND NOT internal AND schema_name <> 'main'
UNION ALL
SELECT table_name FROM duckdb_tables()
WHERE database_name = current_database() AND schema_name <> 'main'

-- name: is_untouched
-- Whether a file has no block and nothing in its log: a thing of each kind takes 30 ms to look for.
SELECT total_blocks = 0 AND wal_size = '0 bytes' FROM pragma_database_size()
WHERE database_name = current_database()

-- name: ledger_head
-- The schema that the file's tables were made with, and the package version that made them.
SELECT version, sha256, package_version FROM schema_ledger ORDER BY version DESC LIMIT 1

-- name: all_tables
-- Tables of this database by schema, whoever made them.
SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = current_database()

-- name: storage_of_table
-- Where every piece of a table lies: to tell it, DuckDB reads all metadata of the table.
SELECT count(*) FROM pragma_storage_info('{table}')

-- name: enter_schema
INSERT INTO schema_ledger (version, sha256, applied_at, package_version) VALUES (?, ?, ?, ?)

-- name: is_read_only
SELECT readonly FROM duckdb_databases() WHERE database_name = current_database()

-- name: spill_folder
-- The one folder in which the database may make files.
SELECT current_setting('temp_directory')

-- name: attach_copy
-- Writable even where the database itself is open for reading only.
ATTACH {path} AS {alias} (READ_WRITE, STORAGE_VERSION {version})

-- name: copy_into
COPY FROM DATABASE {source} TO {alias}

-- name: finish_copy
-- Detaching it does not, in a process that decides itself when a log is written into its file.
CHECKPOINT {alias}

-- name: detach_copy
DETACH {alias}

-- name: insert_row
INSERT INTO {table} ({columns}) VALUES ({marks})

-- name: insert_row_of_parent
-- One row, if what it belongs to is there: existence and insertion in one statement, because a
-- second statement would cost as much as the first.
INSERT INTO {table} ({columns})
SELECT {marks} WHERE EXISTS (SELECT 1 FROM {parent} WHERE {parent_key} = ?)

-- name: parent_exists
SELECT 1 FROM {parent} WHERE {parent_key} = ?

-- name: row_by_key
SELECT {columns} FROM {table} WHERE {key_is_given}

-- name: incoming_types
-- Names and types of a batch that came as Arrow.
SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM incoming)

-- name: incoming_refused
SELECT 1 FROM incoming WHERE {refusal} LIMIT 1

-- name: incoming_duplicate
-- A key that stands twice in the batch.
SELECT {key} FROM incoming GROUP BY {key} HAVING count(*) > 1 ORDER BY {key} LIMIT 1

-- name: incoming_orphan
-- Something that the batch belongs to and that is not there.
SELECT DISTINCT {child_key} FROM incoming
WHERE {child_key} IS NOT NULL
  AND {child_key} NOT IN (SELECT {parent_key} FROM {parent})
ORDER BY 1 LIMIT 1

-- name: incoming_collides
SELECT 1 FROM {table} SEMI JOIN incoming USING ({key}) LIMIT 1

-- name: insert_incoming
INSERT INTO {table} ({columns}) SELECT {columns} FROM incoming

-- name: supersede_changed
-- Keep every stored row that the batch is about to replace by a different one. Rows are compared
-- as JSON text, in which two doubles are the same only when their bits are.
INSERT INTO superseded_records (table_name, record_key, revision, record_json, superseded_at)
SELECT ?, kept.record_key,
       1 + coalesce((
           SELECT max(s.revision) FROM superseded_records AS s
           WHERE s.table_name = ? AND s.record_key = kept.record_key), 0),
       kept.record_json, ?
FROM (
    SELECT json_array({stored_key})::VARCHAR AS record_key,
           json_object({stored_pairs})::VARCHAR AS record_json
    FROM {table} AS stored JOIN incoming USING ({key})
    WHERE json_array({stored_columns})::VARCHAR <> json_array({incoming_columns})::VARCHAR
) AS kept

-- name: loosen_zeros
-- DuckDB leaves out an update by an equal value, and 0.0 equals -0.0. Where the sign of a zero is
-- to change, another value goes in between.
UPDATE {table} SET {ones} FROM incoming
WHERE {same_key} AND ({sign_differs})

-- name: upsert_incoming
-- Rows that are the same already are left alone.
INSERT INTO {table} ({columns})
SELECT {columns} FROM incoming
ANTI JOIN (
    SELECT {key} FROM {table} AS stored JOIN incoming USING ({key})
    WHERE json_array({stored_columns})::VARCHAR = json_array({incoming_columns})::VARCHAR
) AS same USING ({key})
ON CONFLICT ({key}) DO UPDATE SET {updates}

-- name: indexes
SELECT table_name, index_name, sql FROM duckdb_indexes()
WHERE database_name = current_database() ORDER BY table_name, index_name

-- name: constraints
SELECT table_name, constraint_type, constraint_text FROM duckdb_constraints()
WHERE database_name = current_database() ORDER BY ALL

-- name: row_count
SELECT count(*) FROM {table}

-- name: stored_duplicates
-- A key that stands twice would mean a damaged index.
SELECT {key}, count(*) FROM {table} GROUP BY {key} HAVING count(*) > 1 ORDER BY {key}

-- name: last_position
SELECT max(rowid) FROM {table}

-- name: rows_between
-- A stretch of a table, in the order in which it lies.
SELECT {columns} FROM {table} WHERE rowid >= ? AND rowid < ? ORDER BY rowid
