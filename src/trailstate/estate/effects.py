"""Which operations change the estate, so that an intent is committed before they run.

This is not CloudTrail's `readOnly`: AssumeRole is read-only there and yet makes a credential, ReceiveMessage hides what
it returns. An operation counts as free of effect only when its verb says so and no row here says otherwise; whatever is
not known has an effect. A wrong *yes* costs a commit, a wrong *no* could lose the trace of a change.
"""

import re

READING_VERBS = frozenset(
    ["BatchCheck", "BatchDescribe", "BatchGet", "BatchList", "BatchRead", "BatchIsAuthorized", "Check", "Count", "Describe", "Download", "Estimate", "Evaluate", "Explain", "Fetch", "Filter", "Find", "Get", "Head", "Is", "List", "Lookup", "Preview", "Query", "Read", "Resolve", "Retrieve", "Scan", "Search", "Select", "Simulate", "Validate", "Verify", "View"]
)

EFFECT_DESPITE_VERB = frozenset(
    {
        # A credential, a token, a password or a key comes into being.
        ("codeartifact", "GetAuthorizationToken"),
        ("cognito-identity", "GetCredentialsForIdentity"),
        ("cognito-identity", "GetId"),
        ("cognito-identity", "GetOpenIdToken"),
        ("cognito-identity", "GetOpenIdTokenForDeveloperIdentity"),
        ("cognito-idp", "GetUserAttributeVerificationCode"),
        ("ecr", "GetAuthorizationToken"),
        ("ecr-public", "GetAuthorizationToken"),
        ("emr", "GetClusterSessionCredentials"),
        ("lightsail", "GetInstanceAccessDetails"),
        ("redshift", "GetClusterCredentials"),
        ("redshift", "GetClusterCredentialsWithIAM"),
        ("redshift-serverless", "GetCredentials"),
        ("sts", "GetFederationToken"),
        ("sts", "GetSessionToken"),
        # Reading moves something on: a lease, a job handed out, a cursor, a conversation.
        ("codepipeline", "GetThirdPartyJobDetails"),
        ("kinesis", "GetShardIterator"),
        ("dynamodbstreams", "GetShardIterator"),
        ("appconfigdata", "GetLatestConfiguration"),
        ("stepfunctions", "GetActivityTask"),
        # A statement in somebody else's language may write.
        ("timestream-query", "Query"),
        ("rds-data", "Query"),
    }
)

NO_EFFECT_DESPITE_VERB = frozenset(
    {
        ("dynamodb", "TransactGetItems"),
        ("kms", "Decrypt"),
        ("kms", "Encrypt"),
        ("kms", "GenerateMac"),
        ("kms", "ReEncrypt"),
        ("kms", "Sign"),
        ("sts", "DecodeAuthorizationMessage"),
        ("logs", "TestMetricFilter"),
        ("logs", "TestTransformer"),
        ("events", "TestEventPattern"),
    }
)

_FIRST_WORD = re.compile(r"[A-Z][a-z0-9]*")


def has_effect(service: str, operation: str) -> bool:
    """Whether the estate can be another one after this operation. `service` is botocore's name."""
    if (service, operation) in EFFECT_DESPITE_VERB:
        return True
    if (service, operation) in NO_EFFECT_DESPITE_VERB:
        return False
    words = _FIRST_WORD.findall(operation)
    return not (words and (words[0] in READING_VERBS or "".join(words[:2]) in READING_VERBS))
