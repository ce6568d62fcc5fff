// What every page has: the theme's switch, buttons that copy, and parts that are kept up to date.
const ORDER = ["system", "light", "dark"];

function stored() {
  try {
    return localStorage.getItem("theme") ?? "system";
  } catch {
    return "system";
  }
}

function setTheme(name) {
  if (name === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  try {
    if (name === "system") localStorage.removeItem("theme");
    else localStorage.setItem("theme", name);
  } catch {
    // It holds for this page, then.
  }
  document.dispatchEvent(new Event("themechange"));
}

const themeButton = document.getElementById("theme");
function labelTheme() {
  themeButton.textContent = `Theme: ${stored()}`;
}
themeButton.hidden = false;
labelTheme();
themeButton.addEventListener("click", () => {
  setTheme(ORDER[(ORDER.indexOf(stored()) + 1) % ORDER.length]);
  labelTheme();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  document.dispatchEvent(new Event("themechange"));
});

function showCopyButtons(root) {
  for (const button of root.querySelectorAll("[data-copy]")) button.hidden = false;
}
showCopyButtons(document);
document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;
  const text = document.getElementById(button.dataset.copy)?.textContent ?? "";
  let said = "Copied";
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const range = document.createRange();
    range.selectNodeContents(document.getElementById(button.dataset.copy));
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    said = "Selected: now copy";
  }
  button.textContent = said;
  setTimeout(() => { button.textContent = "Copy"; }, 1800);
});

// Parts of the page that the server draws anew take the place of those that are there. What a
// person has opened, chosen or focused stays so.
function keepState(before, after) {
  for (const details of before.querySelectorAll("details[id]")) {
    const twin = after.querySelector(`#${CSS.escape(details.id)}`);
    if (twin) twin.open = details.open;
  }
  for (const box of before.querySelectorAll("input[type=checkbox]:checked")) {
    for (const twin of after.querySelectorAll("input[type=checkbox]")) {
      if (twin.name === box.name && twin.value === box.value) twin.checked = true;
    }
  }
  for (const scrolled of before.querySelectorAll(".scroll[aria-label]")) {
    const label = scrolled.getAttribute("aria-label");
    const twin = after.querySelector(`.scroll[aria-label="${CSS.escape(label)}"]`);
    if (twin && scrolled.scrollLeft) requestAnimationFrame(() => { twin.scrollLeft = scrolled.scrollLeft; });
  }
}

function focusMark(element) {
  if (element.id) return (root) => root.querySelector(`#${CSS.escape(element.id)}`);
  const href = element.getAttribute("href");
  if (href) return (root) => [...root.querySelectorAll("a")].find((a) => a.getAttribute("href") === href);
  if (element.name) {
    return (root) => [...root.querySelectorAll(`[name="${CSS.escape(element.name)}"]`)]
      .find((twin) => twin.value === element.value || twin.tagName === "SELECT");
  }
  return () => null;
}

export async function refreshParts(address) {
  const answer = await fetch(address + location.search, { headers: { Accept: "text/html" } });
  if (!answer.ok) return false;
  const found = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const after of found.querySelectorAll("[data-part]")) {
    const before = document.querySelector(`[data-part="${after.dataset.part}"]`);
    if (!before || before.dataset.drawn === after.innerHTML) continue;
    // A person who is choosing in a form is not interrupted; the next round comes soon.
    const focused = before.contains(document.activeElement) ? document.activeElement : null;
    if (focused?.tagName === "SELECT") continue;
    const source = after.innerHTML;
    keepState(before, after);
    showCopyButtons(after);
    const find = focused ? focusMark(focused) : null;
    before.replaceChildren(...after.childNodes);
    before.dataset.drawn = source;
    find?.(before)?.focus({ preventScroll: true });
  }
  return true;
}

// Listens to the server's events while the page is looked at. Calls `on[name](data)`.
export function listen(address, on) {
  let source = null;
  let over = false;
  let times = 0;
  const live = document.getElementById("live");
  function open() {
    if (source || over || document.hidden) return;
    source = new EventSource(address());
    times += 1;
    if (times > 1) on.again?.();
    source.onopen = () => { live.hidden = false; live.classList.remove("lost"); };
    source.onerror = () => {
      live.classList.add("lost");
      if (source?.readyState === EventSource.CLOSED) {
        close();
        if (!over) setTimeout(open, 3000);
      }
    };
    for (const [name, handler] of Object.entries(on)) {
      source.addEventListener(name, (event) => handler(JSON.parse(event.data)));
    }
    source.addEventListener("end", finish);
    source.addEventListener("problem", (event) => {
      finish();
      live.hidden = false;
      live.classList.add("lost");
      live.lastElementChild.textContent = JSON.parse(event.data).problem;
    });
  }
  function close() {
    source?.close();
    source = null;
  }
  function finish() {
    over = true;
    close();
    live.hidden = true;
  }
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  addEventListener("pagehide", close);
  addEventListener("pageshow", open);
  open();
  return finish;
}

// Calls a function soon after it is asked for, however often that is, and not more often than so.
export function throttled(work, milliseconds) {
  let isWaiting = false;
  let isWanted = false;
  async function run() {
    isWanted = false;
    isWaiting = true;
    try {
      await work();
    } catch (error) {
      console.info(error);
    }
    setTimeout(() => {
      isWaiting = false;
      if (isWanted) run();
    }, milliseconds);
  }
  return () => {
    if (isWaiting) isWanted = true;
    else run();
  };
}

const list = document.querySelector('#live[data-live="/live/games"]');
if (list) {
  const refresh = throttled(() => refreshParts(list.dataset.parts), 1500);
  listen(() => list.dataset.live, { changed: refresh, again: refresh });
}
