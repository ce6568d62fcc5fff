"""DuckDB: open, set up, transact. This floor knows nothing of games."""
