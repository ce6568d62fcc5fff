"""Results: tables, figures, comparisons and reports, from the record alone."""
