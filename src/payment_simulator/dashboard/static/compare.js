// Games over their iterations, one chart for each bank.
import { Chart } from "./charts.js";
import { failed, joined, numbers, picker } from "./columns.js";
import { seriesColour } from "./marks.js";
import { money, plain, shortMoney } from "./text.js";

const FEW = 4;
const DASHES = [undefined, [8, 4], [2, 3], [8, 3, 2, 3]];
const host = document.getElementById("compare-charts");

function draw(bank, of, games) {
  const shown = games.filter((game) => of[game]);
  const data = joined(shown.map((game) => [of[game].iteration, of[game].force]));
  return new Chart(host, {
    title: bank,
    group: "iterations",
    legend: true,
    data,
    x: { label: "iteration" },
    y: { label: "Cost in force", format: money, tick: shortMoney },
    series: shown.map((game) => {
      const at = games.indexOf(game);
      return { label: game, spanGaps: true, dash: DASHES[Math.floor(at / 8) % 4] ?? DASHES[at % 4], colour: () => seriesColour(at) };
    }),
    describe: (i) => [["iteration", plain(data[0][i])], ...shown.map((game, at) => [game, money(data[at + 1][i])])],
    table: {
      heads: ["Iteration", ...shown],
      row: (i) => [plain(data[0][i]), ...shown.map((_, at) => money(data[at + 1][i]))],
    },
  });
}

async function begin() {
  let found;
  try {
    found = await numbers(host.dataset.costs);
  } catch (error) {
    failed(host, error);
    return;
  }
  const names = Object.keys(found.banks).sort();
  const chosen = new Set(names.slice(0, FEW));
  let charts = [];
  const drawAll = () => {
    charts.forEach((chart) => chart.destroy());
    host.replaceChildren();
    charts = names.filter((name) => chosen.has(name)).map((name) => draw(name, found.banks[name], found.games));
  };
  picker(document.getElementById("bank-picker"), names, chosen, drawAll);
  drawAll();
}
begin();
