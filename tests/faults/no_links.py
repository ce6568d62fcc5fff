"""A process for which the kernel makes no hard links, as on vfat, exfat and many network shares."""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
from collections.abc import Callable
from typing import Any

from tests.faults.children import Said

#: Numbers of the system calls ``linkat`` and, where there is one, ``link``.
_CALLS = {"x86_64": (265, 86), "aarch64": (37,)}
_LOAD_WORD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_SET_SECCOMP, _NO_NEW_PRIVILEGES, _FILTER = 22, 38, 2

IS_POSSIBLE = platform.system() == "Linux" and platform.machine() in _CALLS


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))


def deny_links() -> None:
    """Have the kernel refuse to make hard links for this thread and what it starts."""
    calls = _CALLS[platform.machine()]
    steps = [(_LOAD_WORD, 0, 0, 0)]
    steps += [(_JUMP_IF_EQUAL, len(calls) - i, 0, call) for i, call in enumerate(calls)]
    steps += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _ERRNO | errno.EPERM)]
    code = b"".join(struct.pack("HBBI", *step) for step in steps)
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0
    program = _Program(len(steps), code)
    assert libc.prctl(_SET_SECCOMP, _FILTER, ctypes.byref(program)) == 0, ctypes.get_errno()


def without_links(parent: Said, work: Callable[..., Any], *args: Any) -> Any:
    """Do some work where no hard links can be made."""
    deny_links()
    return work(parent, *args)
