"""The repository is the collection: its full name must resolve from a bare clone."""


def test_collection_resolves_without_set_up():
    import importlib

    assert importlib.import_module("ansible_collections.gpufleet.serving.plugins")
