# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Carrying out a driver's plan on a host: packages, DKMS, nouveau, the kernel module."""
