"""Statements of those who want more than an answer: files, networks, settings, catalogues, other people's tables.

Every one must be refused before an engine sees it. `{file}` is a file with a secret in it, `{url}` a listener.
"""

from collections.abc import Iterator

READERS = (
    *("read_csv", "read_csv_auto", "read_text", "read_blob", "read_json", "read_json_auto", "read_json_objects"),
    *("read_ndjson", "read_ndjson_auto", "read_ndjson_objects", "read_parquet", "parquet_scan", "parquet_metadata"),
    *("parquet_schema", "parquet_file_metadata", "parquet_kv_metadata", "parquet_bloom_probe", "sniff_csv", "glob"),
    *("sqlite_scan", "postgres_scan", "iceberg_scan", "delta_scan", "read_xlsx", "st_read", "arrow_scan"),
)
PLACES = ("{file}", "{url}/x", "file://{file}", "s3://other/secret")

FUNCTIONS = (
    *("getenv('HOME')", "current_setting('secret_directory')", "set_config('a', 'b', true)", "getvariable('x')"),
    *("query('SELECT 1')", "query_table('cloudtrail')", "json_execute_serialized_sql('x')", "json_serialize_sql('x')"),
    *(
        "sleep_ms(100000)",
        "pg_sleep(10)",
        "version()",
        "pg_typeof(1)",
        "txid_current()",
        "nextval('s')",
        "currval('s')",
    ),
    *("current_database()", "current_schema()", "current_schemas(true)", "current_catalog()", "current_query()"),
    *("write_log('x')", "error('x')", "stats(1)", "in_search_path('a', 'b')", "add_parquet_key('a', 'b')"),
    *("load_extension('x')", "pg_read_file('{file}')", "lo_import('{file}')", "xp_cmdshell('id')", "sys_exec('id')"),
    *("repeat('x', 4000000000)", "range(10000000000)", "printf('%1000000000d', 1)", "format('{{:>999999999}}', 1)"),
    *("has_table_privilege('x', 'y')", "pg_get_viewdef('x')", "pg_conf_load_time()", "obj_description(1, 'x')"),
)

TABLE_FUNCTIONS = (
    *("duckdb_settings", "duckdb_secrets", "duckdb_tables", "duckdb_views", "duckdb_columns", "duckdb_databases"),
    *(
        "duckdb_functions",
        "duckdb_extensions",
        "duckdb_memory",
        "duckdb_temporary_files",
        "duckdb_logs",
        "duckdb_types",
    ),
    *("duckdb_variables", "duckdb_optimizers", "pragma_database_list", "pragma_show_tables", "pragma_version"),
    *("pragma_storage_info", "test_all_types", "repeat_row", "checkpoint", "force_checkpoint", "which_secret"),
)

TABLES = (
    *("information_schema.tables", "information_schema.schemata", "pg_catalog.pg_class", "pg_catalog.pg_settings"),
    *("sqlite_master", "duckdb_tables", "system.runtime.queries", "memory.main.cloudtrail", "temp.main.x", "journal"),
    *('"default.cloudtrail"', "main.journal", '"journal"', "main.verdicts", "other.cloudtrail", "secrets", "hive.a.b"),
    *('"{file}"', "'{file}'", "'{url}/x.parquet'", '"*.parquet"', "`{file}`", "awsdatacatalog.other.cloudtrail"),
)

