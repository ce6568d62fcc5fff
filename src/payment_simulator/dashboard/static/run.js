// A simulation run through the day: balances, queues, throughput.
import { Chart } from "./charts.js";
import { failed, joined, numbers } from "./columns.js";
import { colour, seriesColour } from "./marks.js";
import { element, money, plain, shortMoney } from "./text.js";

const host = document.getElementById("run-charts");
const MOST_DAY_LINES = 60;

function dayLines(found) {
  return (u) => {
    if (found.last_day - found.first_day > MOST_DAY_LINES) return;
    const { ctx, bbox } = u;
    ctx.save();
    ctx.strokeStyle = colour("line-strong");
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
    for (let day = found.first_day + 1; day <= found.last_day; day += 1) {
      const x = Math.round(u.valToPos(day * found.ticks_per_day - 0.5, "x", true));
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.restore();
  };
}

function lines(found, title, names) {
  const banks = Object.keys(found.banks);
  const parts = banks.flatMap((bank) => names.map(([key, word, dash]) => ({ bank, key, word, dash })));
  const data = joined(banks.map((bank) => [found.banks[bank].tick, ...names.map(([key]) => found.banks[bank][key])]));
  const label = ({ bank, word }) => (word ? `${bank}, ${word}` : bank);
  const when = (tick) => `${Math.floor(tick / found.ticks_per_day)}, ${tick % found.ticks_per_day}`;
  new Chart(host, {
    title,
    group: "ticks",
    legend: true,
    data,
    x: { label: "tick" },
    y: { label: title, format: money, tick: shortMoney, also: [0], least: 100 },
    series: parts.map((part) => ({
      label: label(part),
      bare: true,
      width: part.dash ? 1.2 : 1.8,
      dash: part.dash,
      colour: () => seriesColour(banks.indexOf(part.bank)),
    })),
    before: dayLines(found),
    describe: (i) => [
      ["tick", plain(data[0][i])],
      ["day, tick of it", when(data[0][i])],
      ...parts.map((part, at) => [label(part), money(data[at + 1][i])]),
    ],
    table: {
      heads: ["Tick", "Day, tick of it", ...parts.map(label)],
      row: (i) => [plain(data[0][i]), when(data[0][i]), ...parts.map((_, at) => money(data[at + 1][i]))],
    },
  });
}

function throughput(found) {
  const percent = (share) => `${(100 * share).toFixed(1)} %`;
  const ticks = found.throughput.map((_, i) => i);
  new Chart(host, {
    title: "Throughput: value settled by each tick of the day",
    data: [ticks, found.throughput],
    x: { label: "tick of the day" },
    y: { label: "Share", format: percent, tick: (splits) => splits.map((share) => `${Math.round(100 * share)} %`), range: [0, 1.05] },
    series: [{ label: "settled", colour: () => colour("series-3") }],
    describe: (i) => [["tick of the day", plain(i)], ["settled", percent(found.throughput[i])]],
    table: { heads: ["Tick of the day", "Settled"], row: (i) => [plain(i), percent(found.throughput[i])] },
  });
}

async function begin() {
  let found;
  try {
    found = await numbers(host.dataset.run);
  } catch (error) {
    failed(host, error);
    return;
  }
  host.replaceChildren();
  if (!Object.keys(found.banks).length) {
    host.append(element("p", { class: "hint", text: "No states of banks are recorded for these days." }));
    return;
  }
  lines(found, "Balance", [["balance", ""]]);
  lines(found, "Value in Queue 1, the bank's own", [["queue1", ""]]);
  lines(found, "Value in Queue 2, the system's", [["queue2", ""]]);
  if (found.throughput.length) throughput(found);
}
if (host) begin();
