"""What no verifier can be quicker than: every log file of a bucket fetched, inflated and hashed; nothing compared.

python -m bench.alone: as many processes as there are cores, each with many requests under way; prints how many files.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache, partial
from hashlib import sha256
from multiprocessing import get_context

from isal import isal_zlib

from trailstate.cli.getting import Gathering, Getter
from trailstate.cli.objects import listed
from trailstate.cli.signing import Key
from trailstate.world import RealWorld

AT_ONCE = 8
SHARE_FILES = 256


def key() -> Key:
    return Key(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"], None)


@lru_cache(maxsize=1)
def gathering(address: str) -> Gathering:
    return Gathering(address, os.environ["AWS_DEFAULT_REGION"], key, RealWorld().now, AT_ONCE)


def hashed(address: str, share: Sequence[str]) -> int:
    for _, got in gathering(address).each([f"/{name}" for name in share]):
        sha256(isal_zlib.decompress(got.body, 16 + isal_zlib.MAX_WBITS)).hexdigest()
    return len(share)


def main() -> None:
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ["AWS_ENDPOINT_URL"]
    address = f"{endpoint}/audit-logs"
    getter = Getter(address, os.environ["AWS_DEFAULT_REGION"], key, RealWorld().now)
    names = [found.key for found in listed(getter, "audit-logs", "") if "/CloudTrail/" in found.key]
    shares = [names[first : first + SHARE_FILES] for first in range(0, len(names), SHARE_FILES)]
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        print(sum(pool.map(partial(hashed, address), shares)))


if __name__ == "__main__":
    main()
