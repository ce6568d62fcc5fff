"""Pages as they are sent: what they say, what is a link, and that no text is taken for markup."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.testclient import TestClient
from tests.browser.worlds import (
    HOSTILE_BANK,
    HOSTILE_GAME,
    PICTURE,
    SCRIPT,
    a_policy,
    add_hostile,
)
from tests.builders import (
    LATER,
    a_record,
    a_session,
    an_iteration,
)
from tests.migration.first_tool import write_first_tool_file
from tests.unit.dashboard.conftest import client_of, page_of

from payment_simulator.ai_cash_mgmt import (
    BankStateRecord,
    DailyCostRecord,
    EquilibriumCertificateRecord,
    GameOutcomeRecord,
    GameRepository,
    IterationContextRecord,
    SimulationEventRecord,
    SimulationRunRecord,
    TransactionRecord,
)
from payment_simulator.dashboard.certificates import certificate_tables
from payment_simulator.persistence.connection import DatabaseManager

GAME = "game-001"


def fill(path: Path) -> None:
    """Write three games with steps, one whose texts mean harm, and a run with a payment."""
    with DatabaseManager(path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        for number in (1, 2, 3):
            repo.save_game_session(a_session(f"game-00{number}", master_seed=number))
        for number in range(1, 8):
            for bank in ("BANK_A", "BANK_B"):
                repo.save_policy_iteration(
                    an_iteration(number, agent_id=bank, was_accepted=number % 2 == 1)
                )
        repo.update_game_session_status(GAME, "converged", LATER, 7, True, 2500.0)
        repo.save_simulation_run(a_record(SimulationRunRecord))
        repo.save_transactions(
            "run-001",
            [
                a_record(TransactionRecord, payment_number=1, parent_payment_number=None),
                a_record(TransactionRecord, sender_id=HOSTILE_BANK),
            ],
        )
        repo.save_simulation_events(
            "run-001", [a_record(SimulationEventRecord, event_type=SCRIPT, details_json="[1]")]
        )
        repo.save_bank_states("run-001", [a_record(BankStateRecord)])
        repo.save_daily_costs("run-001", [a_record(DailyCostRecord)])
        add_hostile(repo)


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    path = tmp_path_factory.mktemp("pages") / "simulation.db"
    fill(path)
    return client_of(path)


def addresses(page: Any) -> list[str]:
    return [found["href"] for found in page.of("a")]


def test_the_list_has_every_game_with_its_page(asked: TestClient):
    page = page_of(asked.get("/"))
    for number in (1, 2, 3):
        assert f"/game?id=game-00{number}" in addresses(page)
    assert f"/game?{urlencode({'id': HOSTILE_GAME})}" in addresses(page)
    assert "1\N{EN DASH}4 of 4" in page.text
    assert "campaign_learning" in page.text
    assert "rl_optimization" in page.text


def test_the_list_tells_who_proposes(db_path: Path):
    proposer = {"kind": "llm", "model": f"openai:{SCRIPT}"}
    with DatabaseManager(db_path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        repo.save_game_session(a_session("x", config_json=json.dumps({"proposer": proposer})))
    assert f"openai:{SCRIPT}" in page_of(client_of(db_path).get("/")).text


def test_the_list_is_filtered_sorted_and_paged(asked: TestClient):
    converged = page_of(asked.get("/?status=converged"))
    assert "1\N{EN DASH}1 of 1" in converged.text
    assert "25.00" in converged.text
    by_seed = page_of(asked.get("/?sort=seed&order=up&text=game-00&rows=2"))
    games = [href for href in addresses(by_seed) if href.startswith("/game?")]
    assert games == ["/game?id=game-001", "/game?id=game-002"]
    assert "/?text=game-00&sort=seed&order=up&page=2&rows=2" in addresses(by_seed)
    assert {"scope": "col", "aria-sort": "ascending", "class": "number"} in by_seed.of("th")
    assert "No game matches" in page_of(asked.get("/?text=nothing")).text
    assert "There is no such page" in page_of(asked.get("/?page=9")).text


def test_an_empty_record_says_what_to_do(db_path: Path):
    with DatabaseManager(db_path) as manager:
        manager.setup()
    page = page_of(client_of(db_path).get("/"))
    assert "payment-sim play examples/games/two_period.yaml --db" in page.text
    assert "The record has no simulation runs" in page_of(client_of(db_path).get("/runs")).text


def test_a_game_page_counts_steps_and_leads_to_them(asked: TestClient):
    page = page_of(asked.get(f"/game?id={GAME}"))
    assert "8 accepted, 6 rejected, 0 refused" in page.text
    assert f"/step?id={GAME}&bank=BANK_B&iteration=7" in addresses(page)
    assert "1\N{EN DASH}14 of 14" in page.text


def test_a_certificate_is_told_in_tables(db_path: Path):
    with DatabaseManager(db_path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        repo.save_game_session(a_session(GAME))
        repo.save_equilibrium_certificate(
            a_record(
                EquilibriumCertificateRecord,
                regrets_json=json.dumps(
                    {
                        "BANK_A": 0.0,
                        HOSTILE_BANK: {"estimate": 123456.0, "low": 100000.0, "high": 200000.0},
                    }
                ),
                best_deviations_json=json.dumps({"BANK_A": None, HOSTILE_BANK: {SCRIPT: 0.45}}),
                pure_equilibria_json=json.dumps(
                    [{"point": {"BANK_A": 0.5}, "costs": {"BANK_A": 7700.0}}]
                ),
                social_optimum_json=json.dumps(
                    {"points": [{"BANK_A": 0.25, "BANK_B": SCRIPT}], "total_cost": 6600.0}
                ),
            )
        )
    text = page_of(client_of(db_path).get(f"/game?id={GAME}")).text
    assert f"1,234.561,000.002,000.00{SCRIPT} 0.45" in text
    assert "0.00\N{EN DASH}\N{EN DASH}none is better" in text
    assert "Cost of BANK_ACost of all banks 10.577.0077.00" in text
    assert f"0.25{SCRIPT}66.00" in text


@pytest.mark.parametrize(
    "optimum",
    [
        None,
        "[1]",
        '{"points": 3}',
        '{"points": [1]}',
        f'{{"points": [{{"A": 1{"0" * 400}}}]}}',
    ],
)
def test_a_certificate_of_another_program_breaks_no_page(optimum: str | None):
    record = a_record(EquilibriumCertificateRecord, social_optimum_json=optimum)
    assert "social-optimum" not in [table.slug for table in certificate_tables(record)]


def test_an_optimum_of_many_banks_and_points_stays_small():
    points = [{f"B{bank}": n for bank in range(9)} for n in range(25)]
    text = json.dumps({"points": points, "total_cost": 100.0})
    record = a_record(EquilibriumCertificateRecord, social_optimum_json=text)
    optimum = certificate_tables(record)[-1]
    assert len(optimum.rows) == 20
    assert optimum.note == "5 more points cost the same."
    assert optimum.shown()[1] == [", ".join(f"B{bank} 1" for bank in range(9)), "1.00"]


def test_steps_are_filtered_and_paged(asked: TestClient):
    page = page_of(asked.get(f"/game?id={GAME}&bank=BANK_A&verdict=rejected&rows=2"))
    steps = [href for href in addresses(page) if href.startswith("/step?")]
    assert steps == [f"/step?id={GAME}&bank=BANK_A&iteration={n}" for n in (2, 4)]
    assert f"/game?id={GAME}&bank=BANK_A&verdict=rejected&page=2&rows=2#steps" in addresses(page)
    none = page_of(asked.get(f"/game?id={GAME}&verdict=refused"))
    assert "No step matches" in none.text


def test_a_step_tells_its_bound_from_its_interval(db_path: Path):
    with DatabaseManager(db_path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        repo.save_game_session(a_session(GAME))
        for number, decision in enumerate(({"lower_bound": 69414.0}, {"lower_bound": None}, 7), 1):
            repo.save_policy_iteration(an_iteration(number))
            context = json.dumps({"decision": decision})
            repo.save_iteration_context(
                a_record(IterationContextRecord, iteration_number=number, context_json=context)
            )
    asked = client_of(db_path)
    texts = [
        page_of(asked.get(f"/step?id={GAME}&bank=BANK_A&iteration={number}")).text
        for number in (1, 2, 3)
    ]
    assert "the bound that decides694.14 one-sided" in texts[0]
    assert not any("bound that decides" in text for text in texts[1:])


def test_final_costs_of_games_are_drawn_with_their_intervals(db_path: Path):
    costs = {"a": 4000.0, "b": 1000.0}
    with DatabaseManager(db_path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        for game_id in ("a", "b", "c", "d", "e"):
            repo.save_game_session(a_session(game_id))
        repo.save_game_outcomes(
            a_record(
                GameOutcomeRecord,
                game_id=game_id,
                start_cost=cost + 300.0,
                final_cost=cost,
                start_costs_json="{}",
                final_costs_json="{}",
            )
            for game_id, cost in costs.items()
        )
    page = page_of(client_of(db_path).get("/compare?id=a&id=b&id=c&id=d&id=e"))
    assert {"100.0%", "25.0%"} <= {found.get("width") for found in page.of("rect")}
    assert len([found for found in page.of("line") if found["class"] == "span"]) == 2
    assert "Banks:" not in page.text
    none = page_of(client_of(db_path).get("/compare?id=c&id=d"))
    assert "Final costs and improvements" not in none.text


def test_a_step_leads_to_those_beside_it(asked: TestClient):
    page = page_of(asked.get(f"/step?id={GAME}&bank=BANK_A&iteration=3"))
    for iteration, bank in ((2, "BANK_A"), (4, "BANK_A"), (3, "BANK_B")):
        assert f"/step?id={GAME}&bank={bank}&iteration={iteration}" in addresses(page)
    assert "15.00" in page.text
    assert "3.00" in page.text
    first = page_of(asked.get(f"/step?id={GAME}&bank=BANK_A&iteration=1"))
    assert "prev" not in [found.get("rel") for found in first.of("a")]


HOSTILE_PAGES = [
    "/",
    "/parts/games",
    "/runs",
    *(
        f"{path}?{urlencode({'id': HOSTILE_GAME, **more})}"
        for path, more in (
            ("/game", {}),
            ("/parts/game", {}),
            ("/step", {"bank": HOSTILE_BANK, "iteration": "1"}),
            ("/step", {"bank": HOSTILE_BANK, "iteration": "3"}),
        )
    ),
    "/run?id=run-001",
    "/payment?id=run-001&payment=2",
    "/compare?" + urlencode([("id", GAME), ("id", HOSTILE_GAME)]),
    "/game?" + urlencode({"id": SCRIPT + PICTURE}),
    "/?" + urlencode({"text": SCRIPT + PICTURE}),
    "/?" + urlencode({"status": SCRIPT + PICTURE}),
    "/?" + urlencode({"page": PICTURE}),
    "/" + SCRIPT,
]


@pytest.mark.parametrize("path", HOSTILE_PAGES)
def test_no_text_becomes_markup_script_or_style(asked: TestClient, path: str):
    page = page_of(asked.get(path), asked.get(path).status_code)
    assert {"onerror", "onclick", "onload", "style"}.isdisjoint(
        name for element in page.elements for name in element.attributes
    )
    for element in page.elements:
        assert element.tag not in {"style", "iframe", "object", "base", "embed"}
        source = element.attributes.get("src")
        assert source is None or source.startswith("/static/")
        address = element.attributes.get("href")
        assert address is None or address.startswith(("/", "#"))
        assert not str(address).startswith("//")
    assert all(script["src"].startswith("/static/") for script in page.of("script"))
    # A value goes back as it came; what is read is shown with what is hidden in it.
    read = [v for e in page.elements for n, v in e.attributes.items() if v and n != "value"]
    for text in (page.text, *read):
        assert "\u202e" not in text
        assert "\x1b" not in text
    assert "Traceback" not in page.text


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/game?id=game-01", 404, "nearest: game-001"),
        ("/game", 400, "lacks ?id="),
        ("/step?id=game-001&bank=BANK_A&iteration=99", 400, "has iterations 1 to 7"),
        ("/step?id=game-001&bank=BANK_A&iteration=x", 400, "expected a whole number"),
        ("/step?id=game-001&bank=BANK_A", 400, "lacks ?iteration="),
        ("/run?id=none", 404, "see the list of runs"),
        ("/run?id=run-001&first=5", 400, "expected a whole number, 0 to 0"),
        ("/run?id=run-001&bank=nobody", 400, 'bank "nobody" is not in this run'),
        ("/run?id=run-001&sort=nothing", 400, "expected one of: number, amount"),
        ("/payment?id=run-001&payment=77", 400, "payment 77 is not in run"),
        ("/compare?id=game-001", 400, "choose two or more games"),
        ("/compare?" + "&".join(f"id={n}" for n in range(21)), 400, "expected at most 20"),
        ("/compare?id=game-001&id=none", 404, "'none' is not in the record"),
        ("/?status=odd", 400, "expected one of: running"),
        ("/?page=0", 400, "expected a whole number, 1 to"),
        ("/?rows=100000", 400, "1 to 500"),
        ("/nowhere", 404, "there is no such page"),
        ("/game/../etc/passwd", 404, "there is no such page"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(asked: TestClient, path: str, status: int, words: str):
    answer = asked.get(path)
    assert words in page_of(answer, status).text


@pytest.mark.parametrize(
    "path", ["/data/costs?id=none", "/data/samples?id=x", "/live/game?id=none"]
)
def test_programs_are_told_the_same_as_json(asked: TestClient, path: str):
    answer = asked.get(path)
    assert answer.status_code in {400, 404}
    assert answer.headers["content-type"] == "application/json"
    assert set(answer.json()) == {"problem"}


def test_numbers_of_the_charts(asked: TestClient):
    costs = asked.get(f"/data/costs?id={GAME}").json()
    assert costs["status"] == "converged"
    assert costs["banks"]["BANK_A"]["verdict"] == "ararara"
    assert costs["banks"]["BANK_A"]["force"][:2] == [1200, 1500]
    hostile = asked.get("/data/costs?" + urlencode({"id": HOSTILE_GAME}))
    assert hostile.headers["content-type"] == "application/json"
    assert hostile.json()["banks"][HOSTILE_BANK]["verdict"] == "arx"
    found = asked.get("/data/parameters?" + urlencode({"id": HOSTILE_GAME})).json()["parameters"]
    assert found["initial_liquidity_fraction"][HOSTILE_BANK]["force"] == [0.4, 0.5, 0.5]
    run = asked.get("/data/run?id=run-001").json()
    assert run["banks"]["BANK_A"]["balance"] == [-500]
    assert run["throughput"] == [0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1]
    assert found["initial_liquidity_fraction"][HOSTILE_BANK]["start"] == 0.5
    both = asked.get(f"/data/compare?id={GAME}&id=game-002").json()
    assert both["banks"]["BANK_A"][GAME]["iteration"][:2] == [0, 1]
    assert both["banks"]["BANK_A"][GAME]["force"][:2] == [1500, 1200]
    assert list(both["banks"]["BANK_A"]) == [GAME]


def rows_of(answer: Any) -> list[list[str]]:
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["cache-control"] == "no-store"
    return list(csv.reader(io.StringIO(answer.text)))


def test_tables_are_taken_along_as_csv(asked: TestClient):
    answer = asked.get(f"/data/costs.csv?id={GAME}")
    assert answer.headers["content-disposition"] == f'attachment; filename="{GAME}-costs.csv"'
    heads, *rows = rows_of(answer)
    assert heads[:2] == ["bank", "iteration"]
    assert len(rows) == 14
    assert dict(zip(heads, rows[1], strict=True)) == {
        "bank": "BANK_A",
        "iteration": "2",
        "trigger_tick": rows[1][2],
        "verdict": "rejected",
        "old_cost_cents": "1500.0",
        "new_cost_cents": "1200.0",
        "cost_in_force_cents": "1500.0",
        "best_cost_cents": "1200.0",
    }
    chosen = f"/data/steps.csv?id={GAME}&bank=BANK_B&verdict=rejected"
    heads, *rows = rows_of(asked.get(chosen))
    assert [row[:2] for row in rows] == [[str(n), "BANK_B"] for n in (2, 4, 6)]
    assert asked.get("/data/steps.csv?id=none").status_code == 404


def test_csv_of_hostile_texts_is_safe_in_spreadsheets(db_path: Path):
    name, bank = 'x"\r\ny/../=1', "=HYPERLINK(1)"
    with DatabaseManager(db_path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        repo.save_game_session(a_session(name))
        step = an_iteration(
            1,
            game_id=name,
            agent_id=bank,
            llm_model="@model",
            old_policy_json=a_policy(0.5),
            new_policy_json=a_policy(0.25),
        )
        repo.save_policy_iteration(step)
    asked = client_of(db_path)
    for what in ("costs", "parameters", "steps"):
        answer = asked.get(f"/data/{what}.csv?" + urlencode({"id": name}))
        disposition = answer.headers["content-disposition"]
        assert disposition == f'attachment; filename="x-y-..-1-c761a9328fde-{what}.csv"'
        heads, *rows = rows_of(answer)
        assert {dict(zip(heads, row, strict=True))["bank"] for row in rows} == {f"'{bank}"}
        assert not [cell for row in rows for cell in row if cell.startswith(("=", "@", "+"))]
    found = rows_of(asked.get("/data/parameters.csv?" + urlencode({"id": name})))
    assert found[1][1:] == ["initial_liquidity_fraction", "0", "0.5", ""]
    assert found[2][1:] == ["initial_liquidity_fraction", "1", "0.25", "0.25"]


def test_a_game_page_tells_how_to_take_it_along(asked: TestClient):
    page = page_of(asked.get(f"/game?id={GAME}"))
    assert f"payment-sim report {GAME} --db /" in page.text
    assert f"payment-sim export {GAME} --to {GAME}-export --db /" in page.text
    assert f"payment-sim verify {GAME} --db /" in page.text
    assert f"/data/parameters.csv?id={GAME}" in addresses(page)
    filtered = page_of(asked.get(f"/game?id={GAME}&bank=BANK_A&verdict=rejected"))
    assert f"/data/steps.csv?id={GAME}&bank=BANK_A&verdict=rejected" in addresses(filtered)


def test_a_payment_page_tells_its_life(asked: TestClient):
    page = page_of(asked.get("/payment?id=run-001&payment=2"))
    assert "It arrives at tick 3 and is due by tick 9." in page.text
    assert "It is released at tick 4. It settles at tick 7, on time." in page.text
    assert "/payment?id=run-001&payment=1" in addresses(page)
    whole = page_of(asked.get("/payment?id=run-001&payment=1"))
    assert "/payment?id=run-001&payment=2" in addresses(whole)
    assert "No events are recorded" in whole.text


def test_files_of_the_pages_are_kept_by_browsers(asked: TestClient):
    page = page_of(asked.get("/"))
    [style, *_] = [found["href"] for found in page.of("link") if found["rel"] == "stylesheet"]
    answer = asked.get(style)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    version = style.split("/")[2]
    for path in (f"/static/{version}/", f"/static/{version}/../app.py", "/static/x/base.css"):
        assert asked.get(path).status_code == 404
    for path in page.of("script"):
        assert asked.get(path["src"]).status_code == 200


def test_a_record_of_the_first_tool_is_shown(tmp_path: Path):
    path = tmp_path / "old.db"
    write_first_tool_file(path)
    asked = client_of(path)
    games = [href for href in addresses(page_of(asked.get("/"))) if href.startswith("/game?")]
    assert games
    for href in games:
        page = page_of(asked.get(href))
        for step in [a for a in addresses(page) if a.startswith("/step?")][:2]:
            page_of(asked.get(step))
    page_of(asked.get("/runs"))


def test_a_record_that_is_gone_or_damaged_is_a_page_in_words(tmp_path: Path):
    path = tmp_path / "simulation.db"
    asked = client_of(path)
    assert "cannot be read" in page_of(asked.get("/"), 500).text
    path.write_bytes(os.urandom(20_000))
    assert "not a DuckDB file" in page_of(asked.get("/"), 500).text
    answer = asked.get("/data/costs?id=x")
    assert answer.status_code == 500
    assert "not a DuckDB file" in answer.json()["problem"]


def test_a_record_that_is_held_is_a_page_in_words(held: tuple[int, Path]):
    pid, path = held
    answer = client_of(path).get("/")
    assert str(pid) in page_of(answer, 503).text
    assert answer.headers["retry-after"] == "2"


def test_a_fault_of_its_own_is_no_traceback(asked: TestClient, monkeypatch: pytest.MonkeyPatch):
    from payment_simulator.dashboard import pages

    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("secret of the inside")

    monkeypatch.setattr(pages, "list_games", broken)
    careful = TestClient(asked.app, base_url=str(asked.base_url), raise_server_exceptions=False)
    answer = careful.get("/")
    assert "the dashboard itself failed" in page_of(answer, 500).text
    assert "secret" not in answer.text
    assert answer.headers["x-frame-options"] == "DENY"
