"""Scenes of what keeps data: buckets, tables, databases, streams, repositories."""

from collections.abc import Iterator
from typing import Any

from tests.resources.scene import GONE, Aws, policy, scene


@scene("AWS::S3::Bucket")
def bucket(aws: Aws) -> Iterator[Any]:
    s3 = aws("s3")
    s3.create_bucket(Bucket="reports-of-ana")
    yield "reports-of-ana"
    open_to_all = policy("s3:GetObject", Principal="*", Resource="arn:aws:s3:::reports-of-ana/*")
    s3.put_bucket_policy(Bucket="reports-of-ana", Policy=open_to_all)
    s3.put_bucket_versioning(Bucket="reports-of-ana", VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_encryption(
        Bucket="reports-of-ana",
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/k"}}]
        },
    )
    s3.put_bucket_lifecycle_configuration(
        Bucket="reports-of-ana",
        LifecycleConfiguration={
            "Rules": [
                {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 30}},
                {
                    "ID": "both",
                    "Status": "Enabled",
                    "Filter": {"And": {"Prefix": "a/", "Tags": [{"Key": "k", "Value": "v"}]}},
                    "Transitions": [{"Days": 30, "StorageClass": "GLACIER"}],
                },
            ]
        },
    )
    s3.put_public_access_block(
        Bucket="reports-of-ana",
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": False,
            "RestrictPublicBuckets": True,
        },
    )
    s3.put_bucket_tagging(Bucket="reports-of-ana", Tagging={"TagSet": [{"Key": "team", "Value": "web"}]})
    s3.put_bucket_cors(
        Bucket="reports-of-ana",
        CORSConfiguration={"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "MaxAgeSeconds": 60}]},
    )
    s3.put_bucket_website(Bucket="reports-of-ana", WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}})
    s3.put_bucket_accelerate_configuration(Bucket="reports-of-ana", AccelerateConfiguration={"Status": "Enabled"})
    kept = "supplementaryConfiguration"
    yield {
        f"{kept}.BucketPolicy.policyText": open_to_all,
        f"{kept}.BucketVersioningConfiguration": {"status": "Enabled", "isMfaDeleteEnabled": None},
        f"{kept}.ServerSideEncryptionConfiguration.rules.0.applyServerSideEncryptionByDefault.sseAlgorithm": "aws:kms",
        f"{kept}.BucketLifecycleConfiguration.rules.0.expirationInDays": 30,
        f"{kept}.PublicAccessBlockConfiguration.restrictPublicBuckets": True,
        f"{kept}.BucketCrossOriginConfiguration.rules.0.maxAgeSeconds": 60,
        f"{kept}.BucketWebsiteConfiguration.indexDocumentSuffix": "index.html",
        f"{kept}.BucketAccelerateConfiguration.status": "Enabled",
        "tags": {"team": "web"},
    }
    s3.delete_bucket(Bucket="reports-of-ana")
    yield GONE


