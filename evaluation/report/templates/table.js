/* Makes tables.sortable searchable and sortable, in the words of their data attributes;
   without it they are plain tables. */
document.querySelectorAll("table.sortable:not([data-ready])").forEach((table) => {
  table.dataset.ready = "1";
  const body = table.tBodies[0], rows = [...body.rows];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const box = document.createElement("p"), input = document.createElement("input");
  const count = document.createElement("output");
  box.className = "search";
  input.type = "search";
  input.placeholder = table.dataset.search;
  input.setAttribute("aria-label", table.dataset.label);
  const filter = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, i) => {
      row.hidden = !words.every((word) => texts[i].includes(word));
      shown += !row.hidden;
    });
    const told = { N: shown.toLocaleString("en"), M: rows.length.toLocaleString("en") };
    count.textContent = ` ${table.dataset.count.replace(/[NM]/g, (letter) => told[letter])}`;
  };
  input.addEventListener("input", filter);
  box.append(input, count);
  table.parentElement.before(box);
  filter();
  const value = (row, i) => {
    const text = row.cells[i].textContent.trim();
    const number = parseFloat(text.replace(/,/g, "").replace(/^< /, ""));
    return [text, number];
  };
  [...table.tHead.rows[0].cells].forEach((head, i) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending", sign = down ? -1 : 1;
      [...head.parentElement.cells].forEach((cell) => cell.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const numeric = head.classList.contains("n");
      const keyed = rows.map((row) => [row, ...value(row, i)]);
      keyed.sort(([, s, x], [, t, y]) => {
        if (!s || !t) return !s - !t; // empty cells last, both ways
        return sign * (numeric ? x - y : s.localeCompare(t, "zh"));
      });
      body.append(...keyed.map(([row]) => row));
    });
  });
});
