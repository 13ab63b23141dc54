"""A plugin that no version of Dovetail may import yet."""

raise AssertionError("a plugin that wants another version was imported")
