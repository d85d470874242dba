"""What a query string asks for: a question, or something about tables. DDL is read here, by the few forms it has.

https://docs.aws.amazon.com/athena/latest/ug/ddl-reference.html
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from trailstate.lake import create_text
from trailstate.lake.gate import Refused, TableName
from trailstate.lake.prepared import Deallocate, Execute, Prepare, values_in
from trailstate.lake.unload import Unload, properties_in

_NAME = r"`?[A-Za-z0-9_]+`?"
_TABLE = rf"(?P<table>(?:{_NAME}\.)?{_NAME})"
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Question:
    """A query."""

    text: str


@dataclass(frozen=True, slots=True)
class CreateTable:
    """CREATE EXTERNAL TABLE."""

    name: TableName
    columns: tuple[tuple[str, str], ...]
    """Names in lower case, and types as written."""
    partitions: tuple[tuple[str, str], ...]
    location: str
    serde: str
    serde_properties: Mapping[str, str]
    input_format: str
    output_format: str
    properties: Mapping[str, str]
    if_not_exists: bool


@dataclass(frozen=True, slots=True)
class CreateView:
    name: TableName
    query: str
    or_replace: bool


@dataclass(frozen=True, slots=True)
class Show:
    """SHOW and DESCRIBE: `what` is tables, databases, columns, partitions, create table, views, tblproperties."""

    what: str
    table: TableName | None = None
    database: str = ""


@dataclass(frozen=True, slots=True)
class Drop:
    """DROP TABLE, VIEW or DATABASE."""

    what: str
    name: TableName
    if_exists: bool
    cascade: bool = False
    """With the tables in it."""


@dataclass(frozen=True, slots=True)
class CreateDatabase:
    name: str
    if_not_exists: bool
    location: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Partition:
    """One PARTITION (…) of ALTER TABLE: values by column, and where its files lie ("" : below the table)."""

    values: Mapping[str, str]
    location: str = ""


@dataclass(frozen=True, slots=True)
class AddPartitions:
    """ALTER TABLE ADD PARTITION, and MSCK REPAIR with none: what lies below the table is found without them."""

    name: TableName
    partitions: tuple[Partition, ...] = ()
    if_not_exists: bool = True


@dataclass(frozen=True, slots=True)
class DropPartitions:
    """ALTER TABLE DROP PARTITION."""

    name: TableName
    partitions: tuple[Partition, ...]
    if_exists: bool


Asking = Question | Execute | Unload
"""What has rows for an answer, and is DML."""

Defining = CreateTable | CreateView | Show | Drop | CreateDatabase | AddPartitions | DropPartitions
Statement = Asking | Defining | Prepare | Deallocate


def read(text: str, database: str) -> Statement:
    """The statement in a query string; names without a database are of `database`. Refused for DDL that has no form."""
    bare = _COMMENT.sub(" ", text).strip().rstrip(";").strip()
    for pattern, make in _FORMS:
        match = pattern.fullmatch(bare)
        if match is not None:
            return make(match, database)
    first = bare.split(None, 1)[0].upper() if bare else ""
    if first in _DDL:
        raise Refused(f"this form of {first} is not supported by Trailstate yet")
    return Question(bare)


_DDL = (
    "CREATE",
    "DROP",
    "ALTER",
    "SHOW",
    "DESCRIBE",
    "DESC",
    "MSCK",
    "UNLOAD",
    "PREPARE",
    "EXECUTE",
    "DEALLOCATE",
    "INSERT",
    "VACUUM",
    "OPTIMIZE",
    "EXPLAIN",
)

Make = Callable[[re.Match[str], str], Statement]


def _form(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.DOTALL)


def _table(match: re.Match[str], database: str) -> TableName:
    parts = match["table"].replace("`", "").lower().split(".")
    return TableName(parts[0] if len(parts) > 1 else database, parts[-1])


def _create_table(match: re.Match[str], database: str) -> Statement:
    rest = match["rest"]
    location = create_text.quoted(rest, "LOCATION")
    if not location.startswith("s3://"):
        raise Refused("CREATE EXTERNAL TABLE needs a LOCATION that begins with s3://")
    columns, after = create_text.bracketed(match["columns"])
    partitioned = re.search(r"PARTITIONED\s+BY\s*", after + rest, re.IGNORECASE)
    partitions = create_text.bracketed((after + rest)[partitioned.end() :])[0] if partitioned else ()
    return CreateTable(
        name=_table(match, database),
        columns=columns,
        partitions=partitions,
        location=location,
        serde=create_text.quoted(rest, r"ROW\s+FORMAT\s+SERDE"),
        serde_properties=create_text.properties(rest, "SERDEPROPERTIES"),
        input_format=create_text.quoted(rest, r"\bINPUTFORMAT"),
        output_format=create_text.quoted(rest, r"\bOUTPUTFORMAT"),
        properties=create_text.properties(rest, "TBLPROPERTIES"),
        if_not_exists=match["exists"] is not None,
    )


def _partitions(text: str) -> tuple[Partition, ...]:
    found = []
    for match in _PARTITION.finditer(text):
        pairs = [pair.partition("=") for pair in match["spec"].split(",")]
        values = {name.strip(" `\n").lower(): value.strip().strip("'\"") for name, _, value in pairs}
        found.append(Partition(values, match["location"] or ""))
    if not found:
        raise Refused("expected PARTITION (column = 'value', …)")
    return tuple(found)


_PARTITION = re.compile(
    r"PARTITION\s*\((?P<spec>[^()]*)\)(?:\s*LOCATION\s+'(?P<location>[^']*)')?", re.IGNORECASE | re.DOTALL
)


_FORMS: Sequence[tuple[re.Pattern[str], Make]] = (
    (
        _form(
            rf"CREATE\s+EXTERNAL\s+TABLE\s+(?P<exists>IF\s+NOT\s+EXISTS\s+)?{_TABLE}\s*(?P<columns>\(.*?)(?P<rest>"
            r"(?:PARTITIONED|ROW|STORED|COMMENT|LOCATION|WITH)\b.*)"
        ),
        _create_table,
    ),
    (
        _form(rf"CREATE\s+(?P<replace>OR\s+REPLACE\s+)?VIEW\s+{_TABLE}\s+AS\s+(?P<query>.*)"),
        lambda match, database: CreateView(_table(match, database), match["query"], match["replace"] is not None),
    ),
    (
        _form(r"CREATE\s+(?:DATABASE|SCHEMA)\s+(?P<exists>IF\s+NOT\s+EXISTS\s+)?`?(?P<name>\w+)`?(?P<rest>\s.*)?"),
        lambda match, _: CreateDatabase(
            match["name"].lower(),
            match["exists"] is not None,
            create_text.quoted(match["rest"] or "", "LOCATION"),
            create_text.quoted(match["rest"] or "", "COMMENT"),
        ),
    ),
    (
        _form(rf"DROP\s+(?P<what>TABLE|VIEW)\s+(?P<exists>IF\s+EXISTS\s+)?{_TABLE}"),
        lambda match, database: Drop(match["what"].lower(), _table(match, database), match["exists"] is not None),
    ),
    (
        _form(
            r"DROP\s+(?:DATABASE|SCHEMA)\s+(?P<exists>IF\s+EXISTS\s+)?`?(?P<name>\w+)`?"
            r"(?:\s+RESTRICT|(?P<cascade>\s+CASCADE))?"
        ),
        lambda match, _: Drop(
            "database", TableName(match["name"].lower(), ""), match["exists"] is not None, match["cascade"] is not None
        ),
    ),
    (
        _form(rf"ALTER\s+TABLE\s+{_TABLE}\s+ADD\s+(?P<exists>IF\s+NOT\s+EXISTS\s+)?(?P<rest>PARTITION.*)"),
        lambda match, database: AddPartitions(
            _table(match, database), _partitions(match["rest"]), match["exists"] is not None
        ),
    ),
    (
        _form(rf"ALTER\s+TABLE\s+{_TABLE}\s+DROP\s+(?P<exists>IF\s+EXISTS\s+)?(?P<rest>PARTITION.*)"),
        lambda match, database: DropPartitions(
            _table(match, database), _partitions(match["rest"]), match["exists"] is not None
        ),
    ),
    (_form(rf"MSCK\s+REPAIR\s+TABLE\s+{_TABLE}"), lambda match, database: AddPartitions(_table(match, database))),
    (
        _form(r"SHOW\s+TABLES(?:\s+(?:IN|FROM)\s+`?(?P<name>\w+)`?)?(?:\s+'[^']*')?"),
        lambda match, database: Show("tables", database=(match["name"] or database).lower()),
    ),
    (
        _form(r"SHOW\s+VIEWS(?:\s+(?:IN|FROM)\s+`?(?P<name>\w+)`?)?"),
        lambda match, database: Show("views", database=(match["name"] or database).lower()),
    ),
    (_form(r"SHOW\s+(?:DATABASES|SCHEMAS)(?:\s+LIKE\s+'[^']*')?"), lambda *_: Show("databases")),
    (
        _form(rf"SHOW\s+COLUMNS\s+(?:IN|FROM)\s+{_TABLE}"),
        lambda match, database: Show("columns", _table(match, database)),
    ),
    (
        _form(rf"SHOW\s+(?P<what>PARTITIONS|CREATE\s+TABLE|CREATE\s+VIEW|TBLPROPERTIES)\s+{_TABLE}"),
        lambda match, database: Show(" ".join(match["what"].lower().split()), _table(match, database)),
    ),
    (
        _form(rf"(?:DESCRIBE|DESC)\s+(?:EXTENDED\s+|FORMATTED\s+)?{_TABLE}"),
        lambda match, database: Show("describe", _table(match, database)),
    ),
    (
        _form(r"PREPARE\s+(?P<name>\w[\w@:]*)\s+FROM\s+(?P<query>.*)"),
        lambda match, _: Prepare(match["name"], match["query"]),
    ),
    (
        _form(r"EXECUTE\s+(?P<name>\w[\w@:]*)(?:\s+USING\s+(?P<values>.*))?"),
        lambda match, _: Execute(match["name"], values_in(match["values"]) if match["values"] else ()),
    ),
    (_form(r"DEALLOCATE\s+PREPARE\s+(?P<name>\w[\w@:]*)"), lambda match, _: Deallocate(match["name"])),
    (
        _form(r"UNLOAD\s*\((?P<query>.*)\)\s*TO\s*'(?P<location>s3://[^']+)'(?:\s*WITH\s*\((?P<with>[^()]*)\))?"),
        lambda match, _: Unload(match["query"], match["location"], properties_in(match["with"] or "")),
    ),
)
