/**
 * Checks the form of a new job while it is filled in. The service reads the form, checks it and draws the page,
 * as it does for the button "Check"; this script only puts what has changed into the page that is open.
 */

const PAUSE = 500; // ms without a key pressed
const LONGEST_ADDRESS = 1800;
const OWN = new Set(["nonce", "action", "from"]);
const form = document.getElementById("new-job");
const ADDRESS = form.getAttribute("action"); // form.action is the button of that name
const status = document.getElementById("checking");
const setup = JSON.parse(document.getElementById("form-setup").textContent);
const touched = new Set();
const seen = document.querySelector(".error-summary") !== null; // a check was asked for: every error is shown
let waiting;
let asked = 0;

function nameOf(element) {
  return element.closest("[data-field]")?.dataset.field;
}

function fields() {
  const sent = new URLSearchParams(new FormData(form));
  for (const name of OWN) if (name !== "from") sent.delete(name);
  return sent;
}

async function answer() {
  const sent = fields();
  if (form.method === "get") return fetch(`${ADDRESS}?${sent}`);
  sent.set("action", "check");
  return fetch(ADDRESS, { method: "POST", body: sent });
}

async function check() {
  const turn = ++asked;
  status.textContent = "checking …";
  rememberInAddress();
  try {
    const found = await answer();
    if (!found.ok || found.redirected) throw new Error(`the service answered ${found.status}`);
    const page = new DOMParser().parseFromString(await found.text(), "text/html");
    if (turn === asked) show(page);
  } catch {
    if (turn === asked) status.textContent = "The check was not answered; “Check” tries again.";
  }
}

function show(page) {
  showSettings(page);
  showRows(page);
  showErrors(page);
  const opened = [...document.querySelectorAll("#result details")].map((one) => [one.id || one.textContent, one.open]);
  const result = page.getElementById("result");
  for (const details of result.querySelectorAll("details")) {
    const before = opened.find(([key]) => key === (details.id || details.textContent));
    if (before) details.open = before[1];
  }
  document.getElementById("result").replaceWith(document.adoptNode(result));
  withScript(document.getElementById("result"));
  if (!seen) document.getElementById("summary").replaceChildren();
  else document.getElementById("summary").replaceWith(document.adoptNode(page.getElementById("summary")));
  const errors = Number(result.dataset.errors);
  const told = errors === 1 ? "1 thing to mend" : `${errors} things to mend`;
  status.textContent = result.dataset.valid === "yes" ? "This job can be submitted." : told;
}

/** Another network has other settings; those of the same one keep their inputs, and the cursor in them. */
function showSettings(page) {
  const names = (root) => [...root.querySelectorAll("#settings [data-field]")].map((one) => one.dataset.field).join();
  if (names(page) === names(document)) return;
  const other = document.adoptNode(page.getElementById("settings"));
  document.getElementById("settings").replaceWith(other);
}

/** A row that is filled in is followed by an empty one. */
function showRows(page) {
  const rows = document.getElementById("constraints");
  const found = [...page.getElementById("constraints").children];
  for (const row of found.slice(rows.children.length)) rows.append(document.adoptNode(row));
}

function showErrors(page) {
  for (const field of form.querySelectorAll("[data-field]")) {
    const told = page.querySelector(`[data-field="${CSS.escape(field.dataset.field)}"] .field-errors`);
    const place = field.querySelector(".field-errors");
    const shown = told !== null && (seen || touched.has(field.dataset.field)) ? [...told.children] : [];
    if (place.textContent.trim() === shown.map((one) => one.textContent).join("")) continue;
    place.replaceChildren(...shown.map((one) => document.adoptNode(one)));
    for (const input of field.querySelectorAll("input[aria-describedby], select, textarea")) {
      if (shown.length > 0) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
    }
  }
}

/** The address names the fields that differ from those it would show by itself, unless they are too long. */
function rememberInAddress() {
  const now = fields();
  const kept = new URLSearchParams(setup.from ? { from: setup.from } : {});
  for (const name of new Set(now.keys())) {
    if (OWN.has(name)) continue;
    const texts = now.getAll(name);
    if (said(name, texts) === said(name, setup.base[name] ?? [])) continue;
    for (const text of texts) kept.append(name, text);
  }
  const query = kept.toString().replaceAll("%2F", "/");
  const address = query ? `?${query}` : "";
  history.replaceState(null, "", ADDRESS + (address.length <= LONGEST_ADDRESS ? address : ""));
}

/** Texts as one; empty ones count only where their place does, between the inputs of a pair or of rows. */
function said(name, texts) {
  const counted = name.startsWith("/bits/") || name.includes("*") ? texts : texts.filter((text) => text);
  return counted.some((text) => text) ? JSON.stringify(counted.map((text) => text.replaceAll("\r\n", "\n"))) : "";
}

function withScript(root) {
  for (const element of root.querySelectorAll(".script-only")) element.hidden = false;
  for (const element of root.querySelectorAll(".plain-only")) element.hidden = true;
}

async function copy(button) {
  const text = document.getElementById(`text-${button.dataset.copy}`);
  try {
    await navigator.clipboard.writeText(text.textContent);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(text); // without the right to the clipboard: ready for the keyboard
    button.textContent = "Selected";
  }
}

function changed(event) {
  const name = nameOf(event.target);
  if (name === undefined) return;
  touched.add(name);
  clearTimeout(waiting);
  waiting = setTimeout(check, PAUSE);
}

form.addEventListener("input", changed);
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (button) void copy(button);
});
withScript(document);
document.querySelector(".error-summary")?.focus();
