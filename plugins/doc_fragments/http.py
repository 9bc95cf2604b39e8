# Copyright 2026 The gpufleet maintainers. Apache-2.0.
from __future__ import annotations


class ModuleDocFragment:
    """The connection options of plugins/module_utils/http.py."""

    DOCUMENTATION = r"""
options:
  url:
    description:
      - Address as the target reaches it; loopback is fine. Credentials do not belong into it.
    type: str
    required: true
  url_username:
    description: User name for basic authentication.
    type: str
  url_password:
    description: Password for basic authentication.
    type: str
  token:
    description: Bearer token, sent as C(Authorization).
    type: str
  headers:
    description: Further request headers. They may hold secrets, so they are never shown.
    type: dict
    default: {}
  validate_certs:
    description: Whether the server's certificate must be trusted.
    type: bool
    default: true
  ca_path:
    description: PEM file on the target with the authorities to trust, instead of the system's own.
    type: path
  client_cert:
    description: PEM file on the target with the client's certificate, and its key unless O(client_key) is given.
    type: path
  client_key:
    description: PEM file on the target with the client's key.
    type: path
  follow_redirects:
    description:
      - V(none) takes a redirect for an error that names the new address; V(safe) follows it for reading. Credentials
        and O(headers) are not sent on.
    type: str
    choices: [none, safe]
    default: none
  use_proxy:
    description: Whether the proxy in the target's environment is used.
    type: bool
    default: false
  timeout:
    description: Seconds that one try may last in all, from the first packet to the last byte of the body.
    type: float
    default: 10.0
"""
