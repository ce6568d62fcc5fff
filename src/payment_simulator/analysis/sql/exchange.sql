-- Export and import of whole games. Words in braces are names of this package's own; {source} is
-- nothing, or the name of a record that is attached, with a point. $1 are the games.

-- name: of_game
-- Condition on the rows of a table whose rows name their game.
t.game_id IN (SELECT unnest($1::VARCHAR[]))

-- name: of_run
-- Condition on the rows of a table whose rows name their run.
t.run_id IN (
    SELECT r.run_id FROM {source}simulation_runs AS r
    WHERE r.game_id IN (SELECT unnest($1::VARCHAR[]))
)

-- name: of_superseded
-- Condition on superseded rows: the first value of their key is the game or the run.
CASE
    WHEN NOT json_valid(t.record_key) THEN false
    WHEN t.table_name IN ({game_tables}) THEN (t.record_key::JSON -> '$[0]')::VARCHAR IN (
        SELECT to_json(g.id)::VARCHAR FROM (SELECT unnest($1::VARCHAR[]) AS id) AS g
    )
    WHEN t.table_name IN ({run_tables}) THEN (t.record_key::JSON -> '$[0]')::VARCHAR IN (
        SELECT to_json(r.run_id)::VARCHAR FROM {source}simulation_runs AS r
        WHERE r.game_id IN (SELECT unnest($1::VARCHAR[]))
    )
    ELSE false
END

-- name: of_text
-- Condition on texts and their pieces: a row of the games names them.
t.sha256 IN (SELECT digest FROM ({named}) AS digests(digest) WHERE digest IS NOT NULL)

-- name: named_texts
SELECT t.{column} FROM {source}{table} AS t WHERE {belongs}

-- name: named_before
-- Texts of rows that others took the place of.
SELECT unnest(json_extract_string(t.record_json, {paths})) FROM {source}superseded_records AS t
WHERE {belongs} AND json_valid(t.record_json)

-- name: selected
-- The rows of a table that belong to games, in the order in which they lie.
SELECT {columns} FROM {source}{table} AS t WHERE {belongs}

-- name: stretch
-- The same, of a stretch of the table: from row $2 on, before row $3.
SELECT {columns} FROM {source}{table} AS t
WHERE {belongs} AND t.rowid >= $2 AND t.rowid < $3 ORDER BY t.rowid

-- name: where_it_lies
-- First and last row that belong to games, how many there are, and the bytes of the longest.
SELECT min(t.rowid), max(t.rowid), count(*), coalesce(max({bytes}), 0)
FROM {source}{table} AS t WHERE {belongs}

-- name: count_all
SELECT count(*) FROM {source}{table}

-- name: copy_out
COPY ({query}) TO {path} ({options})

-- name: game_ids
SELECT game_id FROM {source}game_sessions ORDER BY game_id

-- name: final_policies
-- The policy in force after the last step of each agent.
SELECT agent_id,
       arg_max(CASE WHEN was_accepted THEN new_policy_json ELSE old_policy_json END,
               iteration_number)
FROM policy_iterations WHERE game_id = ? GROUP BY agent_id ORDER BY agent_id

-- name: best_policies
-- Of each agent the accepted policy of least cost, the earliest of equals.
SELECT agent_id, new_policy_json FROM policy_iterations
WHERE game_id = ? AND was_accepted
QUALIFY row_number() OVER (PARTITION BY agent_id ORDER BY new_cost, iteration_number) = 1
ORDER BY agent_id

-- name: first_difference
-- Key of a row that two records do not both have alike. Rows are compared as JSON text, in which
-- two numbers are the same only when their bits are.
SELECT {key}
FROM (SELECT {key}, json_array({columns})::VARCHAR AS row_text FROM ({ours})) AS a
FULL JOIN (SELECT {key}, json_array({columns})::VARCHAR AS row_text FROM ({theirs})) AS b
USING ({key})
WHERE a.row_text IS DISTINCT FROM b.row_text
LIMIT 1

-- name: taken_run
-- A run of the games that the record has already, for another game.
SELECT t.run_id FROM {source}simulation_runs AS t
WHERE t.game_id IN (SELECT unnest($1::VARCHAR[]))
  AND t.run_id IN (SELECT run_id FROM simulation_runs)
ORDER BY 1 LIMIT 1

-- name: add_rows
INSERT INTO {table} ({columns}) {query}

-- name: add_text_rows
-- Of texts and pieces only those whose texts are not there.
INSERT INTO {table} ({columns})
SELECT {columns} FROM ({query}) WHERE sha256 NOT IN (SELECT sha256 FROM texts)

-- name: attach
ATTACH {path} AS {alias} (READ_ONLY)

-- name: detach
DETACH {alias}

-- name: columns_of_file
SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM {reader})

-- name: take_in
-- A file as a table, rows in the order of the file.
CREATE OR REPLACE TABLE scratch.raw AS SELECT {columns} FROM {reader}

-- name: odd_keys
-- A line of JSON whose keys are not the columns in their order.
SELECT 1 FROM {reader} AS lines WHERE json_keys(lines.json) <> $2::VARCHAR[] LIMIT 1

-- name: raw_size
-- How many rows there are, and the bytes of the longest.
SELECT count(*), coalesce(max({bytes}), 0) FROM scratch.raw

-- name: first_odd
-- The first row with a value that is not written as its column's type is.
SELECT {columns} FROM scratch.raw WHERE {odd} ORDER BY rowid LIMIT 1

-- name: raw_stretch
SELECT {values} FROM scratch.raw WHERE rowid >= ? AND rowid < ? ORDER BY rowid

-- name: guarded
-- A text as a cell of a CSV file: an apostrophe before what a spreadsheet takes for a formula. The
-- rule is spreadsheet_text() of wording.py.
CASE WHEN regexp_matches({column}, '{formula}') THEN '''' || {column} ELSE {column} END

-- name: unguarded
-- The text of such a cell.
CASE WHEN starts_with({column}, '''') AND regexp_matches({column}, '{formula}')
     THEN substring({column}, 2) ELSE {column} END
