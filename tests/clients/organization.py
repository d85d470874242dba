"""An organization of three accounts, made by boto3: the lab's own, which manages it, and two members."""

from trailstate.testing import Lab


def found_organization(aws: Lab) -> None:
    organizations = aws.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    for name in ("one", "two"):
        organizations.create_account(Email=f"{name}@example.com", AccountName=name)


def members(aws: Lab) -> list[str]:
    """The account numbers of the two."""
    accounts = aws.client("organizations").list_accounts()["Accounts"]
    return sorted(each["Id"] for each in accounts if each["Id"] != aws.account)
