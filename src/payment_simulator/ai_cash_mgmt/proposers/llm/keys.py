"""Keys of providers: read from the environment, and kept out of everything else."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from payment_simulator.errors import InputError

#: Where the key of each provider stands; the first that is set is taken.
KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "anthropic": ("ANTHROPIC_API_KEY",),
    "openai": ("OPENAI_API_KEY",),
    "openai-chat": ("OPENAI_API_KEY",),
    "google": ("GOOGLE_API_KEY", "GEMINI_API_KEY"),
}
#: Variables whose values go nowhere but into the header that asks for them.
_SECRETS: Final = (
    *dict.fromkeys(name for names in KEYS.values() for name in names),
    "ANTHROPIC_AUTH_TOKEN",
)
_LEAST_SECRET: Final = 6
#: What a server is sent that needs no key; the clients insist on one.
_NO_KEY: Final = "none"


def key_for(provider: str, base_url: str | None = None) -> str:
    """Return the key of a provider.

    It goes nowhere unencrypted but to this machine itself.

    Parameters
    ----------
    provider : str
        One of ``KEYS``.
    base_url : str, optional
        Where it would be sent, if not to the provider.

    Raises
    ------
    InputError
        There is none, and it is needed.
    """
    name = key_variable(provider, base_url)
    if name is not None:
        return os.environ[name].strip()
    if base_url is not None and (_is_exposed(base_url) or provider == "openai-chat"):
        return _NO_KEY
    raise InputError(
        f"there is no key for {provider}; set the environment variable {KEYS[provider][0]}"
    )


def key_variable(provider: str, base_url: str | None = None) -> str | None:
    """Return the environment variable whose value would be sent; None if no key would be.

    Parameters
    ----------
    provider : str
        One of ``KEYS``; of another, no key is sent.
    base_url : str, optional
        Where the key would be sent, if not to the provider.
    """
    if _is_exposed(base_url):
        return None
    names = KEYS.get(provider, ())
    return next((name for name in names if os.environ.get(name, "").strip()), None)


def redacted(text: str) -> str:
    """Return a text without the keys of the environment, should a server repeat one."""
    for name in _SECRETS:
        key = os.environ.get(name, "").strip()
        if len(key) >= _LEAST_SECRET:
            text = text.replace(key, f"[{name}]")
    return text


def _is_exposed(base_url: str | None) -> bool:
    """Tell whether what is sent there goes over a network in the clear."""
    url = urlsplit(base_url or "")
    return url.scheme == "http" and not _is_here(url.hostname or "")


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
