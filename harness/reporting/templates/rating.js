"use strict";
// One page, one rater at a time: an order of the rater's own, marks kept in this browser, a CSV at the end.
const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const items = new Map(data.items.map((item) => [item.id, item]));
let language = data.language in data.words ? data.language : "en";
let rater = "", order = [], at = 0, current = 0, marks = {}, heard = {}, keeps = true, broken = false;
const sound = new Audio();

const say = (key, values = {}) =>
  data.words[language][key].replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
const item = () => items.get(order[at]);
const rated = (one) => one.dimensions.every((name) => (marks[one.id] ?? {})[name] !== undefined);

// A stream of 32-bit numbers from a text; the same text gives the same stream in every browser.
function numbers(text) {
  let state = 2166136261;
  for (const byte of new TextEncoder().encode(text)) state = Math.imul(state ^ byte, 16777619);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

function shuffled(ids, text) {
  const next = numbers(text), found = [...ids];
  for (let last = found.length - 1; last > 0; last--) {
    const other = next() % (last + 1);
    [found[last], found[other]] = [found[other], found[last]];
  }
  return found;
}

const place = (name) => `humdial-ratings/${data.page}/${name}`;

function keep() {
  try {
    localStorage.setItem(place(rater), JSON.stringify({ marks, heard, at }));
    localStorage.setItem(place(""), rater);
    keeps = true;
  } catch { keeps = false; }
}

function remembered(name) {
  try { return localStorage.getItem(place(name)); } catch { keeps = false; return null; }
}

function begin(name) {
  rater = name;
  let kept = {};
  try { kept = JSON.parse(remembered(rater) ?? "{}"); } catch { /* not ours: begin anew */ }
  const known = (table) => Object.fromEntries(Object.entries(table ?? {}).filter(([id]) => items.has(id)));
  marks = known(kept.marks);
  heard = known(kept.heard);
  order = shuffled([...items.keys()], `${data.order} ${rater}`);
  keep();
  $("welcome").hidden = true;
  $("item").hidden = false;
  go(Number.isInteger(kept.at) ? kept.at : 0);
}

function go(where) {
  sound.pause();
  at = Math.max(0, Math.min(order.length - 1, where));
  broken = false;
  current = Math.max(0, item().dimensions.findIndex((name) => (marks[item().id] ?? {})[name] === undefined));
  sound.src = item().audio;
  $("played").value = 0;
  draw();
  keep();
  $("number").focus();
}

function bubble(kind, heading, text) {
  const line = document.createElement("li"), head = document.createElement("b"), said = document.createElement("bdi");
  line.className = kind;
  head.textContent = heading;
  said.textContent = text;
  line.append(head, said);
  return line;
}

function drawTurns() {
  const lines = [];
  item().turns.forEach((turn, place, all) => {
    const felt = (data.emotions[language] ?? {})[turn.emotion] ?? turn.emotion;
    lines.push(bubble("user", felt ? `${say("user")} (${felt})` : say("user"), turn.user));
    const last = place === all.length - 1;
    lines.push(bubble(last ? "reply rated" : "reply", say(last ? "rated_reply" : "reply"), turn.reply));
  });
  $("turns").replaceChildren(...lines);
}

function question(name, number) {
  const { scale, words } = data.dimensions[name], own = words[language];
  const box = document.createElement("fieldset"), legend = document.createElement("legend"), row = document.createElement("div");
  legend.textContent = own.name;
  row.className = "marks";
  box.className = number === current ? "current" : "";
  for (const mark of scale) {
    const label = document.createElement("label"), input = document.createElement("input"), digit = document.createElement("b");
    Object.assign(input, { type: "radio", name, value: mark, disabled: !heard[item().id] || broken });
    input.checked = (marks[item().id] ?? {})[name] === mark;
    input.addEventListener("change", () => { current = number; give(name, mark); });
    digit.textContent = mark;
    label.append(input, digit, own.marks[mark] ?? "");
    row.append(label);
  }
  box.append(legend, row);
  return box;
}

function drawPlayer() {
  const playing = !sound.paused && !sound.ended;
  $("play").textContent = say(playing ? "stop" : heard[item().id] ? "again" : "play");
  $("play").disabled = broken;
  $("told").textContent = broken ? say("unplayable") : heard[item().id] ? "" : say("listen_first");
  $("told").className = broken ? "warn" : "";
}

function drawCounts() {
  const done = data.items.filter(rated).length, total = data.items.length;
  $("progress").textContent = rater ? say("progress", { rated: done, total }) : "";
  $("bar").value = total ? done / total : 0;
  $("left").textContent = done === total ? say("done") : say("partial", { left: total - done });
  $("kept").textContent = say(keeps ? "saved" : "unsaved");
  $("kept").className = keeps ? "note" : "note warn";
  $("export").href = `data:text/csv;charset=utf-8,${encodeURIComponent(csv())}`;
  $("export").download = `ratings-${data.language}-${rater}.csv`;
}

function draw() {
  document.documentElement.lang = language === "zh" ? "zh-Hans" : "en";
  document.querySelectorAll("[data-t]").forEach((each) => { each.textContent = say(each.dataset.t); });
  if (!rater) return;
  const focused = document.activeElement?.closest?.("fieldset") ? document.activeElement : null;
  $("number").textContent = say("item", { number: at + 1, total: order.length });
  drawTurns();
  $("questions").replaceChildren(...item().dimensions.map(question));
  if (focused) [...$("questions").querySelectorAll("input")].find((each) => each.name === focused.name && each.value === focused.value)?.focus();
  $("previous").disabled = at === 0;
  $("next").disabled = at === order.length - 1;
  drawPlayer();
  drawCounts();
}

function give(name, mark) {
  if (!heard[item().id] || broken) return;
  marks[item().id] = { ...marks[item().id], [name]: mark };
  keep();
  draw();
}

function mark(digit) {
  const name = item().dimensions[current], value = data.dimensions[name].scale.find((each) => String(each) === digit);
  if (value === undefined || !heard[item().id] || broken) return;
  const open = item().dimensions.findIndex((each, place) => place > current && (marks[item().id] ?? {})[each] === undefined);
  if (open >= 0) { const given = name; current = open; give(given, value); } else give(name, value);
}

function toggle() {
  if (broken) return;
  if (!sound.paused && !sound.ended) { sound.pause(); sound.currentTime = 0; drawPlayer(); return; }
  sound.currentTime = 0;
  sound.play().then(drawPlayer, () => {});
}

function toUnrated() {
  for (let step = 1; step <= order.length; step++) {
    const where = (at + step) % order.length;
    if (!rated(items.get(order[where]))) return go(where);
  }
}

// One line a mark; the item's id stands for the team and for the dialogue, which only the organisers' key can tell.
function csv() {
  const lines = [data.columns.join(",")];
  for (const id of [...items.keys()]) {
    for (const name of items.get(id).dimensions) {
      const given = (marks[id] ?? {})[name];
      if (given !== undefined) lines.push([id, data.language, id, rater, name, given].join(","));
    }
  }
  return lines.join("\n") + "\n";
}

sound.addEventListener("ended", () => { heard[item().id] = true; keep(); draw(); });
sound.addEventListener("error", () => { broken = true; draw(); });
sound.addEventListener("timeupdate", () => { $("played").value = sound.duration ? sound.currentTime / sound.duration : 0; });
$("welcome").addEventListener("submit", (event) => { event.preventDefault(); begin($("rater").value); });
$("switch").addEventListener("click", () => { language = language === "zh" ? "en" : "zh"; draw(); });
$("play").addEventListener("click", toggle);
$("previous").addEventListener("click", () => go(at - 1));
$("next").addEventListener("click", () => go(at + 1));
$("unrated").addEventListener("click", toUnrated);
$("leave").addEventListener("click", () => {
  sound.pause();
  rater = "";
  $("item").hidden = true;
  $("welcome").hidden = false;
  $("rater").value = "";
  $("progress").textContent = "";
  $("rater").focus();
});
document.addEventListener("keydown", (event) => {
  if (!rater || event.ctrlKey || event.metaKey || event.altKey) return;
  const on = event.target.closest("button, a") ? "button" : "";
  const choosing = event.target.type === "radio" && !event.target.checked; // space there is the browser's own
  const count = item().dimensions.length;
  const act = {
    " ": on === "button" || choosing ? null : toggle,
    Enter: on === "button" ? null : () => (at < order.length - 1 ? go(at + 1) : toUnrated()),
    ArrowRight: () => go(at + 1),
    ArrowLeft: () => go(at - 1),
    ArrowUp: () => { current = (current + count - 1) % count; draw(); },
    ArrowDown: () => { current = (current + 1) % count; draw(); },
  }[event.key] ?? (/^[0-9]$/.test(event.key) ? () => mark(event.key) : null);
  if (act) { event.preventDefault(); act(); }
});
window.addEventListener("beforeunload", (event) => { if (rater && !keeps) event.preventDefault(); });
draw();
$("rater").value = remembered("") ?? "";
$("rater").focus();
