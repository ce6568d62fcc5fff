// The paired differences of a step.
import { Chart } from "./charts.js";
import { failed, numbers } from "./columns.js";
import { colour, marks } from "./marks.js";
import { money, plain, shortMoney } from "./text.js";

const host = document.getElementById("samples-chart");
const KINDS = {
  gain: { code: 0, shape: "disc", colour: "good", size: 3.6 },
  loss: { code: 1, shape: "ring", colour: "bad", size: 3.6 },
};

function band(found) {
  return (u) => {
    const { ctx, bbox } = u;
    const y = (value) => u.valToPos(value, "y", true);
    const line = (value, paint, dash) => {
      ctx.strokeStyle = paint;
      ctx.lineWidth = 1.5 * devicePixelRatio;
      ctx.setLineDash(dash.map((length) => length * devicePixelRatio));
      ctx.beginPath();
      ctx.moveTo(bbox.left, y(value));
      ctx.lineTo(bbox.left + bbox.width, y(value));
      ctx.stroke();
    };
    ctx.save();
    ctx.fillStyle = colour("band");
    if (found.low !== null) ctx.fillRect(bbox.left, y(found.high), bbox.width, y(found.low) - y(found.high));
    line(0, colour("line-strong"), []);
    line(found.mean, colour("accent"), [6, 4]);
    ctx.restore();
  };
}

async function begin() {
  let found;
  try {
    found = await numbers(host.dataset.samples);
  } catch (error) {
    failed(host, error);
    return;
  }
  host.replaceChildren();
  new Chart(host, {
    title: found.low === null ? `Mean gain ${money(found.mean)}` : `Mean gain ${money(found.mean)}, between ${money(found.low)} and ${money(found.high)}`,
    data: [found.number, found.gain],
    x: { label: "sample day" },
    y: { label: "Gain", format: money, tick: shortMoney, also: found.low === null ? [0, found.mean] : [0, found.low, found.high] },
    series: [{ label: "gain", colour: () => colour("good"), draw: marks((i) => (found.gain[i] < 0 ? KINDS.loss : KINDS.gain)) }],
    before: band(found),
    describe: (i) => [
      ["sample", plain(found.number[i])],
      ["seed", found.seed[i]],
      ["in force", money(found.old[i])],
      ["proposed", money(found.new[i])],
      ["gain", money(found.gain[i])],
    ],
    table: {
      heads: ["Sample", "Seed", "In force", "Proposed", "Gain"],
      row: (i) => [plain(found.number[i]), found.seed[i], money(found.old[i]), money(found.new[i]), money(found.gain[i])],
    },
  });
}
if (host) begin();
