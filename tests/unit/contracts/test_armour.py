"""What a module hands to its action plugin survives the striking out of secrets."""

import hashlib

import pytest
from ansible.module_utils.basic import remove_values
from ansible_collections.gpufleet.serving.plugins.module_utils.armour import TooManySecretsError, pack, unpack

CONTENT = b"".join(hashlib.sha256(bytes([number])).digest() for number in range(256)) + b"# TYPE a gauge\na 1\n" * 500


@pytest.mark.parametrize(
    "secrets",
    [[], ["a"], ["ab", "1"], ["open sesame"], ["+/"], ["A", "b", "3", "+", "zz"], ["", "x" * 50], list("abcdefghij")],
)
def test_the_content_arrives_although_every_secret_is_struck_out(secrets):
    sent = {"answer": pack(CONTENT, secrets)}
    received = remove_values(sent, {secret for secret in secrets if secret})
    assert unpack(received["answer"]) == CONTENT


def test_compresses():
    assert len(pack(b"a 1\n" * 250_000)["text"]) < 10_000


def test_more_one_letter_secrets_than_letters_to_spare_are_refused():
    with pytest.raises(TooManySecretsError, match="headers"):
        pack(CONTENT, [chr(code) for code in range(33, 126)])
