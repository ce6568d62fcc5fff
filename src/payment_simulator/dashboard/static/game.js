// The charts of a game, and what is new in it while it is played.
import { Chart, colour, element, failed, joined, marks, money, numbers, picker, plain, seriesColour, shortMoney } from "./charts.js";
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

function columns(of) {
  return [of.iteration, of.force, of.best, of.new.map((cost, i) => (of.verdict[i] === "x" ? of.force[i] : cost))];
}

function drawCosts(bank) {
  // What the chart reads is looked up anew: it grows while the game is played.
  const of = () => banks.get(bank);
  const kind = (i) => KINDS[of().verdict[i]];
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
    describe: (i) => [
      ["iteration", plain(of().iteration[i])],
      ["verdict", kind(i).word],
      ["cost before", money(of().old[i])],
      ...(kind(i).word === "refused" ? [] : [["proposed", money(of().new[i])]]),
      ["best so far", money(of().best[i])],
    ],
    open: (i) => step(bank, of().iteration[i]),
    table: {
      heads: ["Iteration", "Verdict", "Cost before", "Cost proposed", "In force after", "Best so far"],
      row: (i) => [plain(of().iteration[i]), kind(i).word, money(of().old[i]), kind(i).word === "refused" ? "–" : money(of().new[i]), money(of().force[i]), money(of().best[i])],
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
    const data = joined(shown.map((bank) => [of[bank].iteration, of[bank].force, of[bank].proposed]));
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
