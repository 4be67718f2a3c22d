"use strict";
// Drafts stay in this browser until they are downloaded and imported; nothing is sent anywhere.
const page = document.body.dataset;
const most = Number(page.points);
const store = `coursegrad-scores-${page.key}`;
const cards = [...document.querySelectorAll("article")];
const element = (id) => document.getElementById(id);
let here = null;
let lastComment = "";

function load() {
  try { return JSON.parse(localStorage.getItem(store)) || {}; } catch { return {}; }
}

function keep(drafts) {
  try { localStorage.setItem(store, JSON.stringify(drafts)); return true; } catch { return false; }
}

const drafts = load();
const pointsOf = (card) => card.querySelector("input");
const commentOf = (card) => card.querySelector("textarea");
const given = new Map(cards.map((card) => [card, [pointsOf(card).value, commentOf(card).value]]));

function number(text) {
  return /^\d{1,5}([.,]\d{1,4})?$/.test(text.trim()) ? Number(text.trim().replace(",", ".")) : NaN;
}

function status(card) {
  const points = pointsOf(card).value.trim();
  const comment = commentOf(card).value.trim();
  const [oldPoints, oldComment] = given.get(card);
  const changed = points !== oldPoints || comment !== oldComment.trim();
  if (points === "") return changed && comment !== oldComment.trim() ? ["open", "a comment without points"] : ["open", ""];
  const value = number(points);
  if (Number.isNaN(value)) return ["wrong", "not a number"];
  if (value > most) return ["wrong", `more than ${page.points}`];
  if (!changed) return ["kept", "scored"];
  return ["new", drafts[card.dataset.key]?.saved ? "downloaded" : "to download"];
}

function show(card) {
  const [state, words] = status(card);
  card.classList.toggle("scored", state === "new" || state === "kept");
  card.classList.toggle("wrong", state === "wrong");
  card.querySelector(".state").textContent = words;
}

function count() {
  const states = cards.map((card) => status(card)[0]);
  const fresh = states.filter((state) => state === "new").length;
  const wrong = states.filter((state) => state === "wrong").length;
  const scored = fresh + states.filter((state) => state === "kept").length;
  element("progress").textContent = `${scored} of ${cards.length} scored` + (wrong ? `, ${wrong} to correct` : "");
  element("save").disabled = !fresh || wrong > 0;
  element("save").textContent = fresh ? `Download ${fresh} ${fresh === 1 ? "score" : "scores"}` : "Nothing to download";
}

function changed(card) {
  const [points, comment] = [pointsOf(card).value, commentOf(card).value];
  const [oldPoints, oldComment] = given.get(card);
  if (points === oldPoints && comment === oldComment) delete drafts[card.dataset.key];
  else drafts[card.dataset.key] = { points, comment, answer: card.dataset.answer };
  const kept = keep(drafts);
  show(card);
  count();
  if (!kept) card.querySelector(".state").textContent = "not kept by the browser: download soon";
}

function go(card) {
  if (!card) return;
  if (here) here.classList.remove("here");
  here = card;
  card.classList.add("here");
  pointsOf(card).focus({ preventScroll: true });
  pointsOf(card).select();
  card.scrollIntoView({ block: "start" });
}

function step(by, wanted = () => true) {
  const shown = cards.filter((card) => !card.classList.contains("hidden"));
  let place = shown.indexOf(here) + by;
  while (place >= 0 && place < shown.length && !wanted(shown[place])) place += by;
  if (place >= 0 && place < shown.length) go(shown[place]);
}

function repeat(card) {
  if (!lastComment) return;
  commentOf(card).value = lastComment;
  changed(card);
}

function cell(text) {
  const safe = /^[=+\-@\t\r\n＝＋－＠]/.test(text) && text !== "-" ? `'${text}` : text;
  return /[",;\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function save() {
  if (element("save").disabled) return;
  const grader = element("grader").value.trim();
  const rows = [["student", "question", "points", "comment", "grader", "answer"]];
  for (const card of cards.filter((one) => status(one)[0] === "new")) {
    drafts[card.dataset.key].saved = true;
    show(card);
    const points = String(number(pointsOf(card).value));
    const comment = commentOf(card).value.trim();
    rows.push([card.dataset.student, page.question, points, comment, grader, card.dataset.answer]);
  }
  keep(drafts);
  const text = rows.map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
  const link = document.createElement("a");
  link.download = `scores-${page.question}.csv`;
  link.href = URL.createObjectURL(new Blob(["\ufeff", text], { type: "text/csv" }));
  link.click();
  URL.revokeObjectURL(link.href);
  element("file").textContent = link.download;
  element("path").textContent = `~/Downloads/${link.download}`;
  element("done").showModal();
}

function inPoints(event, card) {
  const keys = {
    Enter: () => step(1),
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
    u: () => step(1, (one) => status(one)[0] === "open"),
    c: () => commentOf(card).focus(),
    r: () => repeat(card),
    s: save,
    " ": () => window.scrollBy({ top: (event.shiftKey ? -0.8 : 0.8) * window.innerHeight }),
  };
  const act = event.ctrlKey || event.metaKey || event.altKey ? null : keys[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}

function inComment(event, card) {
  if (event.key === "Escape") go(card);
  else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) step(1);
  else return;
  event.preventDefault();
}

for (const card of cards) {
  const draft = drafts[card.dataset.key];
  if (draft && draft.answer === card.dataset.answer) {
    pointsOf(card).value = draft.points;
    commentOf(card).value = draft.comment;
  } else if (draft) { // of an answer that has changed since: its points have to be given again
    pointsOf(card).placeholder = draft.points && `was ${draft.points}`;
    commentOf(card).value = draft.comment;
  }
  pointsOf(card).addEventListener("keydown", (event) => inPoints(event, card));
  commentOf(card).addEventListener("keydown", (event) => inComment(event, card));
  commentOf(card).addEventListener("change", () => { lastComment = commentOf(card).value || lastComment; });
  card.addEventListener("input", () => changed(card));
  card.addEventListener("focusin", () => {
    if (here !== card) { if (here) here.classList.remove("here"); here = card; card.classList.add("here"); }
  });
  show(card);
}
count();

element("save").addEventListener("click", save);
element("done").addEventListener("close", () => here && pointsOf(here).focus());
element("grader").value = (() => { try { return localStorage.getItem("coursegrad-grader") || ""; } catch { return ""; } })();
element("grader").addEventListener("input", () => {
  try { localStorage.setItem("coursegrad-grader", element("grader").value); } catch { /* it is asked again */ }
});
element("only").addEventListener("change", (event) => {
  for (const card of cards) card.classList.toggle("hidden", event.target.checked && status(card)[0] === "kept");
});
if (element("zero")) element("zero").addEventListener("click", () => {
  for (const card of document.querySelectorAll(".absent article")) {
    if (pointsOf(card).value === "") { pointsOf(card).value = "0"; changed(card); }
  }
});
go(cards.find((card) => status(card)[0] === "open") || cards[0]);
