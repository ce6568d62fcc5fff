-- The digest of games. docs/reference/digest.md defines it; what is written here is that definition,
-- so a change of any text in quotation marks is another version of the digest.
-- Words in braces are names of this package's own. $1 are the games.

-- name: rows_of_games
-- Each row of each table that belongs to one of the games, as its hash. Hashes are plain letters and
-- digits, so their order is that of their bytes.
WITH asked AS (SELECT unnest($1::VARCHAR[]) AS game_id)
{tables}
ORDER BY row_sha256

-- name: rows_of_table
-- concat() passes over what is NULL, as the definition does.
SELECT owner.game_id, '{table}' AS table_name, sha256(concat('{table}', chr(10), {fields})) AS row_sha256
FROM {table} AS t JOIN {owners}

-- name: size_of_games
-- How many rows the games have.
WITH asked AS (SELECT unnest($1::VARCHAR[]) AS game_id)
SELECT count(*) FROM ({tables})

-- name: size_of_table
SELECT 1 FROM {table} AS t JOIN {owners}

-- name: owners_by_game
asked AS owner ON owner.game_id = t.game_id

-- name: owners_by_run
(SELECT asked.game_id, r.run_id FROM asked JOIN simulation_runs AS r ON r.game_id = asked.game_id)
    AS owner ON owner.run_id = t.run_id

-- name: owners_of_superseded
-- The first value of a superseded row's key is the game or the run.
(
    SELECT game_id, to_json(game_id)::VARCHAR AS first_value, false AS is_run FROM asked
    UNION ALL
    SELECT asked.game_id, to_json(r.run_id)::VARCHAR, true
    FROM asked JOIN simulation_runs AS r ON r.game_id = asked.game_id
) AS owner
    ON owner.first_value
        = CASE WHEN json_valid(t.record_key) THEN (t.record_key::JSON -> '$[0]')::VARCHAR END
    AND t.table_name IN ({game_tables}, {run_tables})
    AND owner.is_run = (t.table_name IN ({run_tables}))

-- name: field
'{column} ' || {value} || chr(10)

-- name: value_of_VARCHAR
CASE
    WHEN strlen(t.{column}) <= 64 THEN 's' || strlen(t.{column}) || ':' || t.{column}
    ELSE 'h' || sha256(t.{column})
END

-- name: value_of_INTEGER
'i' || t.{column}

-- name: value_of_BIGINT
'i' || t.{column}

-- name: value_of_DOUBLE
-- The 64 bits, the sign first.
'd' || lower(hex(t.{column}::BIT::BLOB))

-- name: value_of_BOOLEAN
'b' || t.{column}::INTEGER

-- name: value_of_TIMESTAMP
-- Infinite times, which no record writes, have no microseconds.
't' || coalesce(epoch_us(t.{column})::VARCHAR, t.{column}::VARCHAR)