@scene("AWS::DynamoDB::Table")
def table(aws: Aws) -> Iterator[Any]:
    dynamodb = aws("dynamodb")
    dynamodb.create_table(
        TableName="orders",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        Tags=[{"Key": "team", "Value": "web"}],
    )
    yield "orders"
    dynamodb.update_continuous_backups(
        TableName="orders", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    held = "supplementaryConfiguration.ContinuousBackupsDescription.pointInTimeRecoveryDescription"
    yield {f"{held}.pointInTimeRecoveryStatus": "ENABLED", "tags": {"team": "web"}}
    dynamodb.delete_table(TableName="orders")
    yield GONE


def a_database(aws: Aws, name: str) -> Any:
    made = aws("rds").create_db_instance(
        DBInstanceIdentifier=name,
        DBInstanceClass="db.t3.micro",
        Engine="mysql",
        MasterUsername="admin",
        MasterUserPassword="Correct-Horse-7",
        AllocatedStorage=20,
        Tags=[{"Key": "team", "Value": "web"}],
    )
    return made["DBInstance"]


@scene("AWS::RDS::DBInstance")
def database(aws: Aws) -> Iterator[Any]:
    yield a_database(aws, "orders")["DbiResourceId"]
    aws("rds").modify_db_instance(DBInstanceIdentifier="orders", DeletionProtection=True, ApplyImmediately=True)
    yield {"configuration.deletionProtection": True}
    aws("rds").modify_db_instance(DBInstanceIdentifier="orders", DeletionProtection=False, ApplyImmediately=True)
    aws("rds").delete_db_instance(DBInstanceIdentifier="orders", SkipFinalSnapshot=True)
    yield GONE


@scene("AWS::RDS::DBSnapshot")
def database_snapshot(aws: Aws) -> Iterator[Any]:
    rds = aws("rds")
    a_database(aws, "stock")
    rds.create_db_snapshot(DBSnapshotIdentifier="stock-1", DBInstanceIdentifier="stock")
    yield "stock-1"
    rds.modify_db_snapshot_attribute(DBSnapshotIdentifier="stock-1", AttributeName="restore", ValuesToAdd=["all"])
    yield {
        "supplementaryConfiguration.DBSnapshotAttributes.0.attributeValues": ["all"],
        "facts.Attributes.DBSnapshotAttributes.0.AttributeValues": ["all"],
    }
    rds.delete_db_snapshot(DBSnapshotIdentifier="stock-1")
    yield GONE


def a_cluster(aws: Aws, name: str) -> Any:
    made = aws("rds").create_db_cluster(
        DBClusterIdentifier=name,
        Engine="aurora-mysql",
        MasterUsername="admin",
        MasterUserPassword="Correct-Horse-7",
    )
    return made["DBCluster"]


@scene("AWS::RDS::DBCluster")
def database_cluster(aws: Aws) -> Iterator[Any]:
    rds = aws("rds")
    yield a_cluster(aws, "ledger")["DbClusterResourceId"]
    rds.modify_db_cluster(DBClusterIdentifier="ledger", DeletionProtection=True, ApplyImmediately=True)
    yield {"configuration.deletionProtection": True}
    rds.modify_db_cluster(DBClusterIdentifier="ledger", DeletionProtection=False, ApplyImmediately=True)
    rds.delete_db_cluster(DBClusterIdentifier="ledger", SkipFinalSnapshot=True)
    yield GONE


@scene("AWS::RDS::DBClusterSnapshot")
def database_cluster_snapshot(aws: Aws) -> Iterator[Any]:
    rds = aws("rds")
    a_cluster(aws, "archive")
    rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier="archive-1", DBClusterIdentifier="archive")
    yield "archive-1"
    rds.modify_db_cluster_snapshot_attribute(
        DBClusterSnapshotIdentifier="archive-1", AttributeName="restore", ValuesToAdd=["all"]
    )
    yield {"supplementaryConfiguration.DBClusterSnapshotAttributes.0.attributeValues": ["all"]}
    rds.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier="archive-1")
    yield GONE


@scene("AWS::Redshift::Cluster")
def warehouse(aws: Aws) -> Iterator[Any]:
    redshift = aws("redshift")
    redshift.create_cluster(
        ClusterIdentifier="facts",
        NodeType="dc2.large",
        ClusterType="single-node",
        MasterUsername="admin",
        MasterUserPassword="Correct-Horse-7",
    )
    yield "facts"
    redshift.modify_cluster(ClusterIdentifier="facts", EnhancedVpcRouting=True)
    yield {"configuration.enhancedVpcRouting": True}
    redshift.delete_cluster(ClusterIdentifier="facts", SkipFinalClusterSnapshot=True)
    yield GONE


