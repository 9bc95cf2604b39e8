"""Signing keys: which key a file holds, and how it gets into the lock file."""

from __future__ import annotations

import base64
import hashlib
import ssl

import pytest
from ansible_collections.gpufleet.serving.plugins.module_utils.release.http import Client
from ansible_collections.gpufleet.serving.plugins.plugin_utils.lock import collect, openpgp
from ansible_collections.gpufleet.serving.plugins.plugin_utils.lock.errors import LockError
from ansible_collections.gpufleet.serving.plugins.plugin_utils.lock.wanted import Download
from release_server import serving, status, whole

# Two keys made by gpg 2.2 for these tests, an ed25519 and an RSA one, with the fingerprints that gpg shows.
ONE = "F3AF66E8429F168B8F22D2BA0D63BD00AB1F3814"
ONE_ARMOURED = b"""\
-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEawagCxYJKwYBBAHaRw8BAQdAFkEoUxY1XgpgYVgQ34G8bF//A4pTL+Zf3dEv
ufSk9+O0FU9uZSA8b25lQGV4YW1wbGUub3JnPoiQBBMWCAA4FiEE869m6EKfFouP
ItK6DWO9AKsfOBQFAmsGoAsCGwMFCwkIBwIGFQoJCAsCBBYCAwECHgECF4AACgkQ
DWO9AKsfOBR2IAD9EMzP666tLoeS6hmsiqsMbQAFeUamE5ESqJgC3i4ff7kBAOl5
ujOf0IzzY7rNWKwaufaI7V8rDEAitahg0QKGZrsJ
=fzis
-----END PGP PUBLIC KEY BLOCK-----
"""
TWO = "21C32CC6F59A63FD6C5F2D5F7335A1E77ECDE4EA"
TWO_ARMOURED = b"""\
-----BEGIN PGP PUBLIC KEY BLOCK-----

mQENBGsGoAsBCAC9ElDWiCA5IOq2TTkQGQFPeUts2B1xlA5ORO5DdCf3RSueQhVm
2PK+LITtDeDp7Chm08s4JOr0u2kFgZ+tOrquv824b230Voy5bl7C5qo+zrMvkzIZ
29cpeFfJsmnfuxaL2T4YOcjOe6BQA/CEcGgV9t8kaiXPyztynsSyimOapOuu7wLO
6OjWF3U6oXtC1f+MSrk88Co58ClxSyrAnQetQPGSkGtpyRUk0Y3NzpgTcBDKsnWs
I3HYPN6M55FvHfKaIzMjBDN/vorR21QO2BsOMi4QftJqM/ehwXkzV1zDpmS6PV+R
s5pGVeInd6sRBQp7yN6zMpY7Sm7hxAx+jyBdABEBAAG0FVR3byA8dHdvQGV4YW1w
bGUub3JnPokBTgQTAQoAOBYhBCHDLMb1mmP9bF8tX3M1oed+zeTqBQJrBqALAhsD
BQsJCAcCBhUKCQgLAgQWAgMBAh4BAheAAAoJEHM1oed+zeTq5TMH/0V8Z4ADqrS3
HV26iIEXxX+afCyYAPnxyejMWte0Zzbnop+G73mVOtKFcDWeZKLTPyJcqWZjvcv/
grRCZR6aIvY7rgPrU1kdLttoVrjtTEIwCEs8K+aE2U89mY5QhbRQTPwtu7CFgVhR
rihUWGDTTM1XM/i3O+TJHw3gxipHEV3siCj2V1TfIwb4wjANPHBr1fOR4hbVjHY0
dncv4sv8reMkydr/hEq4r8AMCDGVUtEpXB9rEFU8T2IBTkscVcCV+84Z8QEP6jfR
9gO52M1LCEt+J26VpjA9+TjYlFBQmpJU5X0kRmHgYqq3uK7XiDryF15fWPrqcwda
aSFvz6k8zrk=
=VTHh
-----END PGP PUBLIC KEY BLOCK-----
"""
BOTH_ARMOURED = b"""\
-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEawagCxYJKwYBBAHaRw8BAQdAFkEoUxY1XgpgYVgQ34G8bF//A4pTL+Zf3dEv
ufSk9+O0FU9uZSA8b25lQGV4YW1wbGUub3JnPoiQBBMWCAA4FiEE869m6EKfFouP
ItK6DWO9AKsfOBQFAmsGoAsCGwMFCwkIBwIGFQoJCAsCBBYCAwECHgECF4AACgkQ
DWO9AKsfOBR2IAD9EMzP666tLoeS6hmsiqsMbQAFeUamE5ESqJgC3i4ff7kBAOl5
ujOf0IzzY7rNWKwaufaI7V8rDEAitahg0QKGZrsJmQENBGsGoAsBCAC9ElDWiCA5
IOq2TTkQGQFPeUts2B1xlA5ORO5DdCf3RSueQhVm2PK+LITtDeDp7Chm08s4JOr0
u2kFgZ+tOrquv824b230Voy5bl7C5qo+zrMvkzIZ29cpeFfJsmnfuxaL2T4YOcjO
e6BQA/CEcGgV9t8kaiXPyztynsSyimOapOuu7wLO6OjWF3U6oXtC1f+MSrk88Co5
8ClxSyrAnQetQPGSkGtpyRUk0Y3NzpgTcBDKsnWsI3HYPN6M55FvHfKaIzMjBDN/
vorR21QO2BsOMi4QftJqM/ehwXkzV1zDpmS6PV+Rs5pGVeInd6sRBQp7yN6zMpY7
Sm7hxAx+jyBdABEBAAG0FVR3byA8dHdvQGV4YW1wbGUub3JnPokBTgQTAQoAOBYh
BCHDLMb1mmP9bF8tX3M1oed+zeTqBQJrBqALAhsDBQsJCAcCBhUKCQgLAgQWAgMB
Ah4BAheAAAoJEHM1oed+zeTq5TMH/0V8Z4ADqrS3HV26iIEXxX+afCyYAPnxyejM
Wte0Zzbnop+G73mVOtKFcDWeZKLTPyJcqWZjvcv/grRCZR6aIvY7rgPrU1kdLtto
VrjtTEIwCEs8K+aE2U89mY5QhbRQTPwtu7CFgVhRrihUWGDTTM1XM/i3O+TJHw3g
xipHEV3siCj2V1TfIwb4wjANPHBr1fOR4hbVjHY0dncv4sv8reMkydr/hEq4r8AM
CDGVUtEpXB9rEFU8T2IBTkscVcCV+84Z8QEP6jfR9gO52M1LCEt+J26VpjA9+TjY
lFBQmpJU5X0kRmHgYqq3uK7XiDryF15fWPrqcwdaaSFvz6k8zrk=
=RuA4
-----END PGP PUBLIC KEY BLOCK-----
"""


