-- Long texts, each stored once under its SHA-256, in pieces of bounded length. {marks} stands for as
-- many question marks as there are values.

-- name: add_texts
-- The hashes of those that were not there. ON CONFLICT looks into the index alone, so that this
-- costs the same however many texts are stored.
INSERT INTO texts (sha256, num_bytes)
SELECT unnest(?::VARCHAR[]), unnest(?::BIGINT[])
ON CONFLICT DO NOTHING RETURNING sha256

-- name: add_pieces
INSERT INTO text_pieces (sha256, piece_number, content)
SELECT unnest(?::VARCHAR[]), unnest(?::INTEGER[]), unnest(?::VARCHAR[])

-- name: sizes
SELECT sha256, num_bytes FROM texts WHERE sha256 IN ({marks})

-- name: pieces
SELECT sha256, piece_number, content FROM text_pieces WHERE sha256 IN ({marks})

-- name: first_pieces
SELECT sha256, piece_number, content FROM text_pieces WHERE sha256 = ? AND piece_number <= ?

-- name: last_text
SELECT max(rowid) FROM texts

-- name: texts_between
SELECT sha256, num_bytes FROM texts WHERE rowid >= ? AND rowid < ? ORDER BY rowid
