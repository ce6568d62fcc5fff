// The charts of a game, and what is new in it while it is played.
import { Chart } from "./charts.js";
import { failed, joined, numbers, picker } from "./columns.js";
import { colour, marks, seriesColour } from "./marks.js";
import { element, money, plain, shortMoney } from "./text.js";
import { listen, refreshParts, throttled } from "./page.js";

const FEW = 4;
const KINDS = {
  a: { code: 0, word: "accepted", shape: "disc", colour: "good", size: 3.6 },
  r: { code: 1, word: "rejected", shape: "ring", colour: "warn", size: 3.2 },
  x: { code: 2, word: "refused", shape: "cross", colour: "bad", size: 3.4 },
};
const always = (value) => () => value;
const home = document.getElementById("charts");
const costHost = document.getElementById("cost-charts");
const parameterHost = document.getElementById("parameter-charts");
const live = document.getElementById("live");
const step = (bank, iteration) => `${home.dataset.step}&${new URLSearchParams({ bank, iteration })}`;

const banks = new Map();
let parameters = {};
const chosen = new Set();
const costCharts = new Map();
let parameterCharts = [];

// Before the first step stands what the first policy cost when it was first measured.
const starts = (of) => (of.iteration[0] === 1 ? 1 : 0);

function columns(of) {
  const proposed = of.new.map((cost, i) => (of.verdict[i] === "x" ? of.force[i] : cost));
  if (!starts(of)) return [of.iteration, of.force, of.best, proposed];
  return [[0, ...of.iteration], [of.old[0], ...of.force], [null, ...of.best], [null, ...proposed]];
}

function drawCosts(bank) {
  // What the chart reads is looked up anew: it grows while the game is played.
  const of = () => banks.get(bank);
  const at = (i) => i - starts(of());
  const kind = (i) => KINDS[of().verdict[at(i)]];
  costCharts.set(bank, new Chart(costHost, {
    title: bank,
    group: "iterations",
    data: columns(of()),
    x: { label: "iteration" },
    y: { label: "Cost", format: money, tick: shortMoney },
    fit: [1, 2],
    series: [
      { label: "in force", bare: true, colour: () => colour("series-1") },
      { label: "best so far", bare: true, width: 1.5, dash: [5, 4], colour: () => colour("muted") },
      { label: "proposed", colour: () => colour("good"), draw: marks(kind) },
    ],
    describe: (i) => (at(i) < 0 ? [["iteration", "0"], ["cost at the start", money(of().old[0])]] : [
      ["iteration", plain(of().iteration[at(i)])],
      ["verdict", kind(i).word],
      ["cost before", money(of().old[at(i)])],
      ...(kind(i).word === "refused" ? [] : [["proposed", money(of().new[at(i)])]]),
      ["best so far", money(of().best[at(i)])],
    ]),
    open: (i) => (at(i) < 0 ? null : step(bank, of().iteration[at(i)])),
    table: {
      heads: ["Iteration", "Verdict", "Cost before", "Cost proposed", "In force after", "Best so far"],
      row: (i) => (at(i) < 0 ? ["0", "start", "–", "–", money(of().old[0]), "–"] : [
        plain(of().iteration[at(i)]),
        kind(i).word,
        money(of().old[at(i)]),
        kind(i).word === "refused" ? "–" : money(of().new[at(i)]),
        money(of().force[at(i)]),
        money(of().best[at(i)]),
      ]),
    },
  }));
}

