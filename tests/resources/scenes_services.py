"""Scenes of what computes, listens, sends and watches."""

import json
from collections.abc import Iterator
from typing import Any

from tests.resources.scene import GONE, Aws, a_network, a_program, a_role, scene

ACCOUNT = "123456789012"


@scene("AWS::SNS::Topic")
def topic(aws: Aws) -> Iterator[Any]:
    sns = aws("sns")
    made = sns.create_topic(Name="alerts", Tags=[{"Key": "team", "Value": "web"}])["TopicArn"]
    yield made
    sns.set_topic_attributes(TopicArn=made, AttributeName="KmsMasterKeyId", AttributeValue="alias/aws/sns")
    yield {"configuration.KmsMasterKeyId": "alias/aws/sns"}
    sns.delete_topic(TopicArn=made)
    yield GONE


@scene("AWS::SQS::Queue")
def queue(aws: Aws) -> Iterator[Any]:
    sqs = aws("sqs")
    url = sqs.create_queue(QueueName="jobs", tags={"team": "web"})["QueueUrl"]
    yield f"https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/jobs"
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "60"})
    yield {"configuration.VisibilityTimeout": 60}
    sqs.delete_queue(QueueUrl=url)
    yield GONE


@scene("AWS::Lambda::Function")
def function(aws: Aws) -> Iterator[Any]:
    functions = aws("lambda")
    _, [subnet] = a_network(aws, "10.31")
    functions.create_function(
        FunctionName="echo",
        Runtime="python3.11",
        Role=a_role(aws, "echo", "lambda.amazonaws.com"),
        Handler="index.handler",
        Code={"ZipFile": a_program()},
        VpcConfig={"SubnetIds": [subnet], "SecurityGroupIds": []},
        Environment={"Variables": {"STAGE": "test"}},
        Tags={"team": "web"},
    )
    yield "echo"
    functions.add_permission(
        FunctionName="echo", StatementId="any", Action="lambda:InvokeFunction", Principal="*", SourceAccount=ACCOUNT
    )
    functions.update_function_configuration(FunctionName="echo", Timeout=30)
    yield {
        "configuration.timeout": 30,
        "facts.Policy.Statement.0.Sid": "any",
        "relationships[resourceType=AWS::IAM::Role].resourceName": "echo",
        "relationships[resourceType=AWS::EC2::Subnet].resourceId": subnet,
        "tags": {"team": "web"},
    }
    functions.delete_function(FunctionName="echo")
    yield GONE


@scene("AWS::Logs::LogGroup")
def log_group(aws: Aws) -> Iterator[Any]:
    logs = aws("logs")
    logs.create_log_group(logGroupName="/app/web", tags={"team": "web"})
    yield "/app/web"
    logs.put_retention_policy(logGroupName="/app/web", retentionInDays=30)
    yield {"configuration.RetentionInDays": 30, "tags.team": "web"}
    logs.delete_log_group(logGroupName="/app/web")
    yield GONE


@scene("AWS::CloudWatch::Alarm")
def alarm(aws: Aws) -> Iterator[Any]:
    watch = aws("cloudwatch")
    described = {
        "AlarmName": "busy",
        "Namespace": "AWS/EC2",
        "MetricName": "CPUUtilization",
        "Statistic": "Average",
        "Period": 300,
        "EvaluationPeriods": 1,
        "Threshold": 80.0,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    watch.put_metric_alarm(**described)
    yield "busy"
    action = f"arn:aws:sns:us-east-1:{ACCOUNT}:alerts"
    watch.put_metric_alarm(**described, AlarmActions=[action], OKActions=[action])
    yield {"configuration.alarmActions": [action], "configuration.okactions": [action]}
    watch.delete_alarms(AlarmNames=["busy"])
    yield GONE


@scene("AWS::CloudTrail::Trail")
def trail(aws: Aws) -> Iterator[Any]:
    cloudtrail = aws("cloudtrail")
    aws("s3").create_bucket(Bucket="evidence-of-ana")
    statement = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}}
    aws("s3").put_bucket_policy(
        Bucket="evidence-of-ana",
        Policy=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    statement | {"Action": "s3:GetBucketAcl", "Resource": "arn:aws:s3:::evidence-of-ana"},
                    statement | {"Action": "s3:PutObject", "Resource": "arn:aws:s3:::evidence-of-ana/*"},
                ],
            }
        ),
    )
    cloudtrail.create_trail(Name="all", S3BucketName="evidence-of-ana", IsMultiRegionTrail=True)
    yield "all"
    cloudtrail.update_trail(Name="all", EnableLogFileValidation=True)
    cloudtrail.start_logging(Name="all")
    yield {"configuration.logFileValidationEnabled": True, "facts.Status.IsLogging": True}
    cloudtrail.delete_trail(Name="all")
    yield GONE


