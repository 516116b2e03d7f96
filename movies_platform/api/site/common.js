// What the page and the docs share: elements without HTML in texts, and questions to the API.
// Nothing is ever put into the page as HTML: texts become text nodes.

export function element(name, attributes = {}, ...children) {
  const svg = ["svg", "rect", "line", "text", "title", "g"].includes(name);
  const made = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined).map((child) =>
    child instanceof Node ? child : document.createTextNode(String(child))));
  return made;
}

export function show(where, ...children) {
  where.replaceChildren(...children.filter(Boolean));
}

const KEY = "movies-api-key";

export function key() {
  return sessionStorage.getItem(KEY) || "";
}

export function keepKey(value) {
  if (value) sessionStorage.setItem(KEY, value);
  else sessionStorage.removeItem(KEY);
}

export class Problem extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

export async function ask(path, accept = "application/json") {
  const headers = { Accept: accept };
  if (key()) headers.Authorization = `Bearer ${key()}`;
  const answer = await fetch(path, { headers });
  const text = await answer.text();
  if (!answer.ok) {
    let detail = text;
    try { detail = JSON.parse(text).detail; } catch { /* a gateway's own page */ }
    throw new Problem(answer.status, detail);
  }
  return { answer, text, json: accept === "application/json" ? JSON.parse(text) : null };
}

// A form for the key, where the API wants one; `again` is called with every new key.
export function keyForm(where, again) {
  const input = element("input", { type: "password", autocomplete: "off", id: "key", value: key() });
  const form = element("form", { class: "row card", onsubmit: (event) => {
    event.preventDefault();
    keepKey(input.value.trim());
    again();
  } }, element("label", { class: "grow" }, "API key or token (kept until the tab is closed)", input),
  element("button", {}, "Use it"));
  show(where, form);
  return input;
}

// A link to an answer: where a key is needed, a browser would not send it, so the answer is fetched and opened.
export function link(address) {
  return element("a", { href: address, onclick: async (event) => {
    if (!key()) return;
    event.preventDefault();
    const { text } = await ask(address);
    location.assign(URL.createObjectURL(new Blob([text], { type: "application/json" })));
  } }, element("code", {}, address));
}
