// What a page says: texts as texts, amounts in currency units, numbers with few digits.
// Writes out what would not be seen, or would turn the direction of what follows, as pages do.
const HIDDEN = /[\p{C}\p{Zl}\p{Zp}]/gu;
export function visible(text) {
  return String(text).replace(HIDDEN, (letter) => {
    const code = letter.codePointAt(0);
    const [mark, digits] = code < 0x100 ? ["x", 2] : code < 0x10000 ? ["u", 4] : ["U", 8];
    return `\\${mark}${code.toString(16).padStart(digits, "0")}`;
  });
}

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") made.textContent = visible(value);
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

const MONEY = new Intl.NumberFormat("en-GB", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const signed = (text) => text.replace("-", "\u2212");
const PLAIN = new Intl.NumberFormat("en-GB", { maximumSignificantDigits: 6 });
export const money = (cents) => (cents == null ? "–" : signed(MONEY.format(cents / 100 || 0)));
// Short amounts for an axis, with as many digits as tell its marks apart.
const UNITS = [[1e9, "bn"], [1e6, "m"], [1e3, "k"], [1, ""]];
export function shortMoney(splits, stride) {
  const largest = Math.max(...splits.map(Math.abs)) / 100;
  const [unit, letter] = UNITS.find(([size]) => largest >= size) ?? [1, ""];
  const step = stride / 100 / unit;
  let digits = 0;
  while (digits < 6 && Math.abs(Math.round(step * 10 ** digits) / 10 ** digits - step) > step * 1e-6) digits += 1;
  return splits.map((cents) => signed((cents / 100 / unit || 0).toLocaleString("en-GB", { maximumFractionDigits: digits })) + (cents ? letter : ""));
}
export const each = (format) => (splits) => splits.map(format);
export const plain = (value) => (value == null ? "–" : signed(PLAIN.format(value)));
const WHOLE = new Intl.NumberFormat("en-GB");
export const whole = (value) => (Number.isInteger(value) ? WHOLE.format(value) : "");