@scene("AWS::ElasticLoadBalancing::LoadBalancer")
def classic_balancer(aws: Aws) -> Iterator[Any]:
    elb = aws("elb")
    elb.create_load_balancer(
        LoadBalancerName="old",
        Listeners=[{"Protocol": "HTTP", "LoadBalancerPort": 80, "InstancePort": 80}],
        AvailabilityZones=["us-east-1a"],
    )
    yield "old"
    elb.modify_load_balancer_attributes(
        LoadBalancerName="old",
        LoadBalancerAttributes={"CrossZoneLoadBalancing": {"Enabled": True}},
    )
    yield {"supplementaryConfiguration.LoadBalancerAttributes.crossZoneLoadBalancing.enabled": True}
    elb.delete_load_balancer(LoadBalancerName="old")
    yield GONE


def a_balancer(aws: Aws, name: str, block: str) -> tuple[str, str]:
    vpc, subnets = a_network(aws, block, ("us-east-1a", "us-east-1b"))
    made = aws("elbv2").create_load_balancer(Name=name, Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    return made, vpc


@scene("AWS::ElasticLoadBalancingV2::LoadBalancer")
def balancer(aws: Aws) -> Iterator[Any]:
    elb = aws("elbv2")
    made, vpc = a_balancer(aws, "web", "10.32")
    yield made
    elb.modify_load_balancer_attributes(
        LoadBalancerArn=made, Attributes=[{"Key": "deletion_protection.enabled", "Value": "true"}]
    )
    attributes = "supplementaryConfiguration.LoadBalancerAttributes"
    yield {
        f"{attributes}[key=deletion_protection.enabled].value": "true",
        "relationships[resourceType=AWS::EC2::VPC].resourceId": vpc,
    }
    elb.modify_load_balancer_attributes(
        LoadBalancerArn=made, Attributes=[{"Key": "deletion_protection.enabled", "Value": "false"}]
    )
    elb.delete_load_balancer(LoadBalancerArn=made)
    yield GONE


@scene("AWS::ElasticLoadBalancingV2::Listener")
def listener(aws: Aws) -> Iterator[Any]:
    elb = aws("elbv2")
    balancer, vpc = a_balancer(aws, "shop", "10.33")
    group = elb.create_target_group(Name="shop", Protocol="HTTP", Port=80, VpcId=vpc)["TargetGroups"][0][
        "TargetGroupArn"
    ]
    made = elb.create_listener(
        LoadBalancerArn=balancer,
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )["Listeners"][0]["ListenerArn"]
    yield made
    elb.modify_listener(ListenerArn=made, Port=8080)
    yield {"configuration.Port": 8080}
    elb.delete_listener(ListenerArn=made)
    yield GONE


@scene("AWS::AutoScaling::LaunchConfiguration")
def launch_configuration(aws: Aws) -> Iterator[Any]:
    scaling = aws("autoscaling")
    scaling.create_launch_configuration(
        LaunchConfigurationName="web", ImageId="ami-12c6146b", InstanceType="t3.micro", AssociatePublicIpAddress=True
    )
    yield _launch_configuration_arn(scaling, "web")
    yield {"configuration.associatePublicIpAddress": True}
    scaling.delete_launch_configuration(LaunchConfigurationName="web")
    yield GONE


def _launch_configuration_arn(scaling: Any, name: str) -> Any:
    found = scaling.describe_launch_configurations(LaunchConfigurationNames=[name])
    return found["LaunchConfigurations"][0]["LaunchConfigurationARN"]


@scene("AWS::AutoScaling::AutoScalingGroup")
def scaling_group(aws: Aws) -> Iterator[Any]:
    scaling = aws("autoscaling")
    _, [subnet] = a_network(aws, "10.34")
    scaling.create_launch_configuration(LaunchConfigurationName="shop", ImageId="ami-12c6146b", InstanceType="t3.micro")
    scaling.create_auto_scaling_group(
        AutoScalingGroupName="shop",
        LaunchConfigurationName="shop",
        MinSize=0,
        MaxSize=2,
        VPCZoneIdentifier=subnet,
        Tags=[{"Key": "team", "Value": "web", "PropagateAtLaunch": False}],
    )
    found = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=["shop"])
    yield found["AutoScalingGroups"][0]["AutoScalingGroupARN"]
    scaling.update_auto_scaling_group(AutoScalingGroupName="shop", MaxSize=4, HealthCheckType="ELB")
    yield {
        "configuration.healthCheckType": "ELB",
        "relationships[resourceType=AWS::EC2::Subnet].resourceId": subnet,
    }
    scaling.delete_auto_scaling_group(AutoScalingGroupName="shop", ForceDelete=True)
    yield GONE


