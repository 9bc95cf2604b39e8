"""Programs and files that stand in, on the lab's machines, for what they cannot have."""
