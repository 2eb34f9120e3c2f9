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
          (only?.checked && item.dataset.tone === "good") ||
          !words.every((word) => textOf(item).includes(word));
        if (!item.hidden) shown += 1;
      }
      status.textContent = shown === items.length ? "" : `${shown} of ${items.length} shown`;
    };
    clearFilters.push(() => {
      search.value = "";
      if (only !== null) only.checked = false;
      apply();
    });
    search.addEventListener("input", apply);
    only?.addEventListener("change", apply);
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

  // Text that shows every character, as the page itself has it; `visibleLines` keeps the lines.
  const unseen =
    /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/gu;
  const visible = (text) =>
    text.replace(unseen, (character) =>
      character === "\n"
        ? "\\n"
        : character === "\t"
          ? "\\t"
          : `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
  const visibleLines = (text) => text.split("\n").map(visible).join("\n");
  const element = (name, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };

  // Tables of what each proxy holds, out of data that are unpacked when the first of them is opened.
  const unpack = async () => {
    const bytes = Uint8Array.from(atob(document.getElementById("report-config").textContent), (character) =>
      character.charCodeAt(0),
    );
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    const data = JSON.parse(await new Response(stream).text());
    for (const held of data.proxies) {
      for (const own of Object.values(held)) {
        let place = 0;
        if (own.indexes) own.indexes = own.indexes.map((distance) => (place += distance));
      }
    }
    return data;
  };
  let unpacked;
  const configData = () => (unpacked ??= unpack());

  const mostRows = 500;
  const mostLinks = 50;
  // What a resource leads to, and the kind of table where that is.
  const leads = [
    ["routes", "routeConfiguration", "Routes", "Route: "],
    ["clusters", "cluster", "Clusters", "Cluster: "],
    ["endpoints", "endpointAssignment", "Endpoints", ""],
  ];
  const tableIn = (proxy, kind) => proxy.querySelector(`details.config[data-kind="${kind}"]`);
  const tables = new Map();
  const tableOf = (details) => {
    if (!tables.has(details)) {
      const waiting = element("p", { className: "empty", textContent: "Unpacking…" });
      details.append(waiting);
      const made = configData().then((data) => build(details, data));
      made.then(
        () => waiting.remove(),
        () => (waiting.textContent = "This browser cannot unpack the data of this page."),
      );
      tables.set(details, made);
    }
    return tables.get(details);
  };
  const build = (details, data) => {
    const { header, resources, kind } = data.kinds.find((each) => each.kind === details.dataset.kind);
    const held = data.proxies[details.dataset.proxy];
    const { indexes, states } = held[kind];
    const section = details.closest(".proxy");
    const title = details.querySelector("summary").textContent;
    const hasStates = Object.keys(states).length > 0;
    const statusColumn = kind === "secret" ? header.indexOf("STATUS") : -1;
    const columns = hasStates && statusColumn < 0 ? [...header, "STATE"] : header;
    const items = indexes.flatMap((index) => {
      const resource = resources[index];
      const state = states[index] ?? "active";
      const rows = resource.rows.length === 0 ? [null] : resource.rows;
      return rows.map((row) => {
        const cells = row === null ? [resource.name, ...header.slice(1).map(() => "-")] : [...row];
        if (statusColumn >= 0 && state !== "active") cells[statusColumn] = state.toUpperCase();
        if (columns.length > header.length) cells.push(state);
        const text = `${cells.join("\n")}\n${resource.name}`.toLowerCase();
        return { resource, cells, text, empty: row === null, open: false, head: null };
      });
    });

    // Which of the names the proxy holds
    const names = new Map();
    const isHeld = (target, name) => {
      if (!names.has(target)) {
        const all = data.kinds.find((each) => each.kind === target).resources;
        names.set(target, new Set((held[target]?.indexes ?? []).map((index) => all[index].name)));
      }
      return names.get(target).has(name);
    };
    const linkTo = (target, name) => {
      const button = element("button", { type: "button", className: "link", textContent: visible(name) });
      button.addEventListener("click", async () => {
        const other = tableIn(section, target);
        const table = await tableOf(other);
        other.open = true;
        table.show(name);
      });
      return button;
    };
    const fill = (cell, text, { refersTo }) => {
      for (const [field, target, , prefix] of leads) {
        const name = refersTo[field].find(
          (each) => text === prefix + each || (field === "clusters" && text === each),
        );
        if (name !== undefined && isHeld(target, name)) {
          cell.append(visible(text.slice(0, text.length - name.length)), linkTo(target, name));
          return;
        }
      }
      cell.textContent = visible(text);
    };

    const search = element("input", { type: "search", autocomplete: "off", spellcheck: false });
    const status = element("span", { className: "status" });
    status.setAttribute("role", "status");
    const body = element("tbody");
    const heads = columns.map((name, column) => {
      const button = element("button", { type: "button", textContent: name });
      const head = element("th", { scope: "col" }, button);
      button.addEventListener("click", () => {
        const ascending = head.getAttribute("aria-sort") !== "ascending";
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
        items.sort((a, b) => collator.compare(a.cells[column], b.cells[column]));
        if (!ascending) items.reverse();
        draw();
      });
      return head;
    });

    const detailOf = ({ resource, empty }) => {
      const cell = element("td", { colSpan: columns.length });
      if (empty) {
        const nothing = "proxy-config prints no row of it.";
        cell.append(element("p", { className: "empty", textContent: nothing }));
      }
      for (const [field, target, label] of leads) {
        const found = resource.refersTo[field].filter((name) => isHeld(target, name));
        if (found.length === 0) continue;
        const line = element("p", { className: "leads" }, `${label}: `);
        found.slice(0, mostLinks).forEach((name, at) => {
          line.append(at === 0 ? "" : ", ", linkTo(target, name));
        });
        if (found.length > mostLinks) line.append(` and ${found.length - mostLinks} more`);
        cell.append(line);
      }
      const json =
        resource.json === null
          ? "The dump holds no content of it."
          : visibleLines(JSON.stringify(resource.json, null, 2));
      cell.append(
        element("pre", { textContent: json, tabIndex: 0 }),
        element("button", { type: "button", className: "copy", textContent: "Copy" }),
      );
      return element("tr", { className: "detail" }, cell);
    };
    const rowOf = (item) => {
      const [first, ...others] = item.cells;
      const name = first || item.resource.name || "(nameless)";
      const button = element("button", { type: "button", className: "opener", textContent: visible(name) });
      button.setAttribute("aria-expanded", String(item.open));
      const row = element("tr", {}, element("th", { scope: "row", className: "mono" }, button));
      for (const text of others) {
        const cell = element("td", { className: "mono" });
        fill(cell, text, item.resource);
        row.append(cell);
      }
      item.head = button;
      button.addEventListener("click", () => {
        item.open = !item.open;
        button.setAttribute("aria-expanded", String(item.open));
        if (item.open) row.after(detailOf(item));
        else row.nextElementSibling.remove();
      });
      return item.open ? [row, detailOf(item)] : [row];
    };
    const draw = () => {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      const fitting = items.filter(({ text }) => words.every((word) => text.includes(word)));
      const drawn = fitting.slice(0, mostRows);
      const more = fitting.length - drawn.length;
      status.textContent =
        (fitting.length === items.length ? "" : `${fitting.length} of ${items.length} fit. `) +
        (more === 0 ? "" : `${more} more than the ${mostRows} shown: filter to see them.`);
      for (const item of items) item.head = null;
      body.replaceChildren(...drawn.flatMap(rowOf));
    };
    search.addEventListener("input", draw);
    draw();

    const caption = element("caption", { className: "hidden-text", textContent: title });
    const head = element("thead", {}, element("tr", {}, ...heads));
    const scroll = element("div", { className: "scroll", tabIndex: 0 });
    scroll.append(element("table", { className: "held" }, caption, head, body));
    scroll.setAttribute("role", "region");
    scroll.setAttribute("aria-label", `${title} of ${section.querySelector("h3").textContent}`);
    const label = element("label", {}, "Filter the rows ", search);
    details.append(element("div", { className: "filter" }, label, status), scroll);
    return {
      // Opens the first row of that name and goes there, whatever was filtered.
      show(name) {
        const item = items.find(({ resource }) => resource.name === name);
        if (item === undefined) return;
        item.open = true;
        search.value = "";
        draw();
        if (item.head === null) {
          search.value = name;
          draw();
        }
        item.head?.closest("tr").scrollIntoView({ block: "start" });
        item.head?.focus({ preventScroll: true });
      },
    };
  };
  for (const details of document.querySelectorAll("details.config")) {
    details.addEventListener("toggle", () => {
      if (details.open) tableOf(details);
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
    button.addEventListener("click", async () => {
      let json = document.getElementById("report-data").textContent;
      if (document.getElementById("report-config") !== null) {
        const report = JSON.parse(json);
        const { kinds, proxies } = await configData();
        report.config = { kinds };
        report.proxies.forEach((proxy, at) => (proxy.config = proxies[at]));
        json = JSON.stringify(report);
      }
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([json], { type: "application/json" }));
      link.download = button.dataset.download;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    });
  }

  // How differences are drawn is chosen for all of them at once.
  document.addEventListener("change", (event) => {
    if (!event.target.matches(".views input")) return;
    for (const input of document.querySelectorAll(`.views input[value="${event.target.value}"]`)) {
      input.checked = true;
    }
  });

  // On paper everything is open but tables and differences of thousands of rows; afterwards as it was.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open], .config, .diff)")];
    for (const details of opened) details.open = true;
  });
  addEventListener("afterprint", () => {
    for (const details of opened) details.open = false;
    opened = [];
  });
})();
