"use strict";
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
      return up * (numeric ? a - b : a.localeCompare(b)) || i - j;
    });
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", up === 1 ? "ascending" : "descending");
    table.tBodies[0].append(...rows.map(([, , row]) => row));
  }));
}
window.addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((each) => { each.open = true; }));