@scene("AWS::ApiGateway::RestApi")
def rest_api(aws: Aws) -> Iterator[Any]:
    gateway = aws("apigateway")
    made = gateway.create_rest_api(name="shop", endpointConfiguration={"types": ["REGIONAL"]})["id"]
    yield f"arn:aws:apigateway:us-east-1::/restapis/{made}"
    operations = [{"op": "replace", "path": "/description", "value": "of the shop"}]
    gateway.update_rest_api(restApiId=made, patchOperations=operations)
    yield {"configuration.description": "of the shop"}
    gateway.delete_rest_api(restApiId=made)
    yield GONE


@scene("AWS::ApiGateway::Stage")
def stage(aws: Aws) -> Iterator[Any]:
    gateway = aws("apigateway")
    api = gateway.create_rest_api(name="desk")["id"]
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    gateway.put_method(restApiId=api, resourceId=root, httpMethod="GET", authorizationType="NONE")
    gateway.put_integration(restApiId=api, resourceId=root, httpMethod="GET", type="MOCK")
    deployment = gateway.create_deployment(restApiId=api)["id"]
    gateway.create_stage(restApiId=api, stageName="live", deploymentId=deployment)
    yield f"arn:aws:apigateway:us-east-1::/restapis/{api}/stages/live"
    gateway.update_stage(
        restApiId=api,
        stageName="live",
        patchOperations=[
            {"op": "replace", "path": "/tracingEnabled", "value": "true"},
            {"op": "replace", "path": "/*/*/logging/loglevel", "value": "ERROR"},
        ],
    )
    yield {
        "configuration.tracingEnabled": True,
        "configuration.methodSettings.*/*.loggingLevel": "ERROR",
        "relationships.0.resourceId": f"arn:aws:apigateway:us-east-1::/restapis/{api}",
    }
    gateway.delete_stage(restApiId=api, stageName="live")
    yield GONE


@scene("AWS::ApiGatewayV2::Api")
def http_api(aws: Aws) -> Iterator[Any]:
    gateway = aws("apigatewayv2")
    made = gateway.create_api(Name="shop", ProtocolType="HTTP")["ApiId"]
    yield f"arn:aws:apigateway:us-east-1::/apis/{made}"
    gateway.update_api(ApiId=made, Description="of the shop")
    yield {"configuration.description": "of the shop"}
    gateway.delete_api(ApiId=made)
    yield GONE


@scene("AWS::ApiGatewayV2::Stage")
def http_stage(aws: Aws) -> Iterator[Any]:
    gateway = aws("apigatewayv2")
    api = gateway.create_api(Name="desk", ProtocolType="HTTP")["ApiId"]
    gateway.create_stage(ApiId=api, StageName="live", Description="of the desk")
    yield f"arn:aws:apigateway:us-east-1::/apis/{api}/stages/live"
    yield {"configuration.description": "of the desk"}
    gateway.delete_stage(ApiId=api, StageName="live")
    yield GONE


