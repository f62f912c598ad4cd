"""A multi-Region key: its primary and its replicas, seen through a client of each Region."""

from keystead import ACCOUNT, REGION
from timed import eventually

# Where the first replica is made, and another.
REPLICA, THIRD = "eu-west-1", "ap-southeast-2"


class Related:
    """A multi-Region key and its clients in three Regions; its primary is in the tests' Region at first."""

    def __init__(self, client, **parameters):
        self.client = client
        self.metadata = client(REGION).create_key(MultiRegion=True, **parameters)["KeyMetadata"]
        self.key_id = self.metadata["KeyId"]

    def arn(self, region):
        """The ARN of the key in a Region."""
        return f"arn:aws:kms:{region}:{ACCOUNT}:key/{self.key_id}"

    def call(self, region, operation, **parameters):
        """An operation, by its boto3 name, on the key in a Region."""
        return getattr(self.client(region), operation)(KeyId=self.key_id, **parameters)

    def described(self, region):
        """The metadata of the key in a Region."""
        return self.call(region, "describe_key")["KeyMetadata"]

    def state(self, region):
        """The state of the key in a Region; None where there is none."""
        try:
            return self.described(region)["KeyState"]
        except self.client(region).exceptions.NotFoundException:
            return None

    def wait_for_state(self, region, state):
        """Waits until the key in a Region has that state."""
        eventually(f"{self.arn(region)} is {state}", lambda: self.state(region) == state)

    def replicate(self, region=REPLICA, state="Enabled", **parameters):
        """Makes a replica and waits for it."""
        answer = self.call(REGION, "replicate_key", ReplicaRegion=region, **parameters)
        self.wait_for_state(region, state)
        return answer

    def move(self, former, region):
        """Makes the key in a Region the primary and waits until that is done."""
        self.call(former, "update_primary_region", PrimaryRegion=region)
        for one in (former, region):
            self.wait_for_state(one, "Enabled")


def materials(related, region):
    """Ids and states of the materials of a key in a Region, with the state of their import if they have one."""
    entries = related.call(region, "list_key_rotations",
                           IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    return [tuple(filter(None, (entry["KeyMaterialId"], entry["KeyMaterialState"],
                                entry.get("ImportState")))) for entry in entries]


def cleaned(answer):
    """An answer without what every answer has."""
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}
