"""Scenes of identity, keys and the account itself."""

from collections.abc import Iterator
from typing import Any

from tests.resources.scene import GONE, Aws, policy, scene, trust


@scene("AWS::IAM::User")
def user(aws: Aws) -> Iterator[Any]:
    iam = aws("iam")
    made = iam.create_user(UserName="ana", Tags=[{"Key": "team", "Value": "web"}])["User"]["UserId"]
    iam.create_group(GroupName="readers")
    key = iam.create_access_key(UserName="ana")["AccessKey"]["AccessKeyId"]
    yield made
    iam.put_user_policy(UserName="ana", PolicyName="all", PolicyDocument=policy("*", Resource="*"))
    iam.add_user_to_group(UserName="ana", GroupName="readers")
    iam.create_login_profile(UserName="ana", Password="Correct-Horse-7")
    yield {
        "configuration.userPolicyList.0.policyName": "all",
        "configuration.groupList": ["readers"],
        "relationships.0.resourceName": "readers",
        "facts.AccessKeys.0.AccessKeyId": key,
        "facts.LoginProfile.UserName": "ana",
        "facts.MFADevices": [],
    }
    iam.delete_login_profile(UserName="ana")
    iam.delete_access_key(UserName="ana", AccessKeyId=key)
    iam.remove_user_from_group(UserName="ana", GroupName="readers")
    iam.delete_user_policy(UserName="ana", PolicyName="all")
    iam.delete_user(UserName="ana")
    yield GONE


@scene("AWS::IAM::Group")
def group(aws: Aws) -> Iterator[Any]:
    iam = aws("iam")
    made = iam.create_group(GroupName="writers")["Group"]["GroupId"]
    iam.create_user(UserName="ben")
    yield made
    iam.add_user_to_group(UserName="ben", GroupName="writers")
    yield {"relationships.0.resourceName": "ben", "relationships.0.name": "Contains User"}
    iam.remove_user_from_group(UserName="ben", GroupName="writers")
    iam.delete_group(GroupName="writers")
    yield GONE


@scene("AWS::IAM::Role")
def role(aws: Aws) -> Iterator[Any]:
    iam = aws("iam")
    made = iam.create_role(RoleName="job", AssumeRolePolicyDocument=trust("ec2.amazonaws.com"))["Role"]["RoleId"]
    own = iam.create_policy(PolicyName="job", PolicyDocument=policy("s3:GetObject", Resource="*"))["Policy"]["Arn"]
    yield made
    iam.attach_role_policy(RoleName="job", PolicyArn=own)
    yield {
        "configuration.attachedManagedPolicies.0.policyArn": own,
        "relationships.0.name": "Is attached to CustomerManagedPolicy",
        "relationships.0.resourceName": "job",
    }
    iam.detach_role_policy(RoleName="job", PolicyArn=own)
    iam.delete_role(RoleName="job")
    yield GONE


@scene("AWS::IAM::Policy")
def managed_policy(aws: Aws) -> Iterator[Any]:
    iam = aws("iam")
    made = iam.create_policy(PolicyName="wide", PolicyDocument=policy("s3:*", Resource="*"), Description="buckets")[
        "Policy"
    ]
    yield made["PolicyId"]
    iam.create_policy_version(PolicyArn=made["Arn"], PolicyDocument=policy("*", Resource="*"), SetAsDefault=True)
    yield {
        "configuration.defaultVersionId": "v2",
        "configuration.policyVersionList[versionId=v2].isDefaultVersion": True,
    }
    iam.delete_policy_version(PolicyArn=made["Arn"], VersionId="v1")
    iam.delete_policy(PolicyArn=made["Arn"])
    yield GONE


@scene("AWS::KMS::Key")
def key(aws: Aws) -> Iterator[Any]:
    kms = aws("kms")
    made = kms.create_key(Description="reports")["KeyMetadata"]["KeyId"]
    yield made
    kms.enable_key_rotation(KeyId=made)
    yield {"supplementaryConfiguration.KeyRotationStatus": True, "facts.KeyRotationStatus.KeyRotationEnabled": True}


@scene("AWS::::Account")
def account(aws: Aws) -> Iterator[Any]:
    aws("iam").create_user(UserName="cleo")
    yield aws("sts").get_caller_identity()["Account"]
    aws("iam").update_account_password_policy(MinimumPasswordLength=14, RequireSymbols=True)
    aws("ec2").enable_ebs_encryption_by_default()
    yield {
        "facts.PasswordPolicy.MinimumPasswordLength": 14,
        "facts.EbsEncryptionByDefault.us-east-1": True,
        "facts.CredentialReport[user=cleo].mfa_active": "false",
    }


@scene("AWS::S3::AccountPublicAccessBlock")
def account_public_access_block(aws: Aws) -> Iterator[Any]:
    control, account = aws("s3control"), aws("sts").get_caller_identity()["Account"]
    block = {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": True,
        "RestrictPublicBuckets": False,
    }
    control.put_public_access_block(AccountId=account, PublicAccessBlockConfiguration=block)
    yield account
    control.put_public_access_block(
        AccountId=account, PublicAccessBlockConfiguration=block | {"RestrictPublicBuckets": True}
    )
    yield {"configuration.restrictPublicBuckets": True}
    control.delete_public_access_block(AccountId=account)
    yield GONE


@scene("AWS::SecretsManager::Secret")
def secret(aws: Aws) -> Iterator[Any]:
    secrets = aws("secretsmanager")
    made = secrets.create_secret(Name="database", SecretString="hunter2")["ARN"]
    yield made
    secrets.update_secret(SecretId=made, Description="of the reports")
    yield {"configuration.Description": "of the reports"}
    secrets.delete_secret(SecretId=made, ForceDeleteWithoutRecovery=True)
    yield GONE


@scene("AWS::ACM::Certificate")
def certificate(aws: Aws) -> Iterator[Any]:
    acm = aws("acm")
    made = acm.request_certificate(DomainName="www.example.com", ValidationMethod="DNS")["CertificateArn"]
    yield made
    acm.add_tags_to_certificate(CertificateArn=made, Tags=[{"Key": "team", "Value": "web"}])
    yield {"tags.team": "web"}
    acm.delete_certificate(CertificateArn=made)
    yield GONE
