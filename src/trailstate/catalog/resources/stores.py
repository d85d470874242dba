"""Other keepers of data: EFS file system and access point, ElastiCache cluster, Redshift cluster and its parameters."""

from trailstate.catalog.touch import answered, asked, named_after
from trailstate.configuration.form import REGIONAL, Describe, Part, Relation, ResourceType

NO_FILE_SYSTEM = ("FileSystemNotFound",)
NO_ACCESS_POINT = ("AccessPointNotFound",)
TAGGED = asked("resourceId", "TagResource", "UntagResource")

FILE_SYSTEM = ResourceType(
    name="AWS::EFS::FileSystem",
    listing=Describe("efs", "DescribeFileSystems", at="FileSystems[]"),
    key="FileSystemId",
    describe=Describe("efs", "DescribeFileSystems", {"FileSystemId": "{key}"}, "FileSystems[]", NO_FILE_SYSTEM),
    listed_whole=True,
    resource_name="{Name}",
    arn="{FileSystemArn}",
    created="{CreationTime}",
    zone=REGIONAL,
    renames={"FileSystemArn": "Arn"},
    touched_by=TAGGED
    | answered("fileSystemId", "CreateFileSystem")
    | asked(
        "fileSystemId",
        "DeleteFileSystem",
        "DeleteFileSystemPolicy",
        "PutBackupPolicy",
        "PutFileSystemPolicy",
        "PutLifecycleConfiguration",
        "UpdateFileSystem",
    ),
    read_key=lambda text: text if text.startswith("fs-") else "",
)

ACCESS_POINT = ResourceType(
    name="AWS::EFS::AccessPoint",
    listing=Describe("efs", "DescribeAccessPoints", at="AccessPoints[]"),
    key="AccessPointId",
    describe=Describe("efs", "DescribeAccessPoints", {"AccessPointId": "{key}"}, "AccessPoints[]", NO_ACCESS_POINT),
    listed_whole=True,
    resource_name="{Name}",
    arn="{AccessPointArn}",
    zone=REGIONAL,
    renames={"AccessPointArn": "Arn"},
    touched_by=TAGGED | answered("accessPointId", "CreateAccessPoint") | asked("accessPointId", "DeleteAccessPoint"),
    read_key=lambda text: text if text.startswith("fsap-") else "",
)

NO_CACHE = ("CacheClusterNotFound", "CacheClusterNotFoundFault")


CACHE = ResourceType(
    name="AWS::ElastiCache::CacheCluster",
    listing=Describe("elasticache", "DescribeCacheClusters", at="CacheClusters[]"),
    key="CacheClusterId",
    describe=Describe("elasticache", "DescribeCacheClusters", {"CacheClusterId": "{key}"}, "CacheClusters[]", NO_CACHE),
    listed_whole=True,
    more={"Tags": Describe("elasticache", "ListTagsForResource", {"ResourceName": "{ARN}"}, "TagList[]", NO_CACHE)},
    resource_name="{key}",
    arn="{ARN}",
    created="{CacheClusterCreateTime}",
    pascal=True,
    touched_by=asked("cacheClusterId", "CreateCacheCluster", "DeleteCacheCluster", "ModifyCacheCluster")
    | asked("cacheClusterId", "RebootCacheCluster")
    | asked("resourceName", "AddTagsToResource", "RemoveTagsFromResource"),
    read_key=named_after(":cluster:"),
)

NO_WAREHOUSE = ("ClusterNotFound", "ClusterNotFoundFault")
WAREHOUSE_TAGGED = asked("resourceName", "CreateTags", "DeleteTags")

WAREHOUSE = ResourceType(
    name="AWS::Redshift::Cluster",
    listing=Describe("redshift", "DescribeClusters", at="Clusters[]"),
    key="ClusterIdentifier",
    describe=Describe("redshift", "DescribeClusters", {"ClusterIdentifier": "{key}"}, "Clusters[]", NO_WAREHOUSE),
    listed_whole=True,
    resource_name="{key}",
    arn="arn:aws:redshift:{region}:{account}:cluster:{key}",
    created="{ClusterCreateTime}",
    zone="{AvailabilityZone}",
    keeps=("MultiAZ", "Tags"),
    relations=(
        Relation(
            "AWS::Redshift::ClusterParameterGroup",
            "Is associated with ClusterParameterGroup",
            at="ClusterParameterGroups[].ParameterGroupName",
            resource_name="",
        ),
        Relation(
            "AWS::Redshift::ClusterSecurityGroup",
            "Is associated with ClusterSecurityGroup",
            at="ClusterSecurityGroups[].ClusterSecurityGroupName",
            resource_name="",
        ),
        Relation(
            "AWS::Redshift::ClusterSubnetGroup",
            "Is associated with ClusterSubnetGroup",
            at="ClusterSubnetGroupName",
            resource_name="",
        ),
        Relation(
            "AWS::EC2::SecurityGroup", "Is associated with SecurityGroup", at="VpcSecurityGroups[].VpcSecurityGroupId"
        ),
        Relation("AWS::EC2::VPC", "Is associated with Vpc", at="VpcId"),
    ),
    parts=(
        Part(
            "LoggingStatus",
            Describe("redshift", "DescribeLoggingStatus", {"ClusterIdentifier": "{key}"}, "", NO_WAREHOUSE),
        ),
    ),
    touched_by=WAREHOUSE_TAGGED
    | asked(
        "clusterIdentifier",
        "CreateCluster",
        "DeleteCluster",
        "DisableLogging",
        "DisableSnapshotCopy",
        "EnableLogging",
        "EnableSnapshotCopy",
        "ModifyCluster",
        "ModifyClusterIamRoles",
        "ModifyClusterMaintenance",
        "PauseCluster",
        "RebootCluster",
        "ResizeCluster",
        "RestoreFromClusterSnapshot",
        "ResumeCluster",
        "RotateEncryptionKey",
    ),
    read_key=named_after(":cluster:"),
)

NO_PARAMETERS = ("ClusterParameterGroupNotFound", "ClusterParameterGroupNotFoundFault")

WAREHOUSE_PARAMETERS = ResourceType(
    name="AWS::Redshift::ClusterParameterGroup",
    listing=Describe("redshift", "DescribeClusterParameterGroups", at="ParameterGroups[]"),
    key="ParameterGroupName",
    describe=Describe(
        "redshift",
        "DescribeClusterParameterGroups",
        {"ParameterGroupName": "{key}"},
        "ParameterGroups[]",
        NO_PARAMETERS,
    ),
    listed_whole=True,
    resource_name="{key}",
    arn="arn:aws:redshift:{region}:{account}:parametergroup:{key}",
    zone=REGIONAL,
    keeps=("Tags",),
    parts=(
        Part(
            "Parameters",
            Describe(
                "redshift", "DescribeClusterParameters", {"ParameterGroupName": "{key}"}, "Parameters[]", NO_PARAMETERS
            ),
        ),
    ),
    touched_by=WAREHOUSE_TAGGED
    | asked(
        "parameterGroupName",
        "CreateClusterParameterGroup",
        "DeleteClusterParameterGroup",
        "ModifyClusterParameterGroup",
        "ResetClusterParameterGroup",
    ),
    read_key=named_after(":parametergroup:"),
)

RESOURCES = (FILE_SYSTEM, ACCESS_POINT, CACHE, WAREHOUSE, WAREHOUSE_PARAMETERS)
