"""The simulator's process, the only place that knows moto. It answers frames and nothing else: no socket, no store."""
