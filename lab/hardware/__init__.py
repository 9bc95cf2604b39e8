"""The hardware and the kernel that a machine of the lab shows: a PCI bus with NVIDIA's cards on it."""
