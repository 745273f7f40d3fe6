"""The live page: a head that talks in the browser, served on this machine. Needs the extra ``[view]`` (aiohttp)."""
