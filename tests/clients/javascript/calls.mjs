// Everyday calls of the AWS SDK for JavaScript, with nothing but the usual variables. Prints one JSON line for each
// call: its name, the request id the client saw, and what else the test asks about.

import { CloudTrailClient, LookupEventsCommand } from "@aws-sdk/client-cloudtrail";
import { CloudWatchClient, PutMetricDataCommand, DescribeAlarmsCommand } from "@aws-sdk/client-cloudwatch";
import { AwsSmithyRpcV2CborProtocol } from "@aws-sdk/core/protocols";
import { EC2Client, RunInstancesCommand, TerminateInstancesCommand } from "@aws-sdk/client-ec2";
import {
  CreateBucketCommand, DeleteBucketCommand, GetObjectCommand, HeadBucketCommand, ListObjectsV2Command,
  PutObjectCommand, DeleteObjectCommand, S3Client,
} from "@aws-sdk/client-s3";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";

async function call(client, command, tell = () => ({})) {
  const name = command.constructor.name.replace(/Command$/, "");
  const said = { name };
  let answer;
  try {
    answer = await client.send(command);
    Object.assign(said, await tell(answer));
  } catch (error) {
    answer = error;
    said.error = error.name;
  }
  said.requestId = answer.$metadata?.requestId ?? null;
  said.attempts = answer.$metadata?.attempts ?? null;
  console.log(JSON.stringify(said));
  return answer;
}

const sts = new STSClient({});
await call(sts, new GetCallerIdentityCommand({}), (answer) => ({ arn: answer.Arn }));

const s3 = new S3Client({});
const Bucket = "made-by-javascript";
const Key = "a b/ü+&.txt";
await call(s3, new CreateBucketCommand({ Bucket }));
await call(s3, new HeadBucketCommand({ Bucket }));
await call(s3, new PutObjectCommand({ Bucket, Key, Body: "kept" }));
await call(s3, new GetObjectCommand({ Bucket, Key }), async (answer) => ({ body: await answer.Body.transformToString() }));
await call(s3, new ListObjectsV2Command({ Bucket }), (answer) => ({ keys: answer.Contents.map((each) => each.Key) }));
await call(s3, new DeleteObjectCommand({ Bucket, Key }));
await call(s3, new DeleteBucketCommand({ Bucket }));
await call(s3, new GetObjectCommand({ Bucket, Key }));

const ec2 = new EC2Client({});
const run = await call(ec2, new RunInstancesCommand({ ImageId: "ami-12c6146b", MinCount: 1, MaxCount: 1 }));
const id = run.Instances[0].InstanceId;
await call(ec2, new TerminateInstancesCommand({ InstanceIds: [id] }), () => ({ id }));

const cloudwatch = new CloudWatchClient({ protocol: AwsSmithyRpcV2CborProtocol });
const datum = { MetricName: "orders", Value: 1.5, Unit: "Count" };
await call(cloudwatch, new PutMetricDataCommand({ Namespace: "shop", MetricData: [datum] }));
await call(cloudwatch, new DescribeAlarmsCommand({}), (answer) => ({ alarms: answer.MetricAlarms.length }));

const trail = new CloudTrailClient({});
const attribute = { AttributeKey: "ResourceName", AttributeValue: id };
await call(trail, new LookupEventsCommand({ LookupAttributes: [attribute] }), (answer) => ({
  events: answer.Events.map((event) => [event.EventName, event.EventTime instanceof Date, event.ReadOnly]),
}));
