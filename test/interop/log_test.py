# SPDX-License-Identifier: Apache-2.0
"""Others read a log of Hanse: Go's golang.org/x/mod/sumdb and torchwood's spicy."""
import base64
import os
import shutil
import subprocess

from interop import folder, need, run, tool
from pathlib import Path

need("go", "spicy-torchwood", "/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog/tile.go")
place = folder()
log = place / "log"
ed25519, ml_dsa = tool("make", log, 777).split()
assert base64.b64decode(ml_dsa.split("+", 2)[2])[0] == 6, "the second key is not of type 0x06"

# Go compiles its reader against Debian's sources alone: no module, no network.
environment = dict(os.environ, GO111MODULE="off", GOPATH="/usr/share/gocode", GOCACHE=str(place / "go"), GOFLAGS="", GOTOOLCHAIN="local", HOME=str(place))
reader = place / "read_log"
run("go", "build", "-o", reader, Path(__file__).with_name("read_log.go"), env=environment)
said = run(reader, log, ed25519)
assert said == "777 entries and 777 earlier trees\n", said

# And it is a judge: what was changed, it refuses.
broken = place / "broken"
shutil.copytree(log, broken)
tile = broken / "tile/0/001"
tile.write_bytes(tile.read_bytes()[:-1] + bytes([tile.read_bytes()[-1] ^ 1]))

assert subprocess.run([reader, broken, ed25519], capture_output=True).returncode != 0, "Go read a changed tile"

# spicy takes a receipt as its signature of a file: the entry. Its format is that of before C2SP named it, without first line and extra.
for index in (0, 255, 256, 776):
    out = place / f"record{index}"
    out.mkdir()
    tool("dump", log, index, out)
    proof = (out / "receipt.tlog-proof").read_text()
    assert proof.startswith("c2sp.org/tlog-proof@v1\nextra ")
    (out / "entry.spicy").write_text(proof.split("\n", 2)[2])
    run("spicy-torchwood", "-verify", ed25519, out / "entry")
    (out / "other").write_bytes((out / "entry").read_bytes()[:-1] + bytes([(out / "entry").read_bytes()[-1] ^ 1]))
    shutil.copy(out / "entry.spicy", out / "other.spicy")
    assert subprocess.run(["spicy-torchwood", "-verify", ed25519, out / "other"], capture_output=True).returncode != 0
shutil.rmtree(place, ignore_errors=True)
print("Go's sumdb and torchwood's spicy read the log")
