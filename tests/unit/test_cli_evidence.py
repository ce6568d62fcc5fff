"""``digest``, ``sign`` and what ``verify`` compares with them, as a person uses them.

Keys are real, and so is ``ssh-keygen``.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.persistence.connection import DatabaseManager
from tests.builders import a_session
from tests.command_line import facts, one_error, payment_sim, payment_sim_process
from tests.games import castro, play
from tests.processes import HANGS_AFTER_SECONDS

FEW = {"stability_window": 2, "max_iterations": 2}
LINE = "payment-simulator game digest, version 1: sha256 {} of game {}\n"


def keygen(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    settings = {"capture_output": True, "text": True, "timeout": HANGS_AFTER_SECONDS, **options}
    return subprocess.run(["ssh-keygen", *map(str, arguments)], check=True, **settings)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a game that was played, another game, keys and a signature."""
    folder = tmp_path_factory.mktemp("made")
    path = folder / "simulation.db"
    play(path, castro(convergence=FEW))
    with DatabaseManager(path) as manager:
        GameRepository(manager.conn).save_game_session(a_session("-other"))
    keygen("-q", "-t", "ed25519", "-N", "", "-C", "me", "-f", folder / "key")
    keygen("-q", "-t", "ecdsa", "-N", "", "-C", "another", "-f", folder / "-another")
    keygen("-q", "-t", "ed25519", "-N", "secret", "-C", "me", "-f", folder / "locked")
    done = payment_sim("sign", "castro", "--key", folder / "key", "--db", path)
    (folder / "castro.sig").write_text(done.out)
    return folder