STATEMENTS = (
    *(
        "COPY cloudtrail TO '{file}.out'",
        "COPY (SELECT 1) TO '{url}/x'",
        "COPY x FROM '{file}'",
        "EXPORT DATABASE '/tmp/x'",
    ),
    *(
        "IMPORT DATABASE '/tmp/x'",
        "INSTALL httpfs",
        "FORCE INSTALL httpfs FROM '{url}'",
        "LOAD httpfs",
        "LOAD '{file}'",
    ),
    *("ATTACH '{file}' AS x", "ATTACH '{url}/x.db'", "DETACH memory", "USE memory", "CHECKPOINT", "VACUUM", "ANALYZE"),
    *("SET memory_limit = '99GB'", "SET enable_external_access = true", "SET GLOBAL threads = 999", "SET schema = 'x'"),
    *(
        "SET VARIABLE x = 1",
        "RESET memory_limit",
        "RESET ALL",
        "PRAGMA database_list",
        "PRAGMA version",
        "SET TIME ZONE 'x'",
    ),
    *("SET SESSION AUTHORIZATION x", "SET ROLE x", "PRAGMA memory_limit='1TB'", "PRAGMA enable_profiling"),
    *("INSERT INTO cloudtrail SELECT 1", "UPDATE cloudtrail SET eventname = 'x'", "DELETE FROM cloudtrail"),
    *(
        "TRUNCATE TABLE cloudtrail",
        "MERGE INTO cloudtrail USING x ON 1 = 1 WHEN MATCHED THEN DELETE",
        "DROP SCHEMA main",
    ),
    *("CREATE TABLE x AS SELECT 1", "CREATE TEMP TABLE x (a INT)", "CREATE MACRO f(a) AS a", "CREATE SECRET (TYPE s3)"),
    *(
        "CREATE FUNCTION f() AS 1",
        "CREATE SEQUENCE s",
        "CREATE TYPE t AS ENUM ('a')",
        "CREATE INDEX i ON cloudtrail (a)",
    ),
    *("ALTER TABLE cloudtrail RENAME TO x", "ALTER TABLE cloudtrail ADD COLUMN x INT", "COMMENT ON TABLE x IS 'y'"),
    *("WITH d AS (DELETE FROM cloudtrail RETURNING *) SELECT * FROM d", "SELECT 1 INTO OUTFILE '{file}'", "KILL 1"),
    *("WITH d AS (INSERT INTO x VALUES (1) RETURNING *) SELECT * FROM d", "SELECT * INTO x FROM cloudtrail"),
    *(
        "WITH d AS (UPDATE x SET a = 1 RETURNING *) SELECT * FROM d",
        "UNLOAD (SELECT 1) TO 's3://x'",
        "GRANT ALL ON x TO y",
    ),
    *("BEGIN", "COMMIT", "ROLLBACK", "PREPARE p AS SELECT 1", "EXECUTE p", "DEALLOCATE p", "CALL pragma_version()"),
    *(
        "EXPLAIN SELECT 1",
        "EXPLAIN ANALYZE SELECT 1",
        "SUMMARIZE cloudtrail",
        "PIVOT cloudtrail ON eventname",
        "REVOKE x",
    ),
    *("UNPIVOT cloudtrail ON a, b", "FROM read_csv('{file}')", "SHOW ALL TABLES", "SELECT FROM cloudtrail"),
    *(
        "SELECT 1; SELECT 2",
        "SELECT 1; COPY (SELECT 1) TO '{file}.out'",
        "SELECT 1;;DROP TABLE x",
        "DO $$ BEGIN END $$",
    ),
    *("SELECT COLUMNS('.*') FROM cloudtrail", "SELECT ?", "SELECT $1", "SELECT @x", "SELECT @@version", "LISTEN x", ""),
    *(
        "/* nothing */",
        "-- nothing",
        "\x00",
        "SELECT \x00",
        "SELECT * FROM cloudtrail AT (VERSION => 1)",
        "SELECT 1 FORMAT x",
    ),
)

PAYLOADS = ("read_text('{file}')", "getenv('HOME')", "query('SELECT 1')")
DRESSES = (
    "SELECT /* x */ {payload}",
    "SELECT\n--\n{payload}",
    "SELECT (SELECT {payload})",
    "SELECT * FROM (SELECT {payload}) t",
    "WITH t AS (SELECT {payload} x) SELECT x FROM t",
    "SELECT 1 UNION ALL SELECT {payload}",
    "SELECT CASE WHEN true THEN {payload} END",
    "SELECT transform(ARRAY[1], x -> {payload})",
    "SELECT 1 ORDER BY {payload}",
    "SELECT 1 WHERE EXISTS (SELECT {payload})",
    "SELECT count(*) FILTER (WHERE {payload} IS NULL) FROM cloudtrail",
    "SELECT row_number() OVER (PARTITION BY {payload}) FROM cloudtrail",
    "SELECT try({payload})",
    "SELECT CAST({payload} AS varchar)",
    "SELECT 1 GROUP BY {payload} HAVING {payload} = 'x'",
    "SELECT * FROM cloudtrail a JOIN cloudtrail b ON a.eventid = {payload}",
    "SELECT * FROM (VALUES ({payload})) t(x)",
    "SELECT coalesce(NULL, {payload}, 'x') LIMIT 1",
    "SELECT * FROM cloudtrail CROSS JOIN UNNEST(ARRAY[{payload}]) t(x)",
    "SELECT * FROM cloudtrail, LATERAL (SELECT {payload}) t",
    "SELECT main.{payload}",
    "SELECT system.main.{payload}",
    'SELECT eventname AS "a", {payload} "b" FROM cloudtrail WHERE eventname IN (\'x\', {payload})',
)


def statements(file: str, url: str) -> Iterator[str]:
    """Every hostile statement, with a file and a listener to reach for."""
    templates = [
        *(f"SELECT * FROM {reader}('{place}')" for reader in READERS for place in PLACES),
        *(f"SELECT {function}" for function in FUNCTIONS),
        *(f"SELECT * FROM {function}()" for function in TABLE_FUNCTIONS),
        *(f"SELECT * FROM {table}" for table in TABLES),
        *STATEMENTS,
        *(dress.replace("{payload}", payload) for dress in DRESSES for payload in PAYLOADS),
    ]
    for template in dict.fromkeys(templates):
        yield template.replace("{file}", file).replace("{url}", url).replace("{{", "{").replace("}}", "}")
