"""Signs the digest of a game and checks such signatures, with ``ssh-keygen`` of OpenSSH.

What is signed is one line, ``GameDigest.line``; anyone can check a signature of it without this
package.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from payment_simulator.ai_cash_mgmt.record.digest import GameDigest
from payment_simulator.errors import InputError, SignatureError

#: Keeps a signature that was made for something else from counting here, and the reverse.
NAMESPACE = "payment-simulator"
_TOOL = "ssh-keygen"
_LARGEST = 1 << 20
_SECONDS = 60
_BEGIN = "-----BEGIN SSH SIGNATURE-----"
_PUBLIC_KEY = re.compile(r"(ssh|ecdsa|sk-ssh|sk-ecdsa)-[a-z0-9@.-]+ +[A-Za-z0-9+/=]+( .*)?")
_BY_KEY = re.compile(r'Good "[^"]*" signature with (?P<key>.+)')
#: What the owner of a public key that is given by itself is called.
_OWNER = "signer"


@dataclass(frozen=True)
class SignatureCheck:
    """What became of the check of a signature.

    Attributes
    ----------
    is_good : bool
        Whether the digest of the game, as its rows are now, was signed by a signer who is allowed.
    finding : str
        The same in words.
    key : str or None
        Kind and fingerprint of the key that signed, where the signature is of this digest.
    signer : str or None
        The name that the file of allowed signers gives to this key; None for a public key alone.
    """

    is_good: bool
    finding: str
    key: str | None = None
    signer: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the same as JSON has it."""
        return asdict(self)


def sign_digest(digest: GameDigest, key: Path) -> str:
    """Return an OpenSSH signature of the digest of a game.

    Parameters
    ----------
    digest : GameDigest
    key : Path
        A private key, or a public key whose private half an SSH agent holds. ``ssh-keygen`` asks
        for a passphrase on the terminal.

    Raises
    ------
    InputError
        The key cannot be used.
    SignatureError
        ``ssh-keygen`` is missing, too old or failed.
    """
    if not key.is_file():
        raise InputError(f"{key} is not a file; give the path of an SSH key")
    with tempfile.TemporaryDirectory(prefix="payment-sim-") as folder:
        # A file, not standard input, which stays free for the question for a passphrase.
        message = Path(folder) / "digest"
        message.write_text(digest.line, encoding="ascii", newline="")
        # What is asked on the terminal is a person's to answer, so there is no limit of time.
        done = _run("sign", "-n", NAMESPACE, "-f", str(key.absolute()), str(message))
        signature = message.with_name("digest.sig")
        if done.returncode != 0 or not signature.is_file():
            raise _why_not_signed(key, done.stderr)
        return signature.read_text(encoding="ascii")


def check_signature(digest: GameDigest, signature: Path, signer: Path) -> SignatureCheck:
    """Check that a signature is of the digest of a game, and by whom.

    Parameters
    ----------
    digest : GameDigest
    signature : Path
        As ``sign_digest`` returns it, in a file.
    signer : Path
        A public key, or a file of allowed signers (``man ssh-keygen``, ALLOWED SIGNERS).

    Raises
    ------
    InputError
        A file is not what it should be.
    SignatureError
        ``ssh-keygen`` is missing or too old.
    """
    if not _text_of(signature).lstrip().startswith(_BEGIN):
        raise InputError(f"{signature} is not an SSH signature; its first line is not {_BEGIN}")
    allowed, is_bare = _allowed_signers(signer)
    with tempfile.TemporaryDirectory(prefix="payment-sim-") as folder:
        signers = Path(folder) / "signers"
        signers.write_text(allowed, encoding="utf-8", newline="")
        of = ("-n", NAMESPACE, "-s", str(signature.absolute()))
        found = _run("check-novalidate", *of, message=digest.line)
        key = _BY_KEY.search(found.stdout)
        if found.returncode != 0 or key is None:
            return SignatureCheck(
                False, f"not a signature of this game as the record has it now: {digest.sha256}"
            )
        by = key["key"].strip()
        listed = _run("find-principals", *of, "-f", str(signers))
        for name in listed.stdout.splitlines():
            checked = _run("verify", *of, "-f", str(signers), "-I", name, message=digest.line)
            if checked.returncode == 0:
                who = "" if is_bare else f"{name}, "
                return SignatureCheck(
                    True, f"good, signed by {who}{by}", by, None if is_bare else name
                )
            listed = checked
        why = _last_line(listed.stderr).replace(str(signers), str(signer))
    return SignatureCheck(
        False, f"signed by another key, {by}; {signer} does not allow it ({why})", by
    )


def _allowed_signers(path: Path) -> tuple[str, bool]:
    """Return a file of allowed signers, and whether it was made of public keys alone."""
    text = _text_of(path)
    if "PRIVATE KEY-----" in text:
        raise InputError(f"{path} is a private key; give the public one, {path.name}.pub")
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    if not lines:
        raise InputError(f"{path} holds no public key and no allowed signer")
    if all(_PUBLIC_KEY.fullmatch(line) for line in lines):
        return "".join(f"{_OWNER} {line}\n" for line in lines), True
    return text, False


def _text_of(path: Path) -> str:
    if not path.is_file():
        raise InputError(f"{path} is not a file")
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as text: {error}") from error


def _run(
    operation: str, *arguments: str, message: str | None = None
) -> subprocess.CompletedProcess[str]:
    tool = shutil.which(_TOOL)
    if tool is None:
        raise SignatureError(
            f"{_TOOL} is not installed, which signs and checks signatures; install OpenSSH "
            "(package openssh-client)"
        )
    try:
        done = subprocess.run(  # noqa: S603 - no shell; options before paths, paths absolute
            [tool, "-Y", operation, *arguments],
            capture_output=True,
            check=False,
            encoding="utf-8",
            errors="replace",
            input=message,
            timeout=None if operation == "sign" else _SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SignatureError(f"{tool} -Y {operation} failed: {error}") from error
    said = done.stderr.lower()
    if any(
        words in said for words in ("illegal option", "unknown option", "unsupported operation")
    ):
        raise SignatureError(
            f"{tool} does not know -Y {operation}; install OpenSSH 8.9 or a later version"
        )
    return done


def _why_not_signed(key: Path, said: str) -> Exception:
    if "passphrase" in said:
        return InputError(
            f"{key} is encrypted, and its passphrase was not given; run this on a terminal, or "
            f"load the key into an agent (ssh-add) and give the public key: --key {key}.pub"
        )
    if "UNPROTECTED" in said:
        return InputError(f"{key} can be read by others; run: chmod 600 {key}")
    return InputError(f"{key} cannot be used to sign: {_last_line(said)}")


def _last_line(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1] if lines else "ssh-keygen did not say why"