@pytest.fixture(autouse=True)
def here(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a copy of that folder."""
    folder = tmp_path / "here"
    shutil.copytree(made, folder)
    monkeypatch.chdir(folder)
    return folder


def digest(game: str = "castro") -> str:
    done = payment_sim("digest", "--", game)
    assert done.code == 0, done
    return done.out.strip()


def change(sql: str) -> None:
    with duckdb.connect("simulation.db") as conn:
        conn.execute(sql)


CLOCK = "UPDATE policy_iterations SET created_at = created_at + INTERVAL 1 MICROSECOND"


def test_play_show_and_digest_print_the_same() -> None:
    shown = payment_sim("show", "castro")
    assert facts(shown.out)["digest"] == [digest()]
    assert json.loads(payment_sim("show", "castro", "--json").out)["digest"] == digest()
    found = json.loads(payment_sim("digest", "castro", "--json").out)
    assert found["digest"] == digest()
    assert found["tables"]["policy_iterations"]["rows"] > 1
    game = ("examples/games/two_period.yaml", "--iterations", 1, "--db", "two.db")
    Path("examples").symlink_to(Path(__file__).parents[2] / "examples")
    played = payment_sim("play", *game, "--id", "two")
    assert (
        facts(played.out)["digest"]
        == facts(payment_sim("show", "two", "--db", "two.db").out)["digest"]
    )


def test_a_game_that_has_not_ended_is_shown_without_one() -> None:
    assert "digest" not in facts(payment_sim("show", "--", "-other").out)
    assert json.loads(payment_sim("show", "--json", "--", "-other").out)["digest"] is None
    assert len(digest("-other")) == 64


def test_a_large_game_is_shown_with_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("payment_simulator.cli.show._QUICK", 10)
    assert facts(payment_sim("show", "castro").out)["digest"] == ["payment-sim digest castro"]


def test_verify_tells_whether_the_digest_is_the_one_that_was_given() -> None:
    before = digest()
    done = payment_sim("verify", "castro", "--digest", before.upper())
    assert done.code == 0
    assert done.out.startswith("digest: equal\n")
    change(CLOCK)  # nothing that playing again would tell
    done = payment_sim("verify", "castro", "--digest", before)
    assert done.code == 1
    assert done.out.startswith(f"digest: different, the record has {digest()}\n")
    done = payment_sim("verify", "castro", "--digest", before, "--json")
    assert done.code == 1
    assert json.loads(done.out)["digest"] == {
        "expected": before,
        "found": digest(),
        "is_equal": False,
    }


@pytest.mark.parametrize("given", ["", "12", "0" * 63, "0" * 65, "g" * 64, "sha256:" + "0" * 64])
def test_what_is_no_digest_is_refused(given: str) -> None:
    done = payment_sim("verify", "castro", "--digest", given)
    assert done.code == 2
    assert "64 hexadecimal digits" in one_error(done)


def test_a_signature_is_good_for_its_key_and_its_names() -> None:
    done = payment_sim("verify", "castro", "--signature", "castro.sig", "--signer", "key.pub")
    assert done.code == 0
    assert done.out.startswith("signature: good, signed by ED25519 key SHA256:")
    Path("signers").write_text(f"# us\nan@example.org {Path('key.pub').read_text()}")
    done = payment_sim("verify", "castro", "--signature", "castro.sig", "--signer", "signers")
    assert done.code == 0
    assert done.out.startswith("signature: good, signed by an@example.org, ED25519 key SHA256:")


def test_it_can_be_checked_without_this_package() -> None:
    Path("signers").write_text(f"me {Path('key.pub').read_text()}")
    options = ("-n", "payment-simulator", "-I", "me", "-f", "signers", "-s", "castro.sig")
    said = keygen("-Y", "verify", *options, input=LINE.format(digest(), '"castro"'))
    assert said.stdout.startswith('Good "payment-simulator" signature for me')


def test_a_changed_record_is_not_what_was_signed() -> None:
    change(CLOCK)
    done = payment_sim("verify", "castro", "--signature", "castro.sig", "--signer", "key.pub")
    assert done.code == 1
    assert done.out.startswith("signature: not a signature of this game as the record has it")
    assert "castro: identical" in done.out


def test_another_game_is_not_what_was_signed() -> None:
    asked = ("--signature", "castro.sig", "--signer", "key.pub", "--json", "--", "-other")
    done = payment_sim("verify", *asked)
    assert done.code != 0
    change("UPDATE game_sessions SET game_id = 'castro' || game_id")
    assert "not in the record" in one_error(payment_sim("digest", "castro"))


@pytest.mark.parametrize(
    ("signer", "said"),
    [
        ("-another.pub", "-another.pub does not allow it (No principal matched.)"),
        ("for-git", "for-git does not allow it (for-git:1: key is not permitted"),
    ],
)
def test_a_signer_who_is_not_allowed(signer: str, said: str) -> None:
    Path("for-git").write_text(f'me namespaces="git" {Path("key.pub").read_text()}')
    done = payment_sim("verify", "castro", "--signature", "castro.sig", f"--signer={signer}")
    assert done.code == 1
    assert done.out.startswith("signature: signed by another key, ED25519 key SHA256:")
    assert said in done.out


def test_a_signature_for_another_purpose_does_not_count() -> None:
    Path("line").write_text(LINE.format(digest(), '"castro"'))
    keygen("-Y", "sign", "-f", "key", "-n", "git", "line")
    done = payment_sim("verify", "castro", "--signature", "line.sig", "--signer", "key.pub")
    assert done.code == 1
    assert "not a signature of this game" in done.out


def test_names_that_begin_with_a_dash() -> None:
    done = payment_sim("sign", "--key=-another", "--output=-o.sig", "--", "-other")
    assert done.code == 0, done
    assert done.out == f"-o.sig signs -other, digest {digest('-other')}\n"
    Path("signers").write_text(f"me {Path('-another.pub').read_text()}")
    options = ("-n", "payment-simulator", "-I", "me", "-f", "signers", "-s", "./-o.sig")
    keygen("-Y", "verify", *options, input=LINE.format(digest("-other"), '"-other"'))


def test_a_key_that_an_agent_holds() -> None:
    started = subprocess.run(["ssh-agent", "-s"], capture_output=True, text=True, check=True)
    agent = dict(re.findall(r"(SSH_\w+)=([^;]+);", started.stdout))
    variables = {"SSH_AUTH_SOCK": agent["SSH_AUTH_SOCK"]}
    try:
        subprocess.run(
            ["ssh-add", "-q", "key"], env={**os.environ, **variables}, check=True, timeout=60
        )
        Path("key").unlink()
        done = payment_sim("sign", "castro", "--key", "key.pub", "-o", "by-agent.sig", **variables)
    finally:
        os.kill(int(agent["SSH_AGENT_PID"]), signal.SIGTERM)
    assert done.code == 0, done
    asked = ("--signature", "by-agent.sig", "--signer", "key.pub")
    assert payment_sim("verify", "castro", *asked).code == 0


@pytest.fixture
def without(tmp_path: Path) -> Iterator[str]:
    """Return a PATH on which the tool for signatures is not."""
    (tmp_path / "nothing").mkdir()
    return str(tmp_path / "nothing")


def test_without_the_tool(without: str) -> None:
    done = payment_sim("sign", "castro", "--key", "key", PATH=without)
    assert done.code == 1
    assert "ssh-keygen is not installed" in one_error(done, 1)
    asked = ("verify", "castro", "--signature", "castro.sig", "--signer", "key.pub")
    assert "install OpenSSH" in one_error(payment_sim(*asked, PATH=without), 1)


def test_a_tool_that_is_too_old(without: str) -> None:
    old = Path(without) / "ssh-keygen"
    old.write_text("#!/bin/sh\necho 'unknown option -- Y' >&2\nexit 1\n")
    old.chmod(0o755)
    done = payment_sim("sign", "castro", "--key", "key", PATH=without)
    assert done.code == 1
    assert "OpenSSH 8.9 or a later version" in one_error(done, 1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--key", "nothing"), "nothing is not a file"),
        (("--key", "castro.sig"), "castro.sig cannot be used to sign"),
        (("--key", "locked"), "locked is encrypted, and its passphrase was not given"),
        (("--key", "key", "-o", "castro.sig"), "castro.sig is there already"),
        (("--key", "key", "-o", "no/x.sig"), "there is no folder no"),
    ],
)
def test_what_cannot_be_signed(arguments: tuple[str, ...], said: str) -> None:
    # In a session of its own, there is no terminal to ask on.
    done = payment_sim_process(
        "sign", "castro", *arguments, stdin=subprocess.DEVNULL, start_new_session=True
    )
    assert done.code == 2
    assert said in one_error(done)


@pytest.mark.parametrize(
    ("signature", "signer", "said"),
    [
        ("key.pub", "key.pub", "key.pub is not an SSH signature"),
        ("nothing", "key.pub", "nothing is not a file"),
        ("castro.sig", "nothing", "nothing is not a file"),
        ("castro.sig", "key", "key is a private key; give the public one, key.pub"),
        ("castro.sig", "empty", "empty holds no public key"),
        ("castro.sig", "simulation.db", "simulation.db cannot be read as text"),
        ("castro.sig", None, "go together"),
        (None, "key.pub", "go together"),
    ],
)
def test_what_cannot_be_compared(signature: str | None, signer: str | None, said: str) -> None:
    Path("empty").write_text("# nobody\n")
    asked = [f"--signature={signature}"] * (signature is not None)
    asked += [f"--signer={signer}"] * (signer is not None)
    done = payment_sim("verify", "castro", *asked)
    assert done.code == 2
    assert said in one_error(done)


def test_a_broken_signature() -> None:
    text = Path("castro.sig").read_text()
    Path("castro.sig").write_text(text.replace("U1NIU0lH", "U1NIU0lI"))
    done = payment_sim("verify", "castro", "--signature", "castro.sig", "--signer", "key.pub")
    assert done.code == 1
    assert done.out.startswith("signature: not a signature of this game")
