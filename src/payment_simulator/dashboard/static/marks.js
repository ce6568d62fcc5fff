// How points and lines of a chart are drawn, in the colours of the page.
const SERIES = 8;
const DENSE = 1500;
const DOT = 3;
const LEAST_STEP = 6;

let colours = {};
export function colour(name) {
  colours[name] ??= getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  return colours[name];
}
export function seriesColour(index) {
  return colour(`series-${(index % SERIES) + 1}`);
}
// After a change of theme they are looked up anew.
export function forgetColours() {
  colours = {};
}

// Draws each point of a series as a sign of its own: what is told by colour is told by form, too.
// Where points stand so dense that no form can be seen, each is a dot.
export function marks(kindOf) {
  return (u, series, from, to) => {
    const { ctx, bbox } = u;
    const xs = u.data[0];
    const ys = u.data[series];
    const scale = devicePixelRatio;
    const isDense = to - from > DENSE;
    const grain = isDense ? DOT * scale : 2;
    const { min: left, max: right } = u.scales.x;
    const { min: low, max: high } = u.scales[u.series[series].scale];
    const perX = bbox.width / (right - left);
    const perY = bbox.height / (high - low);
    const columns = Math.ceil(bbox.width / grain) + 2;
    const rows = Math.ceil((bbox.height + 18) / grain) + 2;
    const seen = new Map();
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    for (let i = from; i <= to; i += 1) {
      if (ys[i] == null) continue;
      const x = Math.round((xs[i] - left) * perX);
      const y = Math.round((high - ys[i]) * perY);
      if (y < -9 || y > bbox.height + 9) continue;
      const kind = kindOf(i);
      let of = seen.get(kind);
      if (!of) seen.set(kind, (of = { spots: new Uint8Array(columns * rows), path: new Path2D(), paint: colour(kind.colour) }));
      // Points that fall on the same spot are drawn once.
      const spot = Math.floor((y + 9) / grain) * columns + Math.floor(x / grain);
      if (of.spots[spot]) continue;
      of.spots[spot] = 1;
      if (isDense) {
        ctx.fillStyle = of.paint;
        ctx.fillRect(bbox.left + x - grain / 2, bbox.top + y - grain / 2, grain, grain);
      } else {
        SHAPES[kind.shape](of.path, bbox.left + x, bbox.top + y, kind.size * scale);
      }
    }
    if (!isDense) {
      for (const [kind, { path, paint }] of seen) {
        ctx.lineWidth = 1.6 * scale;
        ctx.strokeStyle = paint;
        ctx.fillStyle = kind.shape === "ring" ? colour("surface") : paint;
        if (kind.shape !== "cross") ctx.fill(path);
        if (kind.shape !== "disc") ctx.stroke(path);
      }
    }
    ctx.restore();
    return null;
  };
}

function circle(path, x, y, size) {
  path.moveTo(x + size, y);
  path.arc(x, y, size, 0, 2 * Math.PI);
}
function cross(path, x, y, size) {
  path.moveTo(x - size, y - size);
  path.lineTo(x + size, y + size);
  path.moveTo(x - size, y + size);
  path.lineTo(x + size, y - size);
}
const SHAPES = { disc: circle, ring: circle, cross };

// Steps, and plain lines where a step would be narrower than what can be seen.
const stepped = uPlot.paths.stepped({ align: 1 });
const linear = uPlot.paths.linear();
export function steps(u, series, from, to) {
  if (to - from > DENSE) return linear(u, series, from, to);
  const found = stepped(u, series, from, to);
  const [xs, ys] = [u.data[0], u.data[series]];
  let last = ys.length - 1;
  while (last >= 0 && ys[last] == null) last -= 1;
  // The last value holds for its step, too: without that, all of it would be an upright stub.
  if (found?.stroke && last >= from && last <= to) {
    const [left, right] = [xs[last], xs[last] + 0.5].map((x) => u.valToPos(x, "x", true));
    const height = Math.round(u.valToPos(ys[last], u.series[series].scale, true));
    found.stroke.lineTo(Math.max(right, left + LEAST_STEP * devicePixelRatio), height);
  }
  return found;
}
