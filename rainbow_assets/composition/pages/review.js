"use strict";
const cards = [...document.querySelectorAll("article")];
const seen = new Map(cards.map(card => [card, {
  status: card.dataset.status, label: card.querySelector("[name=label]").value,
  notes: card.querySelector("[name=notes]").value,
}]));

async function save(card, field, value) {
  const out = card.querySelector("output"), was = seen.get(card)[field];
  if (value === was) return;
  out.className = ""; out.textContent = "saving ...";
  let answer;
  try {
    answer = await fetch(`api/${card.dataset.song}/${card.dataset.sha}`, {
      method: "POST", headers: {"Content-Type": "application/json"},
      body: JSON.stringify({field, value, was}),
    });
  } catch { return fail(card, "not saved: the review server does not answer; restart it with: rainbow review"); }
  const fields = await answer.json();
  if (!answer.ok) return fail(card, "not saved: " + fields.problem);
  seen.set(card, fields);
  show(card, fields);
  out.textContent = "saved";
}

function fail(card, text) {
  const out = card.querySelector("output");
  out.className = "wrong"; out.textContent = text;
}

function show(card, fields) {
  card.dataset.status = fields.status;
  for (const button of card.querySelectorAll("[data-set]"))
    button.setAttribute("aria-pressed", String(button.dataset.set === fields.status));
  for (const name of ["label", "notes"]) {
    const field = card.querySelector(`[name=${name}]`);
    if (document.activeElement !== field) field.value = fields[name];
  }
}

const pair = [];
function mark(card) {
  const at = pair.indexOf(card);
  if (at >= 0) pair.splice(at, 1); else { if (pair.length === 2) pair.shift(); pair.push(card); }
  for (const other of cards) other.querySelector(".mark").textContent = ["A", "B"][pair.indexOf(other)] || "";
  document.getElementById("ab").textContent =
    pair.length === 2 ? "press x to switch between A and B at the same position" : pair.length ? "mark another piece as B" : "";
}

function change() {
  if (pair.length < 2) return;
  const [one, other] = pair.map(card => card.querySelector(".mix"));
  const [from, to] = other.paused ? [one, other] : [other, one];
  to.currentTime = from.currentTime;
  from.pause();
  to.play();
  document.getElementById("ab").textContent = "playing " + (to === one ? "A" : "B");
}

document.addEventListener("play", event => {
  for (const player of document.querySelectorAll("audio")) if (player !== event.target) player.pause();
}, true);

document.addEventListener("click", event => {
  const button = event.target.closest("button");
  if (!button) return;
  const card = button.closest("article");
  if (button.dataset.set) save(card, "status", button.dataset.set); else mark(card);
});

document.addEventListener("change", event => {
  const card = event.target.closest("article");
  if (card && (event.target.name === "label" || event.target.name === "notes"))
    save(card, event.target.name, event.target.value);
});

document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("input, textarea")) {
    if (event.key === "Escape") { event.target.blur(); event.target.closest("article").focus(); }
    return;
  }
  const card = document.activeElement.closest && document.activeElement.closest("article");
  const at = cards.indexOf(card);
  const act = {
    j: () => cards[Math.min(cards.length - 1, at + 1)]?.focus(),
    k: () => cards[Math.max(0, at - 1)]?.focus(),
    x: change,
    " ": () => { const player = card?.querySelector(".mix"); player?.paused ? player.play() : player?.pause(); },
    a: () => card && save(card, "status", "approved"), r: () => card && save(card, "status", "rejected"),
    u: () => card && save(card, "status", "pending"), m: () => card && mark(card),
    l: () => card?.querySelector("[name=label]").focus(), n: () => card?.querySelector("[name=notes]").focus(),
  }[event.key];
  if (!act || (event.key === " " && event.target.matches("button, summary, audio"))) return;
  event.preventDefault();
  act();
});
