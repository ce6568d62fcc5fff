"""Every page in a real browser: it is drawn, asks nobody else, and takes no text for markup."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from tests.browser.conftest import Seen
from tests.browser.worlds import (
    ARABIC,
    HOSTILE_BANK,
    HOSTILE_GAME,
    HOSTILE_SCENARIO,
    LONG,
    PICTURE,
    SCRIPT,
    TURNED,
)

PAGES = {
    "list": "/",
    "game": "/game?id=twelve",
    "game-hostile": "/game?" + urlencode({"id": HOSTILE_GAME}),
    "step": "/step?id=twelve&bank=BANK_A&iteration=2",
    "step-hostile": "/step?"
    + urlencode({"id": HOSTILE_GAME, "bank": HOSTILE_BANK, "iteration": "1"}),
    "step-refused": "/step?"
    + urlencode({"id": HOSTILE_GAME, "bank": HOSTILE_BANK, "iteration": "3"}),
    "run": "/run?id=twelve/final",
    "runs": "/runs",
    "payment": "/payment?id=twelve/final&payment=3",
    "compare": "/compare?" + urlencode([("id", "castro"), ("id", "twelve"), ("id", HOSTILE_GAME)]),
}
WINDOWS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "narrow": {"viewport": {"width": 400, "height": 800}, "color_scheme": "light"},
}


@pytest.mark.parametrize("window", WINDOWS)
def test_every_page_is_drawn_in_every_window(window: str, browser: Any, address: str) -> None:
    context = browser.new_context(**WINDOWS[window])
    for name, path in PAGES.items():
        seen = Seen(context.new_page(), address)
        page = seen.open(path)
        assert page.locator("main h1").count() == 1
        assert page.locator(".problem[role=alert]").count() == 0
        seen.picture(f"{name}-{window}")
        seen.is_well(name)
        page.close()
    context.close()


def test_tables_of_a_usual_window_are_seen_whole(browser: Any, address: str) -> None:
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    seen = Seen(context.new_page(), address)
    for path in ("/", "/game?id=castro", "/game?id=twelve"):
        page = seen.open(path)
        hidden = page.evaluate(
            "[...document.querySelectorAll('.scroll')].filter((n) => n.scrollWidth > n.clientWidth)"
            ".map((n) => n.getAttribute('aria-label'))"
        )
        assert not {"List of games", "Outcomes by bank"} & set(hidden)
    context.close()


def test_hostile_texts_are_shown_letter_for_letter(seen: Seen) -> None:
    page = seen.open("/")
    row = page.locator("tbody tr", has_text="window.harmed")
    assert SCRIPT in row.locator("th a").inner_text()
    assert PICTURE in row.locator("th a").inner_text()
    assert "\\u202egnp.esraeler" in row.locator("th a").inner_text()
    assert row.locator("td[title]").get_attribute("title") == HOSTILE_SCENARIO
    row.locator("th a").click()
    assert ARABIC in page.locator("h1").inner_text()
    page.wait_for_selector(".chart canvas")
    assert page.locator(".chart figcaption").first.inner_text().startswith(HOSTILE_BANK)
    seen.is_well()


def test_prompts_and_answers_are_plain_text_that_can_be_copied(seen: Seen) -> None:
    page = seen.open(PAGES["step-hostile"])
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    for summary in page.locator("main summary").all():
        if summary.locator("xpath=..").get_attribute("open") is None:
            summary.click()
    prompt = page.locator("#call-1-user-text")
    assert SCRIPT in prompt.inner_text()
    assert PICTURE in prompt.inner_text()
    assert LONG in prompt.inner_text()
    assert "\\x1b[31mred\\x07" in prompt.inner_text()
    assert prompt.locator("*").count() == 0
    page.locator("[data-copy=call-1-user-text]").click()
    page.get_by_text("Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == prompt.text_content()
    assert SCRIPT in page.locator("#policies .node, .policy .node").first.inner_text()
    seen.is_well()


def test_names_in_charts_show_what_is_hidden_in_them(seen: Seen) -> None:
    page = seen.open(PAGES["compare"])
    legend = page.locator(".chart-legend", has_text="window.harmed")
    assert "\\u202egnp.esraeler\\u202c" in legend.inner_text()
    assert SCRIPT in legend.inner_text()
    shown = page.evaluate(
        "document.body.innerText + [...document.querySelectorAll('[aria-label]')]"
        ".map((node) => node.getAttribute('aria-label')).join()"
    )
    assert not set(TURNED) & set("\u202e\u202c") & set(shown)
    seen.is_well()


def test_filter_sort_and_open(seen: Seen) -> None:
    page = seen.open("/")
    assert page.locator("tbody tr").count() == 3
    page.get_by_label("Status").select_option("failed")
    page.get_by_role("button", name="Filter").click()
    assert page.locator("tbody tr").count() == 1
    page.get_by_role("link", name="Show all").click()
    page.get_by_role("link", name="Game", exact=True).click()
    assert page.locator("th[aria-sort=ascending]").inner_text().startswith("Game")
    names = page.locator("tbody th").all_inner_texts()
    assert names == sorted(names)
    page.get_by_label("Game, bank or proposer").fill("nothing has this name")
    page.get_by_role("button", name="Filter").click()
    assert "No game matches" in page.locator("main").inner_text()
    page.get_by_role("link", name="Show all games").click()
    page.get_by_role("link", name="castro").click()
    assert page.locator("h1").inner_text() == "castro"
    seen.is_well()


def test_games_are_chosen_in_the_list_and_compared(seen: Seen) -> None:
    page = seen.open("/")
    page.get_by_label("Compare castro").check()
    page.get_by_label("Compare twelve").check()
    page.get_by_role("button", name="Compare the chosen games").click()
    assert page.locator("h1").inner_text() == "2 games compared"
    page.wait_for_selector(".chart canvas")
    assert page.locator(".chart").count() == 2
    assert "not comparable" in page.locator(".notes").inner_text()
    seen.is_well()


def test_a_point_tells_of_its_step_and_opens_it(seen: Seen) -> None:
    page = seen.open("/game?id=twelve")
    over = page.locator("#cost-charts .u-over").first
    box = over.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 40)
    tip = over.locator(".tip")
    tip.wait_for()
    assert "verdict" in tip.inner_text()
    page.mouse.click(box["x"] + box["width"] - 12, box["y"] + 40)
    page.wait_for_url("**/step?**")
    assert page.locator("h1").inner_text() == "BANK_A, iteration 4"
    page.get_by_role("link", name="Iteration 3").click()
    assert page.locator("h1").inner_text() == "BANK_A, iteration 3"
    seen.is_well()


def test_drag_zooms_and_double_click_resets(seen: Seen) -> None:
    page = seen.open("/game?id=twelve")
    table = "() => [...document.querySelectorAll('#cost-charts canvas')].map(c => c.toDataURL())"
    before = page.evaluate(table)
    over = page.locator("#cost-charts .u-over").first
    box = over.bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 60, steps=5)
    page.mouse.up()
    zoomed = page.evaluate(table)
    assert all(one != other for one, other in zip(before, zoomed, strict=True))
    page.mouse.dblclick(box["x"] + 30, box["y"] + 60)
    seen.until(f"(before) => JSON.stringify(({table})()) === JSON.stringify(before)", before)
    assert page.url.endswith("/game?id=twelve")
    seen.is_well()


def test_a_chart_is_used_by_keys_alone(seen: Seen) -> None:
    page = seen.open("/game?id=twelve")
    chart = page.locator("#cost-charts .chart-plot").first
    for _ in range(60):
        page.keyboard.press("Tab")
        if chart.evaluate("node => node === document.activeElement"):
            break
    assert chart.evaluate("node => node === document.activeElement")
    spoken = page.locator("#cost-charts [aria-live]").first
    page.keyboard.press("ArrowRight")
    seen.until("node => node.textContent.startsWith('iteration 0, cost')", spoken.element_handle())
    page.keyboard.press("Enter")  # at the start there is no step to open
    page.keyboard.press("ArrowRight")
    seen.until("node => node.textContent.startsWith('iteration 1,')", spoken.element_handle())
    page.keyboard.press("ArrowRight")
    seen.until("node => node.textContent.startsWith('iteration 2,')", spoken.element_handle())
    before = chart.locator("canvas").evaluate("node => node.toDataURL()")
    page.keyboard.press("+")
    assert chart.locator("canvas").evaluate("node => node.toDataURL()") != before
    page.keyboard.press("0")
    page.keyboard.press("Enter")
    page.wait_for_url("**/step?**")
    assert page.locator("h1").inner_text() == "BANK_A, iteration 2"
    seen.is_well()


def test_the_first_key_leads_past_the_head_of_the_page(seen: Seen) -> None:
    page = seen.open("/game?id=castro")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_a_chart_has_its_numbers_as_a_table(seen: Seen) -> None:
    page = seen.open("/game?id=castro")
    page.locator("#cost-charts details summary").first.click()
    rows = page.locator("#cost-charts details").first.locator("tbody tr")
    assert rows.count() == 4
    assert rows.first.inner_text().split("\t")[::4] == ["0", "50.00"]
    assert rows.nth(1).inner_text().split("\t")[:4] == ["1", "accepted", "50.00", "0.00"]
    seen.is_well()


def test_the_theme_is_kept(seen: Seen) -> None:
    page = seen.open("/")
    page.emulate_media(color_scheme="light")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="Theme: system").click()
    page.get_by_role("button", name="Theme: light").click()
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert dark != light
    page = seen.open("/game?id=castro")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == dark
    page.get_by_role("button", name="Theme: dark").click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == light
    seen.is_well()


def test_payments_of_a_run_lead_to_their_lives(seen: Seen) -> None:
    page = seen.open("/run?id=twelve/final")
    assert page.locator("#run-charts .chart").count() == 4
    page.get_by_role("link", name="Amount").click()
    amounts = page.locator("#payments ~ .scroll tbody tr td:nth-child(4)").all_inner_texts()
    values = [float(text.replace(",", "")) for text in amounts]
    assert values == sorted(values, reverse=True)
    page.locator("#payments ~ .scroll tbody th a").first.click()
    assert page.locator(".timeline li").count() >= 3
    assert "arrives" in page.locator(".timeline").inner_text()
    seen.is_well()


#: Contrast of text with what is behind it, where that is one colour; the least of a page.
CONTRAST = """() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgb = (colour) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const light = ([r, g, b]) => { const f = (v) => { v /= 255;
    return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
    return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b); };
  const behind = (node) => { for (let n = node; n; n = n.parentElement) {
    const colour = rgb(getComputedStyle(n).backgroundColor); if (colour[3] === 255) return colour; }
    return [255, 255, 255, 255]; };
  const found = [];
  for (const node of document.querySelectorAll('body *')) {
    const text = [...node.childNodes].some((c) => c.nodeType === 3 && c.textContent.trim());
    if (!text || !node.checkVisibility() || node.closest('svg')) continue;
    const [a, b] = [light(rgb(getComputedStyle(node).color)), light(behind(node))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) found.push([node.outerHTML.slice(0, 120), ratio.toFixed(2)]);
  }
  return found;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(scheme: str, browser: Any, address: str) -> None:
    context = browser.new_context(color_scheme=scheme)
    for path in PAGES.values():
        seen = Seen(context.new_page(), address)
        assert seen.open(path).evaluate(CONTRAST) == []
    context.close()


def test_every_control_and_picture_has_a_name(seen: Seen) -> None:
    for path in PAGES.values():
        page = seen.open(path)
        nameless = page.evaluate(
            """() => [...document.querySelectorAll('button, a, input:not([type=hidden]), select, '
            + '[role=application], [tabindex="0"]:not(pre), img, svg')].filter((node) =>
            node.getAttribute('aria-hidden') !== 'true' && !node.hasAttribute('alt')
            && !(node.textContent.trim() && !['SELECT', 'svg'].includes(node.tagName))
            && !node.getAttribute('aria-label') && !node.labels?.length)
            .map((node) => node.outerHTML.slice(0, 150))"""
        )
        assert nameless == []
        ids = page.evaluate("[...document.querySelectorAll('[id]')].map((node) => node.id)")
        assert len(ids) == len(set(ids))
