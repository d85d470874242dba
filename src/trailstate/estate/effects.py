"""Which operations change the estate, so that an intent is committed before they run.

This is not CloudTrail's `readOnly`: AssumeRole is read-only there and yet makes a credential, ReceiveMessage hides what
it returns. An operation counts as free of effect only when its verb says so and no row here says otherwise; whatever is
not known has an effect. A wrong *yes* costs a commit, a wrong *no* could lose the trace of a change.
"""

from functools import lru_cache

READING_VERBS = (
    "BatchDescribe",
    "BatchGet",
    "BatchList",
    "Count",
    "Describe",
    "Download",
    "Estimate",
    "Filter",
    "Get",
    "Head",
    "List",
    "Lookup",
    "Preview",
    "Query",
    "Search",
    "Select",
    "Simulate",
    "Validate",
)

EFFECT_DESPITE_VERB = frozenset(
    {
        # A credential, a token or a signed address comes into being.
        ("codeartifact", "GetAuthorizationToken"),
        ("cognito-identity", "GetCredentialsForIdentity"),
        ("cognito-identity", "GetOpenIdToken"),
        ("cognito-identity", "GetOpenIdTokenForDeveloperIdentity"),
        ("connect", "GetFederationToken"),
        ("ecr", "GetAuthorizationToken"),
        ("ecr-public", "GetAuthorizationToken"),
        ("emr", "GetClusterSessionCredentials"),
        ("gamelift", "GetComputeAccess"),
        ("gamelift", "GetComputeAuthToken"),
        ("gamelift", "GetInstanceAccess"),
        ("kinesis-video-archived-media", "GetDASHStreamingSessionURL"),
        ("kinesis-video-archived-media", "GetHLSStreamingSessionURL"),
        ("lakeformation", "GetTemporaryGluePartitionCredentials"),
        ("lakeformation", "GetTemporaryGlueTableCredentials"),
        ("lightsail", "GetInstanceAccessDetails"),
        ("quicksight", "GetDashboardEmbedUrl"),
        ("quicksight", "GetSessionEmbedUrl"),
        ("redshift", "GetClusterCredentials"),
        ("redshift", "GetClusterCredentialsWithIAM"),
        ("redshift-serverless", "GetCredentials"),
        ("s3control", "GetDataAccess"),
        ("sso", "GetRoleCredentials"),
        ("sts", "GetFederationToken"),
        ("sts", "GetSessionToken"),
        # What is asked for is made, or moves on, by asking.
        ("appconfigdata", "GetLatestConfiguration"),
        ("cognito-identity", "GetId"),
        ("cognito-idp", "GetUserAttributeVerificationCode"),
        ("iot", "GetRegistrationCode"),
        ("stepfunctions", "GetActivityTask"),
        # A statement in another language may write.
        ("timestream-query", "Query"),
    }
)

NO_EFFECT_DESPITE_VERB = frozenset(
    {
        ("dynamodb", "Scan"),
        ("dynamodb", "TransactGetItems"),
        ("events", "TestEventPattern"),
        ("kms", "Decrypt"),
        ("kms", "Encrypt"),
        ("kms", "GenerateMac"),
        ("kms", "ReEncrypt"),
        ("kms", "Sign"),
        ("kms", "Verify"),
        ("kms", "VerifyMac"),
        ("logs", "TestMetricFilter"),
        ("logs", "TestTransformer"),
        ("sts", "DecodeAuthorizationMessage"),
    }
)


@lru_cache(maxsize=4096)
def has_effect(service: str, operation: str) -> bool:
    """Whether the estate can be another one after this operation. `service` is botocore's name."""
    if (service, operation) in EFFECT_DESPITE_VERB:
        return True
    if (service, operation) in NO_EFFECT_DESPITE_VERB:
        return False
    return not any(_begins(operation, verb) for verb in READING_VERBS)


def _begins(operation: str, verb: str) -> bool:
    """Whether that verb is the operation's first word: `Get` is that of GetUser, not of Getaway."""
    return operation.startswith(verb) and not operation[len(verb) : len(verb) + 1].islower()
