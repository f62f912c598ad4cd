"""An issuer of OIDC tokens: its keys, the file that the server reads them from, and tokens good and bad."""

import base64
import hashlib
import hmac
import json
import time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
CURVES = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}
CURVE_NAMES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}


def base64url(data):
    """As JSON Web Tokens write bytes."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value, length=None):
    """As JSON Web Keys write numbers."""
    return base64url(value.to_bytes(length or (value.bit_length() + 7) // 8, "big"))


class Key:
    """A private key that signs with one algorithm."""

    def __init__(self, algorithm, key_id):
        self.algorithm, self.key_id = algorithm, key_id
        if algorithm.startswith("ES"):
            self.private = ec.generate_private_key(CURVES[algorithm])
        elif algorithm == "EdDSA":
            self.private = ed25519.Ed25519PrivateKey.generate()
        else:
            self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @property
    def public(self):
        """The public half as a JSON Web Key."""
        names = {"kid": self.key_id, "use": "sig", "alg": self.algorithm}
        public = self.private.public_key()
        if self.algorithm == "EdDSA":
            return {"kty": "OKP", "crv": "Ed25519", "x": base64url(public.public_bytes_raw()), **names}
        numbers = public.public_numbers()
        if self.algorithm.startswith("ES"):
            length = (public.key_size + 7) // 8
            return {"kty": "EC", "crv": CURVE_NAMES[self.algorithm], "x": number(numbers.x, length),
                    "y": number(numbers.y, length), **names}
        return {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e), **names}

    def sign(self, message):
        """The signature of a message."""
        if self.algorithm == "EdDSA":
            return self.private.sign(message)
        digest = HASHES[self.algorithm[2:]]
        if self.algorithm.startswith("ES"):
            length = (self.private.key_size + 7) // 8
            signed = self.private.sign(message, ec.ECDSA(digest))
            return b"".join(part.to_bytes(length, "big")
                            for part in utils.decode_dss_signature(signed))
        if self.algorithm.startswith("PS"):
            salted = padding.PSS(padding.MGF1(digest), digest.digest_size)
            return self.private.sign(message, salted, digest)
        return self.private.sign(message, padding.PKCS1v15(), digest)


class Issuer:
    """An issuer with a key of each algorithm."""

    ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "ES512", "EdDSA"]

    def __init__(self, url, path):
        self.url, self.path = url, path
        self.name = url.removeprefix("https://")
        self.keys = {algorithm: Key(algorithm, f"key-{algorithm}") for algorithm in self.ALGORITHMS}
        self.publish(*self.keys.values())

    @property
    def setting(self):
        """What the server is told of it."""
        return f"{self.url}={self.path}"

    def publish(self, *keys):
        """Puts these keys, and no others, where the server reads them."""
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps({"keys": [key.public for key in keys]}))
        fresh.rename(self.path)

    def claims(self, **more):
        """What a good token says, with changes; a claim that is None is left out."""
        now = int(time.time())
        claims = {"iss": self.url, "sub": "user-1", "aud": "app", "iat": now, "exp": now + 600,
                  **more}
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, key=None, header=None, payload=None, **claims):
        """A token; `header` and `payload` are texts in place of those that fit."""
        key = key or self.keys["ES256"]
        header = header or json.dumps({"alg": key.algorithm, "kid": key.key_id})
        payload = payload or json.dumps(self.claims(**claims))
        signed = f"{base64url(header.encode())}.{base64url(payload.encode())}"
        return f"{signed}.{base64url(key.sign(signed.encode()))}"

    def hmac_token(self, secret):
        """A token under a MAC with what everybody knows."""
        header = json.dumps({"alg": "HS256", "kid": "key-RS256"})
        signed = f"{base64url(header.encode())}.{base64url(json.dumps(self.claims()).encode())}"
        return f"{signed}.{base64url(hmac.digest(secret, signed.encode(), hashlib.sha256))}"
