"""How a segment's columns look as a table of Athena: AWS's names in lower case, identities as structures.

https://docs.aws.amazon.com/athena/latest/ug/create-cloudtrail-table.html
A leaf of a structure is an expression over the segment's columns. Whoever asks for one leaf gets that expression and
nothing else; the whole structure is put together only when it is asked for whole.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

Leaf = str
"""A DuckDB expression over the segment's columns."""


@dataclass(frozen=True, slots=True)
class Struct:
    """A structure: fields in order, each a leaf or a structure again."""

    fields: Mapping[str, "Leaf | Struct"]

    def pack(self) -> str:
        """The whole of it as one expression."""
        parts = (f"{name} := {each if isinstance(each, str) else each.pack()}" for name, each in self.fields.items())
        return f"struct_pack({', '.join(parts)})"

    def leaves(self, prefix: str = "") -> Iterator[tuple[str, str]]:
        """Every leaf by its path, `sessioncontext.sessionissuer.arn`; structures inside too, whole."""
        for name, each in self.fields.items():
            if isinstance(each, str):
                yield prefix + name, each
            else:
                yield prefix + name, each.pack()
                yield from each.leaves(f"{prefix}{name}.")

    def type_text(self) -> str:
        """Its type as Athena writes it."""
        parts = (
            f"{name}:{'string' if isinstance(each, str) else each.type_text()}" for name, each in self.fields.items()
        )
        return f"struct<{','.join(parts)}>"


def _in(document: str, path: str) -> Leaf:
    return f"json_extract_string({document}, '$.{path}')"


def _who(path: str) -> Leaf:
    return _in("userIdentity", path)


SESSION_CONTEXT = Struct(
    {
        "attributes": Struct(
            {
                "mfaauthenticated": _who("sessionContext.attributes.mfaAuthenticated"),
                "creationdate": _who("sessionContext.attributes.creationDate"),
            }
        ),
        "sessionissuer": Struct(
            {
                "type": _who("sessionContext.sessionIssuer.type"),
                "principalid": _who("sessionContext.sessionIssuer.principalId"),
                "arn": "issuerArn",
                "accountid": _who("sessionContext.sessionIssuer.accountId"),
                "username": _who("sessionContext.sessionIssuer.userName"),
            }
        ),
        "ec2roledelivery": _who("sessionContext.ec2RoleDelivery"),
        "sourceidentity": _who("sessionContext.sourceIdentity"),
        "webidfederationdata": Struct(
            {
                "federatedprovider": _who("sessionContext.webIdFederationData.federatedProvider"),
                "attributes": _who("sessionContext.webIdFederationData.attributes"),
            }
        ),
    }
)

USER_IDENTITY = Struct(
    {
        "type": "identityType",
        "principalid": "identityPrincipalId",
        "arn": "identityArn",
        "accountid": "identityAccountId",
        "invokedby": "identityInvokedBy",
        "accesskeyid": "identityAccessKeyId",
        "username": "identityUserName",
        "onbehalfof": Struct(
            {"userid": _who("onBehalfOf.userId"), "identitystorearn": _who("onBehalfOf.identityStoreArn")}
        ),
        "sessioncontext": SESSION_CONTEXT,
    }
)

TLS_DETAILS = Struct(
    {
        "tlsversion": _in("tlsDetails", "tlsVersion"),
        "ciphersuite": _in("tlsDetails", "cipherSuite"),
        "clientprovidedhostheader": _in("tlsDetails", "clientProvidedHostHeader"),
    }
)

RESOURCES = (
    "list_transform(CAST(json_extract(resources, '$[*]') AS JSON[]), LAMBDA each: struct_pack("
    "arn := json_extract_string(each, '$.ARN'), accountid := json_extract_string(each, '$.accountId'),"
    " type := json_extract_string(each, '$.type')))"
)