@scene("AWS::Redshift::ClusterParameterGroup")
def warehouse_parameters(aws: Aws) -> Iterator[Any]:
    redshift = aws("redshift")
    redshift.create_cluster_parameter_group(
        ParameterGroupName="strict", ParameterGroupFamily="redshift-1.0", Description="with TLS"
    )
    yield "strict"
    redshift.create_tags(
        ResourceName="arn:aws:redshift:us-east-1:123456789012:parametergroup:strict",
        Tags=[{"Key": "team", "Value": "web"}],
    )
    yield {"tags.team": "web"}
    redshift.delete_cluster_parameter_group(ParameterGroupName="strict")
    yield GONE


@scene("AWS::OpenSearch::Domain")
def search_domain(aws: Aws) -> Iterator[Any]:
    search = aws("opensearch")
    search.create_domain(DomainName="words", EngineVersion="OpenSearch_2.11")
    yield "words"
    search.update_domain_config(DomainName="words", NodeToNodeEncryptionOptions={"Enabled": True})
    yield {"configuration.NodeToNodeEncryptionOptions.Enabled": True}
    search.delete_domain(DomainName="words")
    yield GONE


@scene("AWS::Elasticsearch::Domain")
def old_search_domain(aws: Aws) -> Iterator[Any]:
    search = aws("es")
    search.create_elasticsearch_domain(DomainName="older", ElasticsearchVersion="7.10")
    yield "123456789012/older"
    arn = "arn:aws:es:us-east-1:123456789012:domain/older"
    search.add_tags(ARN=arn, TagList=[{"Key": "team", "Value": "web"}])
    yield {"tags.team": "web"}
    search.delete_elasticsearch_domain(DomainName="older")
    yield GONE


@scene("AWS::Kinesis::Stream")
def stream(aws: Aws) -> Iterator[Any]:
    kinesis = aws("kinesis")
    kinesis.create_stream(StreamName="clicks", ShardCount=1)
    yield "clicks"
    kinesis.start_stream_encryption(StreamName="clicks", EncryptionType="KMS", KeyId="alias/aws/kinesis")
    yield {"configuration.StreamEncryption.EncryptionType": "KMS"}
    kinesis.delete_stream(StreamName="clicks")
    yield GONE


@scene("AWS::ECR::Repository")
def repository(aws: Aws) -> Iterator[Any]:
    ecr = aws("ecr")
    ecr.create_repository(repositoryName="web")
    yield "web"
    ecr.put_image_tag_mutability(repositoryName="web", imageTagMutability="IMMUTABLE")
    yield {"configuration.ImageTagMutability": "IMMUTABLE"}
    ecr.delete_repository(repositoryName="web")
    yield GONE


@scene("AWS::EFS::FileSystem")
def file_system(aws: Aws) -> Iterator[Any]:
    efs = aws("efs")
    made = efs.create_file_system(CreationToken="home", Encrypted=True)["FileSystemId"]
    yield made
    efs.tag_resource(ResourceId=made, Tags=[{"Key": "team", "Value": "web"}])
    yield {"tags.team": "web", "configuration.Encrypted": True}
    efs.delete_file_system(FileSystemId=made)
    yield GONE


@scene("AWS::EFS::AccessPoint")
def access_point(aws: Aws) -> Iterator[Any]:
    efs = aws("efs")
    system = efs.create_file_system(CreationToken="shared", Encrypted=True)["FileSystemId"]
    made = efs.create_access_point(
        ClientToken="one",
        FileSystemId=system,
        PosixUser={"Uid": 1000, "Gid": 1000},
        RootDirectory={"Path": "/home"},
    )["AccessPointId"]
    yield made
    efs.tag_resource(ResourceId=made, Tags=[{"Key": "team", "Value": "web"}])
    yield {"tags.team": "web"}
    efs.delete_access_point(AccessPointId=made)
    yield GONE


@scene("AWS::Backup::BackupVault")
def vault(aws: Aws) -> Iterator[Any]:
    backup = aws("backup")
    backup.create_backup_vault(BackupVaultName="safe")
    yield "safe"
    backup.put_backup_vault_lock_configuration(BackupVaultName="safe", MinRetentionDays=7)
    yield {"configuration.LockConfiguration.MinRetentionDays": 7}
    backup.delete_backup_vault(BackupVaultName="safe")
    yield GONE


