"""The schema and the queries of the persistence floor."""
