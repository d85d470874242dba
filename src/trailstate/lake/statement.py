"""What a query string asks for: a question, or something about tables. DDL is read here, by the few forms it has.

https://docs.aws.amazon.com/athena/latest/ug/ddl-reference.html
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from trailstate.lake.gate import Refused, TableName

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
    properties: Mapping[str, str]
    if_not_exists: bool
    text: str


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


@dataclass(frozen=True, slots=True)
class CreateDatabase:
    name: str
    if_not_exists: bool
    location: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True)
class AddPartitions:
    """ALTER TABLE ADD PARTITION and MSCK REPAIR: what lies below the table's location is found without them."""

    name: TableName
    locations: tuple[str, ...] = field(default=())


Statement = Question | CreateTable | CreateView | Show | Drop | CreateDatabase | AddPartitions


def read(text: str, database: str) -> Statement:
    """The statement in a query string; names without a database are of `database`. Refused for DDL that has no form."""
    bare = _COMMENT.sub(" ", text).strip().rstrip(";").strip()
    for pattern, make in _FORMS:
        match = pattern.fullmatch(bare)
        if match is not None:
            return make(match, database, text)
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
    "INSERT",
    "VACUUM",
    "OPTIMIZE",
    "EXPLAIN",
)

Make = Callable[[re.Match[str], str, str], Statement]


def _form(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.DOTALL)


def _table(match: re.Match[str], database: str) -> TableName:
    parts = match["table"].replace("`", "").lower().split(".")
    return TableName(parts[0] if len(parts) > 1 else database, parts[-1])


def _create_table(match: re.Match[str], database: str, text: str) -> Statement:
    rest = match["rest"]
    location = _quoted(rest, "LOCATION")
    if not location.startswith("s3://"):
        raise Refused("CREATE EXTERNAL TABLE needs a LOCATION that begins with s3://")
    columns, after = _bracketed(match["columns"])
    partitioned = re.search(r"PARTITIONED\s+BY\s*", after + rest, re.IGNORECASE)
    partitions = _bracketed((after + rest)[partitioned.end() :])[0] if partitioned else ()
    return CreateTable(
        name=_table(match, database),
        columns=columns,
        partitions=partitions,
        location=location,
        serde=_quoted(rest, r"ROW\s+FORMAT\s+SERDE"),
        properties=_properties(rest),
        if_not_exists=match["exists"] is not None,
        text=text.strip(),
    )


def _quoted(text: str, word: str) -> str:
    found = re.search(rf"{word}\s+'([^']*)'", text, re.IGNORECASE)
    return found[1] if found else ""


def _properties(text: str) -> dict[str, str]:
    found = re.search(r"TBLPROPERTIES\s*\((.*)\)", text, re.IGNORECASE | re.DOTALL)
    pairs = re.findall(r"[\"']([^\"']+)[\"']\s*=\s*[\"']([^\"']*)[\"']", found[1]) if found else []
    return dict(pairs)


def _bracketed(text: str) -> tuple[tuple[tuple[str, str], ...], str]:
    """The columns between the first bracket and the one that closes it, and what follows."""
    depth, parts, begun = 0, [], 0
    for position, character in enumerate(text):
        if character in "(<":
            depth += 1
            if depth == 1:
                begun = position + 1
        elif character in ")>":
            depth -= 1
            if depth == 0 and character == ")":
                parts.append(text[begun:position])
                return tuple(_column(each) for each in parts if each.strip()), text[position + 1 :]
        elif character == "," and depth == 1:
            parts.append(text[begun:position])
            begun = position + 1
    raise Refused("mismatched brackets in the list of columns")


def _column(text: str) -> tuple[str, str]:
    bare = re.sub(r"\s+COMMENT\s+'[^']*'\s*$", "", text.strip(), flags=re.IGNORECASE)
    name, _, kind = bare.partition(" ")
    if not kind:
        name, _, kind = bare.partition("\n")
    return name.strip("`").lower(), " ".join(kind.split()).lower().replace(" ", "")


def _partitions(match: re.Match[str], database: str, _: str) -> Statement:
    locations = re.findall(r"LOCATION\s+'([^']*)'", match["rest"] or "", re.IGNORECASE)
    return AddPartitions(_table(match, database), tuple(locations))


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
        lambda match, database, _: CreateView(_table(match, database), match["query"], match["replace"] is not None),
    ),
    (
        _form(r"CREATE\s+(?:DATABASE|SCHEMA)\s+(?P<exists>IF\s+NOT\s+EXISTS\s+)?`?(?P<name>\w+)`?(?P<rest>\s.*)?"),
        lambda match, _, __: CreateDatabase(
            match["name"].lower(),
            match["exists"] is not None,
            _quoted(match["rest"] or "", "LOCATION"),
            _quoted(match["rest"] or "", "COMMENT"),
        ),
    ),
    (
        _form(rf"DROP\s+(?P<what>TABLE|VIEW)\s+(?P<exists>IF\s+EXISTS\s+)?{_TABLE}"),
        lambda match, database, _: Drop(match["what"].lower(), _table(match, database), match["exists"] is not None),
    ),
    (
        _form(r"DROP\s+(?:DATABASE|SCHEMA)\s+(?P<exists>IF\s+EXISTS\s+)?`?(?P<name>\w+)`?(?:\s+(?:RESTRICT|CASCADE))?"),
        lambda match, _, __: Drop("database", TableName(match["name"].lower(), ""), match["exists"] is not None),
    ),
    (
        _form(rf"ALTER\s+TABLE\s+{_TABLE}\s+ADD\s+(?:IF\s+NOT\s+EXISTS\s+)?(?P<rest>PARTITION.*)"),
        _partitions,
    ),
    (_form(rf"MSCK\s+REPAIR\s+TABLE\s+{_TABLE}(?P<rest>)"), _partitions),
    (
        _form(r"SHOW\s+TABLES(?:\s+(?:IN|FROM)\s+`?(?P<name>\w+)`?)?(?:\s+'[^']*')?"),
        lambda match, database, _: Show("tables", database=(match["name"] or database).lower()),
    ),
    (
        _form(r"SHOW\s+VIEWS(?:\s+(?:IN|FROM)\s+`?(?P<name>\w+)`?)?"),
        lambda match, database, _: Show("views", database=(match["name"] or database).lower()),
    ),
    (_form(r"SHOW\s+(?:DATABASES|SCHEMAS)(?:\s+LIKE\s+'[^']*')?"), lambda *_: Show("databases")),
    (
        _form(rf"SHOW\s+COLUMNS\s+(?:IN|FROM)\s+{_TABLE}"),
        lambda match, database, _: Show("columns", _table(match, database)),
    ),
    (
        _form(rf"SHOW\s+(?P<what>PARTITIONS|CREATE\s+TABLE|CREATE\s+VIEW|TBLPROPERTIES)\s+{_TABLE}"),
        lambda match, database, _: Show(" ".join(match["what"].lower().split()), _table(match, database)),
    ),
    (
        _form(rf"(?:DESCRIBE|DESC)\s+(?:EXTENDED\s+|FORMATTED\s+)?{_TABLE}"),
        lambda match, database, _: Show("describe", _table(match, database)),
    ),
)
