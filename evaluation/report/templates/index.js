/* Shows only the rows whose cells are as the lists above the table say; table.js searches. */
{
  const table = document.querySelector("#estimates table");
  const box = document.querySelector(".filters"), lists = [...box.querySelectorAll("select")];
  const search = table.parentElement.previousElementSibling.querySelector("input");
  const count = search.parentElement.querySelector("output"), rows = [...table.tBodies[0].rows];
  // table.js has just shown what holds the words that are searched.
  const filter = () => {
    const chosen = lists.filter((list) => list.value);
    let shown = 0;
    rows.forEach((row) => {
      row.hidden ||= chosen.some((list) => row.cells[list.dataset.column].textContent !== list.value);
      shown += !row.hidden;
    });
    const told = { N: shown.toLocaleString("en"), M: rows.length.toLocaleString("en") };
    count.textContent = ` ${table.dataset.count.replace(/[NM]/g, (letter) => told[letter])}`;
  };
  search.addEventListener("input", filter);
  const all = () => search.dispatchEvent(new Event("input"));
  lists.forEach((list) => list.addEventListener("change", all));
  box.addEventListener("reset", () => { search.value = ""; setTimeout(all); });
  box.addEventListener("submit", (event) => event.preventDefault());
  count.setAttribute("aria-live", "polite");
  box.hidden = false;
  all();
}
