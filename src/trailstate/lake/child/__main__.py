"""`python -m trailstate.lake.child SOCKET`: one session of DuckDB for one query, locked, then gone.

The process runs in the sandbox: it sees the segments read-only and has no network. Inside, the engine is locked too, in
this order: limits, extensions, the allowed directories, then no more external access, then no more settings.
"""

import socket
import sys
from typing import Any

import msgspec

from trailstate.lake.session import Order, Told, read_frame, write_frame


def main() -> None:
    line = socket.socket(fileno=int(sys.argv[1]))
    stream: Any = line.makefile("rwb")
    import duckdb
    import pyarrow as pa

    write_frame(stream, msgspec.json.encode(Told()))
    frame = read_frame(stream)
    if frame is None:
        return
    order = msgspec.json.decode(frame, type=Order)
    try:
        reader = _run(duckdb, order)
        write_frame(stream, msgspec.json.encode(Told()))
        with pa.ipc.new_stream(stream, reader.schema) as writer:
            for batch in reader:
                writer.write_batch(batch)
        stream.flush()
    except duckdb.Error as error:
        write_frame(stream, msgspec.json.encode(Told(error=str(error), kind=type(error).__name__)))


def _run(duckdb: Any, order: Order) -> Any:
    connection = duckdb.connect(":memory:")
    for statement in order.settings:
        connection.execute(statement)
    for statement in order.before:
        connection.execute(statement)
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection.execute(order.query).to_arrow_reader(order.batch_rows)


main()
