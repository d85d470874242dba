"""The engine's own process: it holds a query's data and nothing else of the house."""