def binary(armoured: bytes) -> bytes:
    lines = armoured.split(b"\n\n", 1)[1].split(b"-----END")[0].split()
    return base64.b64decode(b"".join(line for line in lines if not line.startswith(b"=")))


@pytest.mark.parametrize(
    ("content", "keys"),
    [
        (ONE_ARMOURED, [ONE]),
        (TWO_ARMOURED, [TWO]),
        (BOTH_ARMOURED, [ONE, TWO]),
        (ONE_ARMOURED + b"\n" + TWO_ARMOURED, [ONE, TWO]),
        (binary(ONE_ARMOURED), [ONE]),
        (binary(BOTH_ARMOURED), [ONE, TWO]),
        # NVIDIA's files carry a Version: header; other ways of writing the same.
        (ONE_ARMOURED.replace(b"BLOCK-----\n", b"BLOCK-----\nVersion: GnuPG v2.0.22 (GNU/Linux)\n", 1), [ONE]),
        (ONE_ARMOURED.replace(b"\n", b"\r\n"), [ONE]),
        (b"pub ed25519 2026\n\n" + ONE_ARMOURED, [ONE]),
    ],
)
def test_fingerprints(content, keys):
    assert openpgp.fingerprints(content) == keys


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>not found</html>",
        ONE_ARMOURED.replace(b"m", b"!"),
        binary(ONE_ARMOURED)[:40],
        binary(TWO_ARMOURED)[:-3],
        b"\xb4\x03abc",
        b"\x99\x00\x00",
    ],
)
def test_no_key(content):
    with pytest.raises(LockError, match="is no OpenPGP public key"):
        openpgp.fingerprints(content)


@pytest.fixture
def https(certificates):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.server, certificates.key)
    with serving(context) as running:
        yield running


@pytest.fixture
def lock(https, certificates):
    """Lock what stands at a path as a key of this fingerprint; the findings, and what was said."""

    def run(content, fingerprint: str):
        https.publish("/key.pub", content)
        said = []
        wanted = [Download("demo's signing key", "1", f"{https.url}/key.pub", None, fingerprint)]
        client = Client(timeout=5, ca_path=str(certificates.ca), use_proxy=False)
        return collect.from_publishers(wanted, client, said.append), said

    return run


def test_a_known_key_is_locked_by_its_files_digest(lock, https):
    found, said = lock(whole(ONE_ARMOURED), ONE)
    assert found.digests == {f"{https.url}/key.pub": hashlib.sha256(ONE_ARMOURED).hexdigest()}
    assert (found.problems, found.notes) == ([], [])
    assert said == [f"demo's signing key: {https.url}/key.pub: fingerprint {openpgp.spaced(ONE)}"]


def test_a_key_of_which_only_the_end_is_known_is_worth_a_warning(lock, https):
    found, _said = lock(whole(ONE_ARMOURED), ONE[-8:])
    assert list(found.digests) == [f"{https.url}/key.pub"]
    assert openpgp.spaced(ONE) in found.notes[0]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (whole(TWO_ARMOURED), openpgp.spaced(TWO)),
        # apt would trust the second one as much as the first.
        (whole(BOTH_ARMOURED), f"{openpgp.spaced(ONE)}, {openpgp.spaced(TWO)}"),
        (whole(b"<html>sign in</html>"), "is no OpenPGP public key"),
        (status(404), "HTTP 404"),
    ],
)
def test_anything_else_is_a_problem_and_not_locked(lock, https, content, says):
    found, _said = lock(content, ONE)
    assert found.digests == {}
    assert len(found.problems) == 1
    assert says in found.problems[0]
    assert f"{https.url}/key.pub" in found.problems[0]


def test_a_key_is_never_fetched_without_tls(publisher):
    publisher.publish("/key.pub", whole(ONE_ARMOURED))
    wanted = [Download("demo's signing key", "1", f"{publisher.url}/key.pub", None, ONE)]
    found = collect.from_publishers(wanted, Client(timeout=5, use_proxy=False), print)
    assert "is not https" in found.problems[0]
    assert publisher.requests == []
