"""Platforms: how each of them names what students hand in. None imports another one."""