@scene("AWS::Backup::BackupPlan")
def backup_plan(aws: Aws) -> Iterator[Any]:
    backup = aws("backup")
    plan = {
        "BackupPlanName": "nightly",
        "Rules": [
            {
                "RuleName": "all",
                "TargetBackupVaultName": "safe",
                "ScheduleExpression": "cron(0 5 * * ? *)",
                "Lifecycle": {"DeleteAfterDays": 35},
            }
        ],
    }
    made = backup.create_backup_plan(BackupPlan=plan)
    yield made["BackupPlanId"]
    backup.tag_resource(ResourceArn=made["BackupPlanArn"], Tags={"team": "web"})
    yield {"tags.team": "web", "configuration.BackupPlan.BackupPlanRule.0.Lifecycle.DeleteAfterDays": 35}
    backup.delete_backup_plan(BackupPlanId=made["BackupPlanId"])
    yield GONE


@scene("AWS::Athena::WorkGroup")
def workgroup(aws: Aws) -> Iterator[Any]:
    athena = aws("athena")
    athena.create_work_group(Name="analysts", Configuration={"EnforceWorkGroupConfiguration": True})
    yield "analysts"
    arn = "arn:aws:athena:us-east-1:123456789012:workgroup/analysts"
    athena.tag_resource(ResourceARN=arn, Tags=[{"Key": "team", "Value": "web"}])
    yield {"tags.team": "web", "configuration.WorkGroupConfiguration.EnforceWorkGroupConfiguration": True}
    athena.delete_work_group(WorkGroup="analysts")
    yield GONE


@scene("AWS::ElastiCache::CacheCluster")
def cache(aws: Aws) -> Iterator[Any]:
    elasticache = aws("elasticache")
    elasticache.create_cache_cluster(
        CacheClusterId="hot", Engine="redis", CacheNodeType="cache.t3.micro", NumCacheNodes=1
    )
    yield "hot"
    arn = "arn:aws:elasticache:us-east-1:123456789012:cluster:hot"
    elasticache.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "team", "Value": "web"}])
    yield {"tags.team": "web"}


@scene("AWS::ECS::Cluster")
def container_cluster(aws: Aws) -> Iterator[Any]:
    ecs = aws("ecs")
    ecs.create_cluster(clusterName="web")
    yield "web"
    ecs.update_cluster(cluster="web", settings=[{"name": "containerInsights", "value": "enabled"}])
    yield {"configuration.ClusterSettings.0.Value": "enabled"}
    ecs.delete_cluster(cluster="web")
    yield GONE


@scene("AWS::ECS::TaskDefinition")
def task_definition(aws: Aws) -> Iterator[Any]:
    ecs = aws("ecs")
    made = ecs.register_task_definition(
        family="web",
        networkMode="awsvpc",
        containerDefinitions=[{"name": "web", "image": "nginx", "memory": 128, "privileged": False}],
    )["taskDefinition"]["taskDefinitionArn"]
    yield made
    ecs.tag_resource(resourceArn=made, tags=[{"key": "team", "value": "web"}])
    yield {"tags.team": "web"}
    ecs.deregister_task_definition(taskDefinition=made)
    yield GONE


@scene("AWS::ECS::Service")
def container_service(aws: Aws) -> Iterator[Any]:
    ecs = aws("ecs")
    ecs.create_cluster(clusterName="shop")
    ecs.register_task_definition(
        family="shop", containerDefinitions=[{"name": "shop", "image": "nginx", "memory": 128}]
    )
    made = ecs.create_service(
        cluster="shop",
        serviceName="shop",
        taskDefinition="shop",
        desiredCount=1,
    )["service"]["serviceArn"]
    yield made
    ecs.update_service(cluster="shop", service="shop", desiredCount=2)
    yield {"configuration.DesiredCount": 2}
    ecs.delete_service(cluster="shop", service="shop", force=True)
    yield GONE
