"""The environment in which users' code finds AWS: credentials and region, as every AWS SDK reads them.

https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html
"""

from trailstate.functions.role import Credentials


def surroundings(credentials: Credentials, region: str) -> dict[str, str]:
    """The variables for a program that acts with these credentials. The runtime adds where AWS is reached."""
    variables = {
        "AWS_ACCESS_KEY_ID": credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "2",
    }
    if credentials.session_token is not None:
        variables["AWS_SESSION_TOKEN"] = credentials.session_token
    return variables
