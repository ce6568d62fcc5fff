// Charts on uPlot: hover, zoom, keys, and a table of the same numbers.
//
// A chart is told its columns and how to draw and describe them; every text is put in as text.
import { colour, forgetColours, steps } from "./marks.js";
import { each, element, visible, whole } from "./text.js";

const HEIGHT = 260;
const ROWS_AT_ONCE = 200;
const CLICK_PIXELS = 4;
const SECOND_CLICK_MS = 280;
const FEW_POINTS = 60;

const groups = new Map();

export class Chart {
  // spec: title, data (columns, x first), series [{label, colour, shape, dash, draw}], x, y
  // {label, format, tick}, describe(i) -> [[name, value]], open(i) -> address, table {heads, row(i)},
  // group, fit (indices of the series that give the vertical range), before(u) draws beneath.
  constructor(host, spec) {
    this.spec = spec;
    this.data = spec.data;
    this.at = null;
    this.window = null;
    this.figure = element("figure", { class: "chart" });
    this.caption = element("figcaption", {}, element("span", { text: spec.title }), this.#tools());
    this.plot = element("div", {
      class: spec.open ? "chart-plot can-open" : "chart-plot",
      tabindex: "0",
      role: "application",
      "aria-roledescription": "chart",
      "aria-label": `${visible(spec.title)}. ${spec.y.label} by ${spec.x.label}. Left and right keys go from point to point, plus and minus zoom, shift with left and right moves, 0 shows all${spec.open ? ", enter opens the step" : ""}. The table below has the same numbers.`,
    });
    this.readout = element("p", { class: "hidden", "aria-live": "polite" });
    this.tip = element("div", { class: "tip", hidden: "" });
    this.figure.append(this.caption, this.plot, this.#legend(), this.readout, this.#table());
    host.append(this.figure);
    this.#draw();
    this.#keys();
    if (spec.group) {
      if (!groups.has(spec.group)) groups.set(spec.group, new Set());
      groups.get(spec.group).add(this);
    }
    this.resizing = new ResizeObserver(() => {
      const width = this.plot.clientWidth;
      if (width && width !== this.u.width) this.u.setSize({ width, height: HEIGHT });
    });
    this.resizing.observe(this.plot);
    this.recolour = () => {
      forgetColours();
      this.u.redraw(false, true);
      this.#paintLegend();
    };
    document.addEventListener("themechange", this.recolour);
  }

  destroy() {
    document.removeEventListener("themechange", this.recolour);
    this.resizing.disconnect();
    groups.get(this.spec.group)?.delete(this);
    this.u.destroy();
    this.figure.remove();
  }

  // Puts new columns in place of those that are there; a chart that is zoomed stays where it is.
  update(data) {
    const isWhole = this.window === null;
    this.data = data;
    this.u.batch(() => {
      this.u.setData(data, false);
      const [low, high] = isWhole ? this.#extent() : this.window;
      this.u.setScale("x", { min: low, max: high });
    });
    this.#fillTable();
  }

  zoom(factor, shift = 0) {
    const [first, last] = this.#extent();
    const { min, max } = this.u.scales.x;
    const middle = this.at === null ? (min + max) / 2 : this.data[0][this.at];
    const span = Math.min((max - min) * factor, last - first);
    if (factor < 1 && span < 2) return;
    let low = factor === 1 ? min + shift * span : middle - (span * (middle - min)) / (max - min);
    low = Math.max(first, Math.min(low, last - span));
    this.show(low, low + span);
  }

  show(low, high) {
    for (const chart of this.#together()) chart.u.setScale("x", { min: low, max: high });
  }

  reset() {
    for (const chart of this.#together()) {
      const [low, high] = chart.#extent();
      chart.u.setScale("x", { min: low, max: high });
    }
  }

  #together() {
    return groups.get(this.spec.group) ?? [this];
  }

  #extent() {
    const xs = this.data[0];
    if (!xs.length) return [0, 1];
    const low = xs[0];
    const high = xs[xs.length - 1];
    const room = Math.max((high - low) * 0.02, 0.5);
    return [low - room, high + room];
  }

  #tools() {
    const tools = element("span", { class: "chart-tools", role: "group", "aria-label": `Zoom of ${visible(this.spec.title)}` });
    const add = (text, label, work) => {
      const button = element("button", { type: "button", text, "aria-label": label, title: label });
      button.addEventListener("click", work);
      tools.append(button);
      return button;
    };
    add("+", "Zoom in", () => this.zoom(0.5));
    add("−", "Zoom out", () => this.zoom(2));
    add("←", "Move left", () => this.zoom(1, -0.4));
    add("→", "Move right", () => this.zoom(1, 0.4));
    add("All", "Show all", () => this.reset());
    if (this.spec.fit) {
      const button = add("Fit line", "Fit the height to the lines, leaving out dear proposals", () => {
        this.isFitted = !this.isFitted;
        button.setAttribute("aria-pressed", String(this.isFitted));
        const { min, max } = this.u.scales.x;
        this.u.setScale("x", { min, max });
      });
      button.setAttribute("aria-pressed", "false");
    }
    return tools;
  }

