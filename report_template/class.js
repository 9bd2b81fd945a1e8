"use strict";
(() => {
  // Letters and digits that are typed one way and stored another are the same: Arabic and Persian yeh, kaf, digits.
  const plain = (text) =>
    text
      .toLowerCase()
      .replace(/[يى]/g, "ی")
      .replace(/ك/g, "ک")
      .replace(/[\u200c\u200d]/g, "")
      .replace(/[۰-۹٠-٩]/g, (digit) => String(digit.codePointAt(0) & 15));

  for (const article of document.querySelectorAll("article[lang]")) {
    const table = article.querySelector(".roll");
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const finder = article.querySelector(".finder");
    const field = finder.querySelector("input");
    const told = finder.querySelector("output");
    const numerals = article.lang === "fa" ? "fa-u-nu-arabext" : "en";
    const number = new Intl.NumberFormat(numerals);
    const words = new Intl.Collator([article.lang, "en"], { numeric: true });

    const texts = new Map(rows.map((row) => [row, plain(row.dataset.text)]));
    const search = () => {
      const wanted = plain(field.value).split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const row of rows) {
        row.hidden = !wanted.every((word) => texts.get(row).includes(word));
        if (!row.hidden) shown += 1;
      }
      told.value = told.dataset.message.replace("{shown}", number.format(shown));
    };
    finder.hidden = false;
    field.addEventListener("input", search);
    search();

    const heads = [...table.tHead.rows[0].cells];
    const value = (row, column) => row.cells[Math.min(column, row.cells.length - 1)].dataset.value ?? "";
    heads.forEach((head, column) => {
      if (head.tagName !== "TH") return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      const numeric = head.dataset.kind === "number";
      button.addEventListener("click", () => {
        // Points are looked at from the best down, names from the first letter on.
        const now = head.getAttribute("aria-sort");
        const order = now ? (now === "ascending" ? "descending" : "ascending") : numeric ? "descending" : "ascending";
        for (const each of heads) each.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", order);
        const sign = order === "ascending" ? 1 : -1;
        rows.sort((a, b) => {
          const [left, right] = [value(a, column), value(b, column)];
          if (!left || !right) return (left ? 0 : 1) - (right ? 0 : 1); // what has no name comes last, either way
          return sign * (numeric ? left - right : words.compare(left, right));
        });
        body.append(...rows);
      });
    });
  }
})();