@scene("AWS::CodeBuild::Project")
def build(aws: Aws) -> Iterator[Any]:
    builds = aws("codebuild")
    described = {
        "name": "web",
        "source": {"type": "GITHUB", "location": "https://github.com/example/web"},
        "artifacts": {"type": "NO_ARTIFACTS"},
        "environment": {
            "type": "LINUX_CONTAINER",
            "image": "aws/codebuild/standard:7.0",
            "computeType": "BUILD_GENERAL1_SMALL",
            "environmentVariables": [{"name": "STAGE", "value": "test", "type": "PLAINTEXT"}],
        },
        "serviceRole": a_role(aws, "build", "codebuild.amazonaws.com"),
    }
    arn = builds.create_project(**described)["project"]["arn"]
    yield arn
    yield {"configuration.name": "web", "relationships.0.resourceName": "build"}
    builds.delete_project(name="web")
    yield GONE


@scene("AWS::CloudFront::Distribution")
def distribution(aws: Aws) -> Iterator[Any]:
    front = aws("cloudfront")
    described = {
        "CallerReference": "one",
        "Comment": "shop",
        "Enabled": False,
        "Origins": {
            "Quantity": 1,
            "Items": [
                {"Id": "o", "DomainName": "reports.s3.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}
            ],
        },
        "DefaultCacheBehavior": {
            "TargetOriginId": "o",
            "ViewerProtocolPolicy": "allow-all",
            "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}},
            "MinTTL": 0,
        },
    }
    made = front.create_distribution(DistributionConfig=described)
    arn, key = made["Distribution"]["ARN"], made["Distribution"]["Id"]
    yield key
    front.tag_resource(Resource=arn, Tags={"Items": [{"Key": "team", "Value": "web"}]})
    yield {"tags.team": "web"}
    front.delete_distribution(Id=key, IfMatch=made["ETag"])
    yield GONE


@scene("AWS::StepFunctions::StateMachine")
def state_machine(aws: Aws) -> Iterator[Any]:
    machines = aws("stepfunctions")
    definition = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})
    made = machines.create_state_machine(
        name="orders", definition=definition, roleArn=a_role(aws, "orders", "states.amazonaws.com")
    )["stateMachineArn"]
    yield made
    machines.update_state_machine(stateMachineArn=made, tracingConfiguration={"enabled": True})
    yield {"configuration.TracingConfiguration.Enabled": True}
    machines.delete_state_machine(stateMachineArn=made)
    yield GONE


@scene("AWS::CloudFormation::Stack")
def stack(aws: Aws) -> Iterator[Any]:
    formation = aws("cloudformation")
    template = json.dumps({"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "stacked"}}}})
    made = formation.create_stack(StackName="small", TemplateBody=template)["StackId"]
    yield made
    formation.update_stack(StackName="small", TemplateBody=template, Tags=[{"Key": "team", "Value": "web"}])
    yield {"tags.team": "web"}
    formation.delete_stack(StackName="small")
    yield GONE


@scene("AWS::WAFv2::WebACL")
def web_acl(aws: Aws) -> Iterator[Any]:
    waf = aws("wafv2")
    visible = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "m"}
    described = {"Name": "shop", "Scope": "REGIONAL", "DefaultAction": {"Allow": {}}, "VisibilityConfig": visible}
    made = waf.create_web_acl(**described)["Summary"]
    yield made["ARN"]
    rule = {
        "Name": "many",
        "Priority": 1,
        "Action": {"Block": {}},
        "Statement": {"RateBasedStatement": {"Limit": 1000, "AggregateKeyType": "IP"}},
        "VisibilityConfig": visible,
    }
    waf.update_web_acl(**described, Id=made["Id"], LockToken=made["LockToken"], Rules=[rule])
    yield {"configuration.rules.0.name": "many"}
    token = waf.get_web_acl(Name="shop", Scope="REGIONAL", Id=made["Id"])["LockToken"]
    waf.delete_web_acl(Name="shop", Scope="REGIONAL", Id=made["Id"], LockToken=token)
    yield GONE