  #legend() {
    this.legend = element("div", { class: "chart-legend", "aria-hidden": "true" });
    if (this.spec.legend) {
      for (const series of this.spec.series) {
        const key = element("i", series.draw ? { class: "mark" } : {});
        this.legend.append(element("span", {}, key, element("bdi", { text: series.label })));
      }
      this.#paintLegend();
    }
    return this.legend;
  }

  #paintLegend() {
    [...this.legend.children].forEach((entry, index) => {
      const { colour: paint, dash } = this.spec.series[index];
      entry.firstChild.style.borderColor = paint();
      entry.firstChild.style.borderTopStyle = dash ? "dashed" : "solid";
    });
  }

  #range(u, low, high) {
    if (this.spec.y.range) return this.spec.y.range;
    const [from, to] = u.series[0].idxs ?? [0, this.data[0].length - 1];
    let min = Infinity;
    let max = -Infinity;
    const wanted = this.isFitted ? this.spec.fit : this.spec.series.map((_, i) => i + 1);
    for (const column of wanted) {
      const values = this.data[column];
      for (let i = from; i <= to; i += 1) {
        const value = values[i];
        if (value == null) continue;
        if (value < min) min = value;
        if (value > max) max = value;
      }
    }
    for (const value of this.spec.y.also ?? []) {
      min = Math.min(min, value);
      max = Math.max(max, value);
    }
    if (min > max) return [low ?? 0, high ?? 1];
    const room = (max - min) * 0.07 || Math.abs(max) * 0.1 || this.spec.y.least || 1;
    return [min >= 0 && min - room < 0 ? Math.min(0, -room * 0.3) : min - room, max + room];
  }

  #draw() {
    const { spec } = this;
    const axis = (format, size, values) => ({
      stroke: () => colour("muted"),
      grid: { stroke: () => colour("line"), width: 1 },
      ticks: { stroke: () => colour("line"), width: 1 },
      font: "12px system-ui, sans-serif",
      labelFont: "12px system-ui, sans-serif",
      size,
      values: (u, splits, index, space, stride) => format(splits, stride),
      ...values,
    });
    const options = {
      width: this.plot.clientWidth || 600,
      height: HEIGHT,
      legend: { show: false },
      scales: {
        x: { time: false, range: (u, min, max) => [min, max] },
        y: { range: (u, min, max) => this.#range(u, min, max) },
      },
      axes: [
        axis(each(whole), 46, { label: spec.x.label, labelSize: 16, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 50000] }),
        axis(spec.y.tick ?? each(spec.y.format), 62, {}),
      ],
      cursor: {
        x: true,
        y: false,
        points: { size: 9, width: 2, stroke: () => colour("ink"), fill: () => colour("surface") },
        drag: { x: true, y: false, setScale: true, dist: CLICK_PIXELS },
        ...(spec.group ? { sync: { key: spec.group, setSeries: false } } : {}),
      },
      series: [{}, ...spec.series.map((series) => this.#series(series))],
      hooks: {
        setCursor: [(u) => this.#moved(u.cursor.idx)],
        setScale: [(u, key) => { if (key === "x") this.#scaled(); }],
        drawClear: [(u) => spec.before?.(u)],
      },
    };
    this.u = new uPlot(options, this.data, this.plot);
    const [low, high] = this.#extent();
    this.u.setScale("x", { min: low, max: high });
    this.u.over.append(this.tip);
    this.u.over.addEventListener("mouseenter", () => { this.isUnder = true; });
    this.u.over.addEventListener("mouseleave", () => {
      this.isUnder = false;
      this.tip.hidden = true;
    });
    let pressed = null;
    this.u.over.addEventListener("mousedown", (event) => { pressed = [event.clientX, event.clientY]; });
    this.u.over.addEventListener("click", (event) => {
      const moved = pressed ? Math.hypot(event.clientX - pressed[0], event.clientY - pressed[1]) : 0;
      if (event.detail > 1) clearTimeout(this.opening);
      else if (moved < CLICK_PIXELS) this.opening = setTimeout(() => this.#open(), SECOND_CLICK_MS);
    });
    this.u.over.addEventListener("dblclick", () => this.reset());
  }

  #series(series) {
    return {
      label: series.label,
      stroke: series.colour,
      width: series.draw ? 0 : (series.width ?? 2),
      dash: series.dash,
      spanGaps: series.spanGaps ?? false,
      paths: series.draw ?? steps,
      points: {
        show: series.draw || series.bare ? false : (u, index, from, to) => to - from < FEW_POINTS,
        size: 5,
        fill: series.colour,
      },
    };
  }

  #scaled() {
    const { min, max } = this.u.scales.x;
    const [low, high] = this.#extent();
    this.window = min <= low + 1e-9 && max >= high - 1e-9 ? null : [min, max];
  }

  #moved(index) {
    this.at = index ?? null;
    if (index == null || !(this.isUnder || this.hasKeys)) {
      this.tip.hidden = true;
      return;
    }
    const rows = this.spec.describe(index);
    this.tip.replaceChildren(element("dl", {}, ...rows.flatMap(([name, value]) => [
      element("dt", { text: name }), element("dd", { text: value }),
    ])));
    this.tip.hidden = false;
    const { left } = this.u.cursor;
    const room = this.u.over.clientWidth;
    const width = this.tip.offsetWidth;
    const beside = left + 14 + width > room ? left - width - 14 : left + 14;
    this.tip.style.left = `${Math.max(0, Math.min(beside, room - width))}px`;
    this.tip.style.top = "4px";
    if (this.hasKeys) this.readout.textContent = visible(rows.map((row) => row.join(" ")).join(", "));
  }

  #open() {
    const address = this.at === null ? null : this.spec.open?.(this.at);
    if (address) location.assign(address);
  }

  #to(index) {
    const at = Math.max(0, Math.min(index, this.data[0].length - 1));
    const x = this.data[0][at];
    const { min, max } = this.u.scales.x;
    if (x < min || x > max) {
      const shift = x < min ? x - min : x - max;
      this.show(min + shift, max + shift);
    }
    this.hasKeys = true;
    requestAnimationFrame(() => {
      const left = this.u.valToPos(x, "x");
      const column = this.data.slice(1).find((values) => values[at] != null);
      const top = column ? this.u.valToPos(column[at], "y") : 10;
      this.u.setCursor({ left, top });
    });
  }

  #keys() {
    this.plot.addEventListener("blur", () => {
      this.hasKeys = false;
      this.tip.hidden = true;
    });
    this.plot.addEventListener("mousedown", () => { this.hasKeys = false; });
    this.plot.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || !this.data[0].length) return;
      const last = this.data[0].length - 1;
      const by = event.key === "ArrowLeft" ? -1 : 1;
      const from = this.at ?? (by > 0 ? -1 : last + 1);
      const work = {
        ArrowLeft: () => (event.shiftKey ? this.zoom(1, -0.2) : this.#to(from - 1)),
        ArrowRight: () => (event.shiftKey ? this.zoom(1, 0.2) : this.#to(from + 1)),
        Home: () => this.#to(0),
        End: () => this.#to(last),
        "+": () => this.zoom(0.5),
        "=": () => this.zoom(0.5),
        "-": () => this.zoom(2),
        0: () => this.reset(),
        Enter: () => this.#open(),
        Escape: () => { this.hasKeys = false; this.u.setCursor({ left: -10, top: -10 }); },
      }[event.key];
      if (!work) return;
      event.preventDefault();
      work();
    });
  }

  #table() {
    if (!this.spec.table) return "";
    this.rows = element("tbody");
    const heads = this.spec.table.heads.map((text, i) => element("th", { scope: "col", class: i ? "number" : "", text }));
    this.more = element("button", { type: "button", text: "More rows", hidden: "" });
    this.more.addEventListener("click", () => this.#addRows());
    this.details = element("details", {}, element("summary", { text: "The numbers of this chart" }),
      element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Numbers of ${visible(this.spec.title)}` },
        element("table", { class: "rows" }, element("caption", { class: "hidden", text: this.spec.title }), element("thead", {}, element("tr", {}, ...heads)), this.rows), this.more));
    this.details.addEventListener("toggle", () => this.#fillTable());
    return this.details;
  }

  #fillTable() {
    if (!this.details?.open) return;
    const shown = Math.max(this.rows.childElementCount, ROWS_AT_ONCE);
    this.rows.replaceChildren();
    this.#addRows(shown);
  }

  #addRows(count = ROWS_AT_ONCE) {
    const from = this.rows.childElementCount;
    const to = Math.min(from + count, this.data[0].length);
    for (let i = from; i < to; i += 1) {
      const cells = this.spec.table.row(i).map((text, at) => element(at ? "td" : "th", at ? { class: "number", text } : { scope: "row", text }));
      this.rows.append(element("tr", {}, ...cells));
    }
    this.more.hidden = to >= this.data[0].length;
  }
}
