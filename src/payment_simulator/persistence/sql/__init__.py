"""The schema, its migrations, and the queries of the persistence floor."""
