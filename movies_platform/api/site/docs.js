// The OpenAPI document as a page, and each operation as a form that asks it.
import { ask, element, keyForm, show } from "./common.js";

const part = (id) => document.getElementById(id);
let api;

const resolved = (schema) => (schema && schema.$ref ? api.components.schemas[schema.$ref.split("/").pop()] : schema || {});

function kindOf(schema) {
  const found = resolved(schema);
  const kind = [found.type].flat().filter(Boolean).join(" or ");
  const range = [found.minimum !== undefined ? `≥ ${found.minimum}` : null, found.maximum !== undefined ? `≤ ${found.maximum}` : null,
    found.enum ? found.enum.filter((each) => each !== null).join(", ") : null].filter(Boolean).join(", ");
  return [found.format && kind === "string" ? found.format : kind, range].filter(Boolean).join("; ");
}

function rowsOf(title, columns, rows) {
  return [element("h3", {}, title), element("div", { class: "scroll" }, element("table", {},
    element("thead", {}, element("tr", {}, ...columns.map((each) => element("th", { scope: "col" }, each)))),
    element("tbody", {}, ...rows.map((row) => element("tr", {}, ...row.map((each) => element("td", {}, each)))))))];
}

function answerOf(operation) {
  const schema = operation.responses["200"].content?.["application/json"]?.schema;
  const data = resolved(schema)?.properties?.data;
  const row = resolved(data?.items || data);
  if (!row?.properties) return [];
  return rowsOf("Columns", ["column", "type", "meaning"],
    Object.entries(row.properties).map(([name, each]) => [element("code", {}, name), kindOf(each), each.description || ""]));
}

function tryIt(path, operation) {
  const fields = (operation.parameters || []).map((each) => ({ each, input: element("input", {
    id: `${operation.operationId}-${each.name}`, placeholder: each.example !== undefined ? String(each.example) : "",
    autocomplete: "off", required: each.required }) }));
  const out = element("div", { "aria-live": "polite" });
  const form = element("form", { onsubmit: async (event) => {
    event.preventDefault();
    let address = path;
    const query = new URLSearchParams();
    for (const { each, input } of fields) {
      const value = input.value.trim();
      if (each.in === "path") address = address.replace(`{${each.name}}`, encodeURIComponent(value));
      else if (value) query.set(each.name, value);
    }
    if (String(query)) address += `?${query}`;
    try {
      const { answer, text } = await ask(address);
      const body = text.length > 20000 ? `${text.slice(0, 20000)}\n…` : text;
      show(out, element("p", {}, `${answer.status} `, element("code", {}, address)),
        element("pre", { tabindex: "0" }, body.replaceAll('},{', '},\n{')));
    } catch (problem) {
      show(out, element("p", { class: "bad" }, `${problem.status || ""} ${problem.message}`), element("code", {}, address));
    }
  } }, element("div", { class: "row" }, ...fields.map(({ each, input }) => element("label", {}, each.name, input))),
  element("p", {}, element("button", {}, "Ask")), out);
  return [element("h3", {}, "Try it"), form];
}

function operationOf(path, operation) {
  const details = element("details", { id: operation.operationId },
    element("summary", {}, element("code", {}, `GET ${path}`), " ", operation.summary || ""));
  details.addEventListener("toggle", () => {
    if (!details.open || details.children.length > 1) return;
    const given = (operation.parameters || []).map((each) => [element("code", {}, each.name), kindOf(each.schema), each.description || ""]);
    const answers = Object.entries(operation.responses).map(([status, each]) => [status, each.description.replaceAll("`", "")]);
    const isFile = !operation.responses["200"].content?.["application/json"] && path.startsWith("/v1/tables/");
    details.append(element("div", {}, ...(given.length ? rowsOf("Parameters", ["name", "type", "meaning"], given) : []),
      ...answerOf(operation), ...rowsOf("Answers", ["status", "meaning"], answers), ...(isFile ? [] : tryIt(path, operation))));
  });
  return details;
}

function list() {
  const wanted = part("filter").value.trim().toLowerCase();
  const groups = new Map();
  let count = 0;
  for (const [path, { get }] of Object.entries(api.paths)) {
    if (wanted && !`${path} ${get.summary}`.toLowerCase().includes(wanted)) continue;
    count += 1;
    const tag = get.tags[0];
    groups.set(tag, [...(groups.get(tag) || []), operationOf(path, get)]);
  }
  show(part("operations"), ...[...groups].flatMap(([tag, operations]) => [element("h2", {}, tag.replaceAll("_", " ")), ...operations]));
  part("status").textContent = `${count} operations`;
}

function about(text) {
  const items = [];
  for (const line of text.replace(/\n {2,}/g, " ").split("\n").filter(Boolean)) {
    const words = line.replace(/^- /, "").split(/(`[^`]+`)/)
      .map((each) => (each.startsWith("`") ? element("code", {}, each.slice(1, -1)) : each));
    items.push(line.startsWith("- ") ? element("li", {}, ...words) : element("p", {}, ...words));
  }
  const points = items.filter((each) => each.tagName === "LI");
  return [...items.filter((each) => each.tagName === "P"), element("ul", {}, ...points)];
}

async function start() {
  api = (await ask("/openapi.json")).json;
  show(part("about"), ...about(api.info.description));
  if (api.security.length) keyForm(part("key-place"), () => { part("status").textContent = "The key is used from now on."; });
  list();
}

part("filter").addEventListener("input", list);
start().catch((problem) => { part("status").textContent = String(problem.message); });
