"""DuckDB: open, migrate, transact. This floor knows nothing of games."""
