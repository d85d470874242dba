"""Cloud Custodian's filters over resources in a file, for the rules that Trailstate has too. Runs under its own Python.

PYTHON-WITH-C7N bench/custodian.py RESOURCES.json
"""

import json
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RUNS = 3


@dataclass(frozen=True)
class Peer:
    """One rule of ours, and the filters that say the same."""

    rule: str
    filters: list[Any]


PEERS = {
    "ebs": Peer(
        "ENCRYPTED_VOLUMES",
        [{"Encrypted": False}, {"type": "value", "key": "Attachments[0].InstanceId", "value": "present"}],
    ),
    "security-group": Peer(
        "INCOMING_SSH_DISABLED",
        [
            {
                "or": [
                    {"type": "ingress", "Ports": [22], "Cidr": {"value": "0.0.0.0/0"}},
                    {"type": "ingress", "Ports": [22], "CidrV6": {"value": "::/0"}},
                ]
            }
        ],
    ),
    "rds": Peer("RDS_STORAGE_ENCRYPTED", [{"StorageEncrypted": False}]),
}


def main() -> None:
    from c7n.config import Config
    from c7n.loader import PolicyLoader
    from c7n.resources import load_resources

    load_resources([f"aws.{kind}" for kind in PEERS])
    made = json.loads(Path(sys.argv[1]).read_bytes())
    told = {}
    loader = PolicyLoader(Config.empty(account_id="111122223333", region="us-east-1"))
    for kind, peer in PEERS.items():
        policies = [{"name": peer.rule.lower().replace("_", "-"), "resource": f"aws.{kind}", "filters": peer.filters}]
        (policy,) = loader.load_data({"policies": policies}, "memory://", validate=False)
        rates, broken = [], 0
        for _ in range(RUNS):
            resources = [dict(each) for each in made[kind]]
            began = time.process_time()
            broken = len(policy.resource_manager.filter_resources(resources))
            rates.append(len(resources) / (time.process_time() - began))
        told[kind] = {"broken": broken, "per_second": statistics.median(rates)}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
