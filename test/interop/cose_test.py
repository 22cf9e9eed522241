# SPDX-License-Identifier: Apache-2.0
"""Hanse's COSE receipts by the words of RFC 9942 and RFC 9052, with cbor2 and cryptography and nothing of ours."""
import base64
import shutil
import sys

from interop import folder, key_id, leaf_hash, sha, tool

try:
    import cbor2
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError as missing:
    print(f"not run: {missing}")
    sys.exit(77)
try:
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey
except ImportError:
    MLDSA44PublicKey = None
    print("not run: this cryptography knows no ML-DSA; the Ed25519 receipts are checked")

place = folder()
log = place / "log"
keys = tool("make", log, 777).split()
origin = keys[0].split("+")[0]
raw = {name: base64.b64decode(key.split("+", 2)[2]) for name, key in zip(("ed25519", "ml-dsa-44"), keys)}


def root_of(entry, size, index, path):
    """RFC 9162, section 2.1.3.2."""
    assert index < size
    at, last, hashed = index, size - 1, leaf_hash(entry)
    for beside in path:
        assert last > 0
        if at & 1 or at == last:
            hashed = sha(b"\1", beside, hashed)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            hashed = sha(b"\1", hashed, beside)
        at, last = at >> 1, last >> 1
    assert last == 0
    return hashed


def verify(receipt, entry, name):
    message = cbor2.loads(receipt)
    assert message.tag == 18
    protected, unprotected, payload, signature = message.value
    head = cbor2.loads(protected)
    assert head == {1: -8 if name == "ed25519" else -48, 4: key_id(origin, raw[name][0], raw[name][1:]), 15: {1: origin, 2: "777"}, 395: 1}, head
    assert payload is None and list(unprotected) == [396] and list(unprotected[396]) == [-1] and len(unprotected[396][-1]) == 1
    size, index, path = cbor2.loads(unprotected[396][-1][0])
    root = root_of(entry, size, index, path)
    signed = cbor2.dumps(["Signature1", protected, b"", root])
    if name == "ed25519":
        Ed25519PublicKey.from_public_bytes(raw[name][1:]).verify(signature, signed)
    elif MLDSA44PublicKey:
        MLDSA44PublicKey.from_public_bytes(raw[name][1:]).verify(signature, signed)
    # Deterministic: what cbor2 writes of it is what we wrote.
    again = cbor2.dumps(cbor2.CBORTag(18, [cbor2.dumps(head, canonical=True), {396: {-1: [cbor2.dumps([size, index, list(path)], canonical=True)]}}, None, signature]), canonical=True)
    assert again == receipt, "not in deterministic form"
    return size, index, root


checkpoint = (log / "checkpoint").read_text().splitlines()
for index in (0, 1, 255, 256, 511, 512, 776):
    out = place / str(index)
    out.mkdir()
    tool("dump", log, index, out)
    entry = (out / "entry").read_bytes()
    for name in raw:
        receipt = (out / f"{name}.cose").read_bytes()
        assert verify(receipt, entry, name) == (777, index, base64.b64decode(checkpoint[2])), (name, index)
    try:
        verify((out / "ed25519.cose").read_bytes(), entry[:-1] + bytes([entry[-1] ^ 1]), "ed25519")
        raise SystemExit("another entry was believed")
    except InvalidSignature:
        pass
shutil.rmtree(place, ignore_errors=True)
print("COSE receipts of both algorithms verify")
