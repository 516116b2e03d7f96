// The page for people: find a company or genre, see its years, and the address of every answer.
import { ask, element, keyForm, link, show } from "./common.js";

const part = (id) => document.getElementById(id);
let catalogue = [];
const state = new URLSearchParams(location.hash.slice(1));

const say = (text, bad = false) => {
  const status = part("status");
  status.textContent = text;
  status.className = bad ? "bad" : "quiet";
};

async function attempt(work) {
  try {
    await work();
  } catch (problem) {
    if (problem.status === 401) {
      keyForm(part("key-place"), start).focus();
      say("This server wants an API key.");
    } else say(problem.message || String(problem), true);
  }
}

const readable = (name) => name.replaceAll("_", " ").replace(/ usd$/, " (US$)");
const isName = (name) => /(_id|_name|_code)$/.test(name);

function shown(name, value) {
  if (value === null || value === undefined) return "–";
  if (typeof value !== "number" || name === "year" || /_id$|_year$/.test(name)) return String(value);
  return value.toLocaleString("en", { maximumFractionDigits: name.endsWith("_usd") ? 0 : 3 });
}

function short(value) {
  return value.toLocaleString("en", { notation: "compact", maximumSignificantDigits: 3 });
}

function table(rows, columns) {
  const numeric = (name) => rows.some((row) => typeof row[name] === "number") && name !== "year";
  const head = columns.map((name) => element("th", { scope: "col", class: numeric(name) ? "number" : null }, readable(name)));
  const body = rows.map((row) => element("tr", {}, ...columns.map((name) =>
    element("td", { class: numeric(name) ? "number" : null }, shown(name, row[name])))));
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "The years as a table" },
    element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...body)));
}

