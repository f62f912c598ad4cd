"""Ed25519ph as RFC 8032, section 5.1, has it: neither `cryptography` nor the `openssl` of Debian 12 knows it.

For tests alone: nothing here hides a secret from a clock. `message` is the RFC's M, which is hashed here (PH of the
RFC); whoever has only a digest and gives that is hashed twice.
"""

import hashlib

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
# dom2(1, ""): prehashed, no context.
DOMAIN = b"SigEd25519 no Ed25519 collisions" + bytes([1, 0])


def _hash(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")


def _add(one, other):
    """Section 5.1.4, in affine coordinates."""
    (x1, y1), (x2, y2) = one, other
    product = D * x1 * x2 * y1 * y2 % P
    return ((x1 * y2 + x2 * y1) * pow(1 + product, -1, P) % P,
            (y1 * y2 + x1 * x2) * pow(1 - product, -1, P) % P)


def _times(number, point):
    result = (0, 1)
    for bit in bin(number)[2:]:
        result = _add(result, result)
        if bit == "1":
            result = _add(result, point)
    return result


def _decode(data):
    """Section 5.1.3."""
    number = int.from_bytes(data, "little")
    y, sign = number % 2**255, number >> 255
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    assert y < P and x * x % P == square and not (x == 0 and sign)
    return (x if x % 2 == sign else P - x), y


def _encode(point):
    """Section 5.1.2."""
    x, y = point
    return (y | (x % 2) << 255).to_bytes(32, "little")


BASE = _decode((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def sign(seed, message):
    """Section 5.1.6."""
    expanded = hashlib.sha512(seed).digest()
    secret = int.from_bytes(expanded[:32], "little") & (2**254 - 8) | 2**254
    public_key = _encode(_times(secret, BASE))
    prehashed = hashlib.sha512(message).digest()
    nonce = _hash(DOMAIN, expanded[32:], prehashed) % L
    commitment = _encode(_times(nonce, BASE))
    challenge = _hash(DOMAIN, commitment, public_key, prehashed) % L
    return commitment + ((nonce + challenge * secret) % L).to_bytes(32, "little")


def verifies(public_key, message, signature):
    """Section 5.1.7."""
    commitment, response = signature[:32], int.from_bytes(signature[32:], "little")
    prehashed = hashlib.sha512(message).digest()
    challenge = _hash(DOMAIN, commitment, public_key, prehashed) % L
    return response < L and _times(response, BASE) == _add(
        _decode(commitment), _times(challenge, _decode(public_key)))
