// Columns of numbers for charts: fetched, joined, chosen among.
import { element } from "./text.js";

// A row of buttons that choose which of many are drawn.
export function picker(host, names, chosen, changed) {
  host.replaceChildren(...names.map((name) => {
    const button = element("button", { type: "button", "aria-pressed": String(chosen.has(name)) }, element("bdi", { text: name }));
    button.addEventListener("click", () => {
      if (chosen.has(name)) chosen.delete(name);
      else chosen.add(name);
      button.setAttribute("aria-pressed", String(chosen.has(name)));
      changed();
    });
    return button;
  }));
  host.hidden = names.length < 2;
}

export async function numbers(address) {
  const answer = await fetch(address, { headers: { Accept: "application/json" } });
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.problem);
  return found;
}

export function failed(host, error) {
  host.replaceChildren(element("p", { class: "problem", role: "alert", text: `The chart cannot be drawn: ${error.message}` }));
}

// Columns over the union of several x columns, for lines that do not have the same points.
export function joined(columns) {
  const xs = [...new Set(columns.flatMap(([x]) => [...x]))].sort((a, b) => a - b);
  const place = new Map(xs.map((x, i) => [x, i]));
  const found = columns.flatMap(([x, ...ys]) => ys.map((values) => {
    const column = new Array(xs.length).fill(null);
    values.forEach((value, i) => { column[place.get(x[i])] = value; });
    return column;
  }));
  return [xs, ...found];
}
