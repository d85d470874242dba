"""What describe calls tell in confidence never reaches an item; what only looks like a secret does."""

from trailstate.configuration.disclose import disclosed


def test_secrets_are_left_out_at_any_depth() -> None:
    tunnels = [{"PreSharedKey": "canary", "OutsideIpAddress": "198.51.100.7"}]
    answer = {"VpnConnections": [{"VpnConnectionId": "vpn-1", "Options": {"TunnelOptions": tunnels}}]}
    [shown] = disclosed("ec2", "DescribeVpnConnections", answer)["VpnConnections"]
    assert shown == {"VpnConnectionId": "vpn-1", "Options": {"TunnelOptions": [{"OutsideIpAddress": "198.51.100.7"}]}}


def test_a_functions_environment_is_a_secret() -> None:
    answer = {"Configuration": {"FunctionName": "echo", "Environment": {"Variables": {"TOKEN": "canary"}}}}
    assert disclosed("lambda", "GetFunction", answer) == {"Configuration": {"FunctionName": "echo", "Environment": {}}}


def test_what_is_no_secret_in_an_answer_is_shown() -> None:
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/reports"}
    answer = {"ServerSideEncryptionConfiguration": {"Rules": [{"ApplyServerSideEncryptionByDefault": default}]}}
    assert disclosed("s3", "GetBucketEncryption", answer) == answer


def test_an_answer_without_secrets_is_the_same_object() -> None:
    answer = {"Vpcs": [{"VpcId": "vpc-1"}]}
    assert disclosed("ec2", "DescribeVpcs", answer) is answer
