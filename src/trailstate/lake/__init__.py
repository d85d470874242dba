"""Evidence becomes tables: sealed segments of records, found quickly and questioned in SQL."""
