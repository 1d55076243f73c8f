"use strict";
// One order for everybody, whatever language the reader's system speaks: Chinese by pinyin.
const byName = new Intl.Collator("zh-Hans-u-co-pinyin");
// Sorts a ranking by the column whose heading is pressed; rows without a value stay at the end.
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, place) => head.querySelector("button").addEventListener("click", () => {
    const up = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    const numeric = head.dataset.kind === "number";
    const value = (row) => {
      const cell = row.cells[place];
      const text = cell.dataset.value ?? cell.textContent.trim();
      return numeric ? (text === "" || text === "None" ? null : Number(text)) : text;
    };
    const rows = [...table.tBodies[0].rows].map((row, at) => [value(row), at, row]);
    rows.sort(([a, i], [b, j]) => {
      if (a === null || b === null) return (a === null) - (b === null) || i - j;
      return up * (numeric ? a - b : byName.compare(a, b)) || i - j;
    });
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", up === 1 ? "ascending" : "descending");
    table.tBodies[0].append(...rows.map(([, , row]) => row));
  }));
}
// A pair's line follows what is heard; pressing the picture goes there. Only one pair is heard at a time.
for (const figure of document.querySelectorAll(".pair")) {
  const [svg, audio, line] = ["svg", "audio", ".playhead"].map((each) => figure.querySelector(each));
  if (audio === null) continue;
  const left = Number(svg.dataset.left), right = Number(svg.dataset.right), scale = Number(svg.dataset.scale);
  const follow = () => {
    const at = Math.min(right, left + audio.currentTime * scale);
    line.setAttribute("x1", at);
    line.setAttribute("x2", at);
    if (!audio.paused && !audio.ended) requestAnimationFrame(follow);
  };
  for (const event of ["play", "seeked", "timeupdate"]) audio.addEventListener(event, follow);
  audio.addEventListener("play", () => document.querySelectorAll(".pair audio").forEach((other) => {
    if (other !== audio) other.pause();
  }));
  svg.addEventListener("click", (event) => {
    const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse()).x;
    audio.currentTime = Math.max(0, Math.min(place, right) - left) / scale;
    audio.play();
  });
}
window.addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((each) => { each.open = true; }));
