"""A lab in which scenes are played: what is made, changed and deleted there, AWS Config may watch."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.resources import scenes_beyond, scenes_data, scenes_identity, scenes_network, scenes_services
from tests.resources.scene import SCENES
from trailstate.testing import Lab, lab

REGION = "us-east-1"
PLAYED = (scenes_beyond, scenes_data, scenes_identity, scenes_network, scenes_services)
"""The modules whose import fills `SCENES`."""


class Stage:
    """Scenes of some types upon one lab, played act by act."""

    def __init__(self, aws: Lab, names: Iterable[str] = SCENES) -> None:
        self.aws = aws
        self._scenes = {name: SCENES[name](self.client) for name in names}

    def client(self, service: str) -> Any:
        """A client; S3 Control's, which would call `ACCOUNT.host`, calls the host itself."""
        client = self.aws.client(service)
        if service == "s3control":
            client.meta.events.register("before-sign.s3-control", self._at_host)
        return client

    def _at_host(self, request: Any, **_: Any) -> None:
        request.url = request.url.replace(f"{self.aws.account}.", "", 1)

    def act(self, see: Callable[[str, Any], None]) -> None:
        """Play every scene on to its next act, let everything settle, and see what each has to say."""
        told = {name: next(scene, None) for name, scene in self._scenes.items()}
        self.aws.settle()
        for name, each in told.items():
            see(name, each)


@contextmanager
def recording_lab() -> Iterator[Lab]:
    """A lab whose recorder records every type."""
    with lab() as aws:
        config = aws.client("config")
        aws.client("s3").create_bucket(Bucket="config-files")
        group = {"allSupported": True, "includeGlobalResourceTypes": True}
        role = f"arn:aws:iam::{aws.account}:role/config"
        config.put_configuration_recorder(
            ConfigurationRecorder={"name": "default", "roleARN": role, "recordingGroup": group}
        )
        config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": "config-files"})
        config.start_configuration_recorder(ConfigurationRecorderName="default")
        aws.settle()
        yield aws