function drawParameters() {
  const focused = parameterHost.contains(document.activeElement);
  if (focused) return;
  parameterCharts.forEach((chart) => chart.destroy());
  parameterCharts = [];
  const names = Object.keys(parameters);
  parameterHost.replaceChildren();
  if (!names.length) parameterHost.append(element("p", { class: "hint", text: "No policy of this game has parameters." }));
  for (const name of names) {
    const shown = [...banks.keys()].filter((bank) => chosen.has(bank) && parameters[name][bank]);
    if (!shown.length) continue;
    const of = parameters[name];
    const order = [...banks.keys()];
    const data = joined(shown.map((bank) => {
      const { iteration, force, proposed, start } = of[bank];
      if (start == null || iteration[0] !== 1) return [iteration, force, proposed];
      return [[0, ...iteration], [start, ...force], [null, ...proposed]];
    }));
    const small = (bank) => ({ code: 0, shape: "ring", size: 2.4, colour: `series-${(order.indexOf(bank) % 8) + 1}` });
    parameterCharts.push(new Chart(parameterHost, {
      title: name,
      group: "iterations",
      legend: true,
      data,
      x: { label: "iteration" },
      y: { label: "Value", format: plain },
      series: shown.flatMap((bank) => [
        { label: bank, spanGaps: true, colour: () => seriesColour(order.indexOf(bank)) },
        { label: `${bank}, proposed`, colour: () => seriesColour(order.indexOf(bank)), draw: marks(always(small(bank))) },
      ]),
      describe: (i) => [
        ["iteration", plain(data[0][i])],
        ...shown.flatMap((bank, at) => [[bank, plain(data[1 + 2 * at][i])], ["proposed", plain(data[2 + 2 * at][i])]]),
      ],
      table: {
        heads: ["Iteration", ...shown.flatMap((bank) => [`${bank}, in force`, `${bank}, proposed`])],
        row: (i) => data.map((column) => plain(column[i])),
      },
    }));
  }
}

function drawAll() {
  for (const [bank, chart] of costCharts) {
    if (!chosen.has(bank)) {
      chart.destroy();
      costCharts.delete(bank);
    }
  }
  costHost.querySelectorAll(":scope > :not(.chart)").forEach((node) => node.remove());
  for (const bank of banks.keys()) {
    if (chosen.has(bank) && !costCharts.has(bank)) drawCosts(bank);
  }
  if (!banks.size) costHost.replaceChildren(element("p", { class: "hint", text: "No step is recorded yet." }));
  drawParameters();
}

function offer() {
  const names = [...banks.keys()];
  if (!chosen.size) names.slice(0, FEW).forEach((name) => chosen.add(name));
  picker(document.getElementById("bank-picker"), names, chosen, drawAll);
}

// Puts the steps that came since into the columns, each in its place.
function takeIn(found) {
  let isNew = false;
  for (const [bank, news] of Object.entries(found)) {
    const of = banks.get(bank);
    if (!of) {
      banks.set(bank, news);
      isNew = true;
      continue;
    }
    const from = of.iteration.findIndex((iteration) => iteration >= news.iteration[0]);
    const kept = from < 0 ? of.iteration.length : from;
    for (const name of Object.keys(news)) {
      of[name] = name === "verdict" ? of.verdict.slice(0, kept) + news.verdict : [...of[name].slice(0, kept), ...news[name]];
    }
    costCharts.get(bank)?.update(columns(of));
  }
  if (isNew) {
    if (chosen.size < FEW) [...banks.keys()].slice(0, FEW).forEach((name) => chosen.add(name));
    offer();
    drawAll();
  }
}

const showParameters = throttled(async () => {
  parameters = (await numbers(home.dataset.parameters)).parameters;
  drawParameters();
}, 2500);
const showParts = throttled(() => refreshParts(live.dataset.parts), 1500);

async function begin() {
  try {
    const [costs, found] = await Promise.all([numbers(home.dataset.costs), numbers(home.dataset.parameters)]);
    Object.entries(costs.banks).forEach(([bank, of]) => banks.set(bank, of));
    parameters = found.parameters;
    offer();
    drawAll();
  } catch (error) {
    failed(costHost, error);
  }
  if (live.dataset.over) return;
  let steps = Number(live.dataset.steps);
  let after = Number(live.dataset.after);
  listen(() => `${live.dataset.live}&steps=${steps}&after=${after}`, {
    steps: (news) => {
      ({ steps, iteration: after } = news);
      takeIn(news.banks);
      showParameters();
      showParts();
    },
    status: () => showParts(),
  });
}
begin();
