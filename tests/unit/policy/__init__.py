"""Tests of policies: tables, checks, forms, library, pictures, differences."""
