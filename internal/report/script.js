"use strict";
// Each table has its rows as data beside it: the page shows a window of them, in the order and with the words that the
// reader asks for. Paper has no next window, so as many of them go on it as somebody would still leaf through.
(() => {
  const collator = new Intl.Collator("en", { numeric: true });
  const make = (name, properties, ...children) => {
    const e = Object.assign(document.createElement(name), properties);
    e.append(...children);
    return e;
  };
  const text = (cell) => (typeof cell === "string" ? cell : cell[0]);
  const key = (cell) => (typeof cell === "string" || cell.length < 3 ? null : cell[2]);

  const cellOf = (cell, column) => {
    const [value, tone] = typeof cell === "string" ? [cell, ""] : cell;
    const td = make("td", { className: `${column.kind} ${tone}${value === "" ? " none" : ""}` });
    td.setAttribute("role", "cell");
    td.dataset.label = column.name;
    switch (column.kind) {
      case "digest":
        if (value !== "") td.append(make("code", { title: value, textContent: value }));
        break;
      case "share": {
        const bar = make("i", {});
        bar.style.width = `${Math.round((key(cell) ?? 0) * 100)}%`;
        const rail = make("span", { className: "bar" }, bar);
        rail.setAttribute("aria-hidden", "true");
        td.append(make("span", { className: "value", textContent: value }), rail);
        break;
      }
      default:
        td.append(make("span", { className: column.kind === "status" ? "tag" : "value", textContent: value }));
    }
    return td;
  };

  const rowOf = (row, columns) => {
    const tr = make("tr", {}, ...row.map((cell, n) => cellOf(cell, columns[n])));
    tr.setAttribute("role", "row");
    return tr;
  };

  const compare = (n) => (a, b) => {
    const x = key(a[n]), y = key(b[n]);
    return x !== null || y !== null ? (x ?? -Infinity) - (y ?? -Infinity) : collator.compare(text(a[n]), text(b[n]));
  };

  const setUp = (sheet) => {
    const table = sheet.querySelector("table"), body = table.tBodies[0];
    const { columns, rows, leftOut, window: WINDOW, paper: PAPER } = JSON.parse(sheet.querySelector("script.data").textContent);
    let shown = rows, start = 0, sorted = -1, down = false, haystacks = null, asked = "";

    const count = make("span", { className: "shown" });
    count.setAttribute("role", "status");
    const back = make("button", { type: "button", textContent: "Previous" });
    const on = make("button", { type: "button", textContent: "Next" });
    const empty = make("p", { className: "empty", textContent: "No row has these words.", hidden: true });

    const draw = () => {
      const end = Math.min(start + WINDOW, shown.length);
      body.replaceChildren(...shown.slice(start, end).map((row) => rowOf(row, columns)));
      empty.hidden = shown.length > 0;
      const all = shown.length === rows.length ? "" : ` (of ${rows.length.toLocaleString("en")})`;
      count.textContent = shown.length === 0 ? `none${all}` : `${start + 1}–${end} of ${shown.length.toLocaleString("en")}${all}`;
      back.disabled = start === 0;
      on.disabled = end === shown.length;
    };
    const onPaper = make("p", { className: "note on-paper", hidden: true });
    const print = () => {
      const n = Math.min(shown.length, PAPER), all = rows.length + leftOut;
      body.replaceChildren(...shown.slice(0, n).map((row) => rowOf(row, columns)));
      const number = (i) => i.toLocaleString("en");
      let text = `On paper: ${number(n)} of ${number(all)} rows`;
      if (shown.length < rows.length) text += `, of ${number(shown.length)} with the words “${asked}”`;
      if (n < shown.length) text += `; ${number(shown.length - n)} are cut off, which the page has in a browser`;
      onPaper.textContent = text + ".";
      onPaper.hidden = n === all;
    };
    const choose = (words) => {
      haystacks ??= new Map(rows.map((row) => [row, row.map(text).join("\n").toLowerCase()]));
      shown = rows.filter((row) => words.every((word) => haystacks.get(row).includes(word)));
      if (sorted >= 0) order();
    };
    const order = () => {
      const by = compare(sorted);
      shown = [...shown].sort(down ? (a, b) => by(b, a) : by);
    };

    for (const [n, head] of [...table.tHead.rows[0].cells].entries()) {
      const button = make("button", { type: "button", textContent: head.textContent });
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        down = sorted === n ? !down : false;
        sorted = n;
        for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        start = 0;
        order();
        draw();
      });
    }
    if (rows.length > 8) {
      const filter = make("input", { type: "search", id: `${table.id}-filter`, autocomplete: "off", spellcheck: false });
      filter.addEventListener("input", () => {
        start = 0;
        asked = filter.value.trim();
        choose(filter.value.toLowerCase().split(/\s+/).filter(Boolean));
        draw();
      });
      const label = make("label", { htmlFor: filter.id, textContent: "Filter" });
      label.append(make("span", { className: "hidden", textContent: `: ${table.caption.firstChild.textContent.trim()}` }));
      const tools = make("div", { className: "tools" }, label, filter, count);
      if (rows.length > WINDOW) {
        tools.append(back, on);
        back.addEventListener("click", () => { start = Math.max(0, start - WINDOW); draw(); });
        on.addEventListener("click", () => { start += WINDOW; draw(); });
      }
      sheet.prepend(tools);
    }
    table.after(empty, onPaper);
    draw();
    return { draw, print };
  };
  const sheets = [...document.querySelectorAll(".sheet")].map(setUp);
  let printing = false;
  const toPaper = (is) => {
    if (is === printing) return;
    printing = is;
    for (const sheet of sheets) is ? sheet.print() : sheet.draw();
  };
  addEventListener("beforeprint", () => toPaper(true));
  addEventListener("afterprint", () => toPaper(false));
  matchMedia("print").addEventListener("change", (e) => toPaper(e.matches)); // a preview, where it tells nothing else
})();
