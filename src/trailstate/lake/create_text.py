"""The text of CREATE EXTERNAL TABLE: its parts as they are read, and a table's document as SHOW CREATE TABLE writes it.

https://docs.aws.amazon.com/athena/latest/ug/create-table.html
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from trailstate.lake.gate import Refused

_PAIR = r"(?:'[^']+'|\"[^\"]+\")\s*=\s*(?:'[^']*'|\"[^\"]*\")"
_PAIRS = re.compile(r"[\"'](?P<key>[^\"']+)[\"']\s*=\s*(?P<mark>[\"'])(?P<value>.*?)(?P=mark)", re.DOTALL)


def quoted(text: str, word: str) -> str:
    found = re.search(rf"{word}\s+'([^']*)'", text, re.IGNORECASE)
    return found[1] if found else ""


def properties(text: str, word: str) -> dict[str, str]:
    found = re.search(rf"{word}\s*\(((?:\s*{_PAIR}\s*(?:,|(?=\))))*)\s*\)", text, re.IGNORECASE | re.DOTALL)
    return {match["key"]: match["value"] for match in _PAIRS.finditer(found[1])} if found else {}


def bracketed(text: str) -> tuple[tuple[tuple[str, str], ...], str]:
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


def written(document: Mapping[str, Any]) -> list[str]:
    """The lines of the statement that makes a table like this one."""
    descriptor, keys = document["StorageDescriptor"], document.get("PartitionKeys") or ()
    serde = descriptor.get("SerdeInfo") or {}
    lines = [f"CREATE EXTERNAL TABLE `{document['Name']}`(", *_columns_written(descriptor.get("Columns") or ())]
    if keys:
        lines += ["PARTITIONED BY (", *_columns_written(keys)]
    lines += _clause("ROW FORMAT SERDE", serde.get("SerializationLibrary"))
    lines += _pairs_written("WITH SERDEPROPERTIES", serde.get("Parameters") or {})
    lines += _clause("STORED AS INPUTFORMAT", descriptor.get("InputFormat"))
    lines += _clause("OUTPUTFORMAT", descriptor.get("OutputFormat"))
    lines += _clause("LOCATION", descriptor.get("Location"))
    properties = {name: value for name, value in (document.get("Parameters") or {}).items() if name != "EXTERNAL"}
    return [*lines, *_pairs_written("TBLPROPERTIES", properties)]


def _columns_written(columns: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    lines = [f"  `{each['Name']}` {each.get('Type') or 'string'}" for each in columns]
    return (f"{line}," if line is not lines[-1] else f"{line})" for line in lines)


def _clause(word: str, value: str | None) -> list[str]:
    return [word, f"  '{value}'"] if value else []


def _pairs_written(word: str, pairs: Mapping[str, str]) -> list[str]:
    lines = [f"  '{name}'='{value}'" for name, value in sorted(pairs.items())]
    return [f"{word} (", *(f"{line}," for line in lines[:-1]), f"{lines[-1]})"] if lines else []
