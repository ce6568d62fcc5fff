-- The ledger of versions, and what was replaced by saving again. A file that was taken on from the
-- first tool may lack its indexes, so they are made here if need be.

CREATE INDEX IF NOT EXISTS idx_game_status ON game_sessions (status);
CREATE INDEX IF NOT EXISTS idx_game_started_at ON game_sessions (started_at);
CREATE INDEX IF NOT EXISTS idx_iter_game ON policy_iterations (game_id);
CREATE INDEX IF NOT EXISTS idx_iter_agent ON policy_iterations (game_id, agent_id);

CREATE TABLE schema_ledger (
    version INTEGER PRIMARY KEY,
    name VARCHAR NOT NULL,
    sha256 VARCHAR NOT NULL,
    applied_at TIMESTAMP NOT NULL,
    package_version VARCHAR NOT NULL
);

CREATE TABLE superseded_records (
    table_name VARCHAR NOT NULL,
    record_key VARCHAR NOT NULL,  -- JSON array of the key's values
    revision INTEGER NOT NULL,
    record_json VARCHAR NOT NULL,
    superseded_at TIMESTAMP NOT NULL,
    PRIMARY KEY (table_name, record_key, revision)
);
