// Comfort: filters, sorting, deep links, copying. Without it the page is plain and complete.
(() => {
  "use strict";
  document.documentElement.classList.add("js");

  // Filters: an item is shown when it holds every word, and, where asked for, is not good.
  const clearFilters = [];
  for (const filter of document.querySelectorAll("[data-filter]")) {
    const items = [...document.querySelectorAll(filter.dataset.filter)];
    const search = filter.querySelector("input[type=search]");
    const only = filter.querySelector("input[type=checkbox]");
    const status = filter.querySelector("[role=status]");
    const texts = new Map();
    const textOf = (item) => {
      if (!texts.has(item)) texts.set(item, item.textContent.toLowerCase());
      return texts.get(item);
    };
    const apply = () => {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const item of items) {
        item.hidden =
          (only.checked && item.dataset.tone === "good") ||
          !words.every((word) => textOf(item).includes(word));
        if (!item.hidden) shown += 1;
      }
      status.textContent = shown === items.length ? "" : `${shown} of ${items.length} shown`;
    };
    clearFilters.push(() => {
      search.value = "";
      only.checked = false;
      apply();
    });
    search.addEventListener("input", apply);
    only.addEventListener("change", apply);
    filter.hidden = false;
    // A page that the browser restores keeps what was typed.
    apply();
  }

  // Sorting: a button in every column's head. Cells with a tone sort by it first, the worst on top.
  const ranks = { bad: 0, waiting: 1, neutral: 2, good: 3 };
  const collator = new Intl.Collator("en", { numeric: true });
  const byCell = (column) => (a, b) => {
    const [left, right] = [a.cells[column], b.cells[column]];
    const rank = (ranks[left.dataset.tone] ?? 0) - (ranks[right.dataset.tone] ?? 0);
    return rank || collator.compare(left.textContent, right.textContent);
  };
  for (const table of document.querySelectorAll("table[data-sortable]")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const ascending = head.getAttribute("aria-sort") !== "ascending";
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
        const rows = [...table.tBodies[0].rows].sort(byCell(column));
        table.tBodies[0].append(...(ascending ? rows : rows.reverse()));
      });
    });
  }

  // Deep links: what the address names is opened, whatever hides it.
  const follow = () => {
    let id = location.hash.slice(1);
    try {
      id = decodeURIComponent(id);
    } catch {
      // not encoded: taken as it is
    }
    const target = id === "" ? null : document.getElementById(id);
    if (target === null) return;
    if (target.closest("[hidden]")) for (const clear of clearFilters) clear();
    for (let at = target; at !== null; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", follow);
  // A second click on the same link changes no address.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (link !== null && link.hash === location.hash) follow();
  });
  follow();

  // Copying: the text beside the button.
  const copyText = async (element) => {
    try {
      await navigator.clipboard.writeText(element.textContent);
    } catch {
      getSelection().selectAllChildren(element);
      document.execCommand("copy");
    }
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button.copy");
    if (button === null) return;
    await copyText(button.previousElementSibling);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });

  // The JSON that the page was drawn from, as a file.
  for (const button of document.querySelectorAll("[data-download]")) {
    button.addEventListener("click", () => {
      const json = document.getElementById("report-data").textContent;
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([json], { type: "application/json" }));
      link.download = button.dataset.download;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    });
  }

  // On paper everything is open; afterwards as it was.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const details of opened) details.open = true;
  });
  addEventListener("afterprint", () => {
    for (const details of opened) details.open = false;
    opened = [];
  });
})();