function chart(rows, time, measure) {
  const points = rows.filter((row) => typeof row[measure] === "number" && row[time] !== null);
  if (!points.length) return element("p", { class: "quiet" }, "Nothing is known of this, in any year.");
  const years = points.map((row) => Number(row[time]));
  const [first, last] = [Math.min(...years), Math.max(...years)];
  const values = points.map((row) => row[measure]);
  const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
  // Wide on a wide screen, so that its letters stay as large as those of the page.
  const width = Math.max(320, Math.min(940, document.documentElement.clientWidth - 40));
  const [left, top, height] = [58, 10, 240];
  const step = (width - left - 10) / (last - first + 1);
  const at = (value) => top + (height - 40) * (1 - (value - low) / (high - low || 1));
  const drawn = [];
  for (const tick of [low, (low + high) / 2, high]) {
    drawn.push(element("line", { x1: left, x2: width - 10, y1: at(tick), y2: at(tick) }));
    drawn.push(element("text", { x: left - 6, y: at(tick) + 4, "text-anchor": "end" }, short(tick)));
  }
  for (const [index, row] of points.entries()) {
    const [y, zero] = [at(row[measure]), at(0)];
    drawn.push(element("rect", {
      x: left + (years[index] - first) * step + step * 0.1, width: Math.max(1, step * 0.8),
      y: Math.min(y, zero), height: Math.max(1, Math.abs(zero - y)), class: row[measure] < 0 ? "under" : null,
    }, element("title", {}, `${row[time]}: ${shown(measure, row[measure])}`)));
  }
  const every = Math.max(1, Math.ceil((last - first + 1) / (width / 70)));
  for (let year = first; year <= last; year += every) {
    drawn.push(element("text", { x: left + (year - first + 0.5) * step, y: height - 12, "text-anchor": "middle" }, year));
  }
  const label = `${readable(measure)} by ${time}, ${first} to ${last}. The table below has the same numbers.`;
  return element("figure", {}, element("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label }, ...drawn));
}

async function everything(address) {
  const rows = [];
  for (let next = address; next; ) {
    const { answer, json } = await ask(next);
    rows.push(...json.data);
    next = (answer.headers.get("Link") || "").match(/<([^>]+)>; rel="next"/)?.[1];
  }
  return rows;
}

function remember() {
  history.replaceState(null, "", `#${state}`);
}

async function showYears() {
  const [kind, id, name] = [state.get("kind"), state.get("id"), state.get("name")];
  const metrics = catalogue.filter((each) => each.name.startsWith(`${kind}_`)
    && each.parameters.includes(kind) && each.parameters.includes("year"));
  const metric = metrics.find((each) => each.name === state.get("metric")) || metrics[0];
  if (!metric) return;
  const address = `${metric.path}?${new URLSearchParams({ [kind]: id, limit: 1000 })}`;
  const rows = await everything(address);
  const measures = metric.columns.map((column) => column.name)
    .filter((column) => column !== "year" && !isName(column));
  const measure = measures.includes(state.get("measure")) ? state.get("measure")
    : measures.find((each) => each.includes("share")) || measures.find((each) => !each.startsWith("movies")) || measures[0];
  const meaning = metric.columns.find((column) => column.name === measure).meaning;
  const choose = (what, value) => () => { state.set(what, value); if (what === "metric") state.delete("measure");
    remember(); attempt(showYears); };
  const summed = new Map();   // several rows of a year (one for each genre) are one bar
  for (const row of rows) {
    const before = summed.get(row.year);
    summed.set(row.year, before ? { year: row.year, [measure]: (before[measure] || 0) + (row[measure] || 0) }
      : { year: row.year, [measure]: row[measure] });
  }
  const columns = ["year", ...metric.columns.map((column) => column.name).filter((column) => column !== "year"
    && column !== `${kind}_name` && !column.endsWith("_id"))];
  const pressed = (chosen) => ({ class: chosen ? "chosen" : null, "aria-pressed": String(chosen) });
  show(part("years"),
    element("h2", { id: "years-title", tabindex: "-1" }, name),
    element("div", { class: "row", role: "group", "aria-label": "What to show" }, ...metrics.map((each) =>
      element("button", { ...pressed(each === metric), onclick: choose("metric", each.name) },
        readable(each.name.replace(`${kind}_`, "").replace("_by_year", ""))))),
    element("label", {}, "Measure", element("select", { id: "measure", onchange: (event) => choose("measure", event.target.value)() },
      ...measures.map((each) => element("option", { value: each, selected: each === measure }, readable(each))))),
    element("p", { class: "quiet" }, `${metric.meaning} ${readable(measure)}: ${meaning}.`),
    chart([...summed.values()], "year", measure),
    table([...rows].reverse(), columns),
    element("p", {}, "As JSON: ", link(address)));
  say(`${rows.length.toLocaleString("en")} rows about ${name}.`);
}

let asked = 0;

async function search() {
  const own = ++asked;
  const [kind, text] = [part("kind").value, part("text").value.trim()];
  const path = kind === "genre" ? "/v1/genres" : "/v1/companies";
  const query = new URLSearchParams({ limit: 30, ...(text ? { q: text } : {}) });
  const { json } = await ask(`${path}?${query}`);
  if (own !== asked) return; // a later search was faster
  const rows = json.data.map((row) => ({ id: row[`${kind}_id`], name: row[`${kind}_name`] }));
  show(part("found"), ...rows.map((row) => element("li", {}, element("button", { onclick: () => {
    for (const [name, value] of Object.entries({ kind, ...row })) state.set(name, value);
    state.delete("metric");
    state.delete("measure");
    remember();
    attempt(async () => { await showYears(); part("years-title").focus(); });
  } }, row.name))));
  say(rows.length ? `${rows.length}${json.page.next_cursor ? " or more" : ""} found.` : `Nothing has “${text}” in its name.`);
}

function showQuestions() {
  show(part("questions"), ...catalogue.map((each) => {
    const address = `${each.path}?limit=10${each.parameters.includes("year") ? "&year=2016" : ""}`;
    return element("li", {}, each.meaning, " ", link(address));
  }));
}

async function start() {
  await attempt(async () => {
    const { json } = await ask("/v1/metrics");
    catalogue = json.data;
    show(part("key-place"));
    part("snapshot").textContent = json.snapshot;
    showQuestions();
    if (state.get("kind")) part("kind").value = state.get("kind");
    await search();
    if (state.get("id")) await showYears();
  });
}

let waiting;
part("text").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(() => attempt(search), 200); });
part("kind").addEventListener("change", () => attempt(search));
part("search").addEventListener("submit", (event) => { event.preventDefault(); attempt(search); });
start();