def _document(name: str) -> Leaf:
    return f"nullif({name}, 'null')"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its Athena name and type, and what it is made of."""

    name: str
    type: str
    source: "Leaf | Struct"

    @property
    def expression(self) -> str:
        return self.source if isinstance(self.source, str) else self.source.pack()


def _text(name: str) -> Column:
    return Column(name.lower(), "string", name)


def _json(name: str) -> Column:
    return Column(name.lower(), "string", _document(name))


CLOUDTRAIL: tuple[Column, ...] = (
    _text("eventVersion"),
    Column("useridentity", USER_IDENTITY.type_text(), USER_IDENTITY),
    *map(_text, ("eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress", "userAgent", "errorCode")),
    _text("errorMessage"),
    *map(_json, ("requestParameters", "responseElements", "additionalEventData")),
    *map(_text, ("requestID", "eventID")),
    Column("readonly", "string", "CAST(readOnly AS VARCHAR)"),
    Column("resources", "array<struct<arn:string,accountid:string,type:string>>", RESOURCES),
    *map(_text, ("eventType", "apiVersion")),
    Column("managementevent", "string", "CAST(managementEvent AS VARCHAR)"),
    _text("recipientAccountId"),
    _json("serviceEventDetails"),
    *map(_text, ("sharedEventID", "vpcEndpointId", "vpcEndpointAccountId", "eventCategory")),
    *map(_json, ("addendum", "insightDetails", "eventContext")),
    _text("sessionCredentialFromConsole"),
    _json("edgeDeviceDetails"),
    Column("tlsdetails", TLS_DETAILS.type_text(), TLS_DETAILS),
)
"""CloudTrail's table as the documentation declares it, and the members that it has forgotten."""

PARTITIONS: tuple[Column, ...] = (
    Column("account", "string", "recipientAccountId"),
    Column("region", "string", "awsRegion"),
    Column("year", "string", "substr(eventTime, 1, 4)"),
    Column("month", "string", "substr(eventTime, 6, 2)"),
    Column("day", "string", "substr(eventTime, 9, 2)"),
)
"""What partition columns are, where a table of CloudTrail's files is partitioned."""


def _map(name: str) -> Leaf:
    """A document as a map of texts, the form that an event data store gives it. Its members are paths (RFC 6901)."""
    path = "concat('/', replace(replace(member, '~', '~0'), '/', '~1'))"
    return (
        f"map_from_entries(list_transform(json_keys(nullif({name}, 'null')), LAMBDA member: struct_pack(key := member,"
        f" value := json_extract_string({name}, {path}))))"
    )


_IN_STORE: Mapping[str, Leaf] = {
    "eventtime": "make_timestamp(time * 1000000)",
    "readonly": "readOnly",
    "managementevent": "managementEvent",
    **{name.lower(): _map(name) for name in ("requestParameters", "responseElements", "additionalEventData")},
}
EVENT_DATA_STORE: tuple[Column, ...] = tuple(
    Column(each.name, each.type, _IN_STORE.get(each.name, each.source)) for each in CLOUDTRAIL
)
"""The columns of an event data store: times are times there, flags are flags, and parameters are maps.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/query-event-data-store-schema.html
"""

STRUCTS: Mapping[str, Struct] = {"useridentity": USER_IDENTITY, "tlsdetails": TLS_DETAILS}

LEAVES: Mapping[str, str] = {
    f"{name}.{path}": leaf for name, struct in STRUCTS.items() for path, leaf in struct.leaves()
}
"""Every leaf that may be asked for alone, as `useridentity.arn`."""


def view(source: str, columns: tuple[Column, ...], *, with_leaves: bool) -> str:
    """The SELECT that makes a table of a segment relation. With leaves, each is a column named by its path."""
    chosen = [f'{column.expression} AS "{column.name}"' for column in columns]
    if with_leaves:
        chosen += [f'{leaf} AS "{path}"' for path, leaf in LEAVES.items()]
    return f"SELECT {', '.join(chosen)} FROM {source}"  # noqa: S608 - constants of this module
