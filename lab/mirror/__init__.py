"""The folder that the lab's machines install from, in the layout of an air-gap mirror."""
