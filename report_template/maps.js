
"use strict";
(() => {
  const stored = JSON.parse(document.getElementById("dots").textContent);
  const side = 96; // of a thumbnail on the page, in pixels
  const reach = 45; // how far from a dot a pointer still means it, in the units of a map, which is 1000 wide
  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

  // The dots of a panel in the order in which they are drawn, which is that of the stored numbers.
  const dots = (svg, known) => {
    const found = [];
    for (const path of svg.querySelectorAll("path[data-class]")) {
      for (const [, x, y] of path.getAttribute("d").matchAll(/M([\d.]+) ([\d.]+)/g)) {
        const place = found.length;
        const [cell, predicted] = [known?.cells[place], known?.predicted[place]];
        const before = { cell: known?.cells_before?.[place], predicted: known?.predicted_before?.[place] };
        found.push({ x: Number(x), y: Number(y), label: path.dataset.class, cell, predicted, before });
      }
    }
    return found;
  };

  for (const figure of document.querySelectorAll("figure.maps")) {
    const names = JSON.parse(figure.dataset.names);
    const named = (label) => names[label] ?? String(label);
    const told = (dot) => {
      if (dot.predicted === undefined) return figure.dataset.bare.replace("{true}", () => named(dot.label));
      if (dot.before.predicted !== undefined) {
        return figure.dataset.attacked
          .replace("{true}", () => named(dot.label))
          .replace("{before}", () => named(dot.before.predicted))
          .replace("{after}", () => named(dot.predicted));
      }
      const message = String(dot.predicted) === dot.label ? figure.dataset.right : figure.dataset.told;
      return message.replace("{true}", () => named(dot.label)).replace("{predicted}", () => named(dot.predicted));
    };
    const chosen = new Set();
    const panels = [];

    for (const panel of figure.querySelectorAll(".panel")) {
      const svg = panel.querySelector("svg");
      const all = dots(svg, stored.maps[figure.dataset.map]?.[panel.dataset.group]);
      const tip = document.createElement("div");
      tip.className = "tip";
      tip.hidden = true;
      // The image, or what it was before the attack beside what it is after it.
      const images = [figure.dataset.clean, figure.dataset.hit].map((name) => {
        const picture = document.createElement("span");
        picture.className = "picture";
        const image = document.createElement("span");
        image.className = "thumbnail";
        const caption = document.createElement("span");
        caption.textContent = name;
        picture.append(image, caption);
        return { picture, image, caption };
      });
      const words = document.createElement("span");
      tip.append(...images.map((each) => each.picture), words);
      const spoken = document.createElement("output");
      spoken.className = "unseen";
      panel.append(tip, spoken);
      const ring = document.createElementNS(svg.namespaceURI, "circle");
      ring.setAttribute("class", "found");
      ring.setAttribute("r", "26");

      let visible = all;
      let net = null;
      let current = -1;
      const mesh = () => (net ??= d3.Delaunay.from(visible, (dot) => dot.x, (dot) => dot.y));

      const hide = () => {
        tip.hidden = true;
        ring.remove();
        current = -1;
      };
      const show = (index) => {
        const dot = visible[index];
        current = index;
        ring.setAttribute("cx", dot.x);
        ring.setAttribute("cy", dot.y);
        svg.append(ring);
        words.textContent = told(dot);
        const paired = dot.before.cell !== undefined;
        [paired ? dot.before.cell : undefined, dot.cell].forEach((cell, place) => {
          const { picture, image, caption } = images[place];
          picture.hidden = cell === undefined;
          caption.hidden = !paired;
          if (picture.hidden) return;
          image.style.backgroundSize = `${stored.columns * side}px auto`;
          const [row, column] = [Math.floor(cell / stored.columns), cell % stored.columns];
          image.style.backgroundPosition = `${-column * side}px ${-row * side}px`;
        });
        tip.classList.toggle("paired", paired);
        tip.hidden = false;
        // Above the dot, and within the figure: a panel may be narrower than two images.
        const [here, around, within] = [svg, panel, figure].map((each) => each.getBoundingClientRect());
        const scale = here.width / 1000;
        const wanted = here.left + dot.x * scale - tip.offsetWidth / 2;
        const left = Math.max(within.left, Math.min(within.right - tip.offsetWidth, wanted));
        tip.style.left = `${left - around.left}px`;
        tip.style.top = `${here.top - around.top + dot.y * scale - tip.offsetHeight - 14}px`;
      };
      const point = (event) => {
        if (!visible.length) return;
        const box = svg.getBoundingClientRect();
        const [x, y] = [event.clientX - box.left, event.clientY - box.top].map((each) => (each * 1000) / box.width);
        const index = mesh().find(x, y);
        const dot = visible[index];
        if (Math.hypot(dot.x - x, dot.y - y) <= reach) show(index);
        else hide();
      };
      // From a dot in a direction: of its neighbours, the one that lies most that way and not far.
      const step = ([across, down]) => {
        if (current < 0) return mesh().find(500, 500);
        const from = visible[current];
        let best = current;
        let least = Infinity;
        for (const index of mesh().neighbors(current)) {
          const [x, y] = [visible[index].x - from.x, visible[index].y - from.y];
          const along = x * across + y * down;
          const cost = along > 0 ? (x * x + y * y) / along : Infinity;
          if (cost < least) [best, least] = [index, cost];
        }
        return best;
      };

      svg.setAttribute("tabindex", "0");
      svg.setAttribute("aria-describedby", figure.querySelector(".hint").id);
      svg.addEventListener("pointermove", point);
      svg.addEventListener("pointerdown", point);
      svg.addEventListener("pointerleave", hide);
      svg.addEventListener("blur", hide);
      svg.addEventListener("keydown", (event) => {
        if (event.key === "Escape") hide();
        if (!(event.key in arrows) || !visible.length) return;
        event.preventDefault();
        show(step(arrows[event.key]));
        spoken.value = words.textContent;
      });
      panels.push(() => {
        hide();
        net = null;
        visible = chosen.size ? all.filter((dot) => chosen.has(dot.label)) : all;
        for (const part of svg.querySelectorAll("[data-class]")) {
          part.style.display = !chosen.size || chosen.has(part.dataset.class) ? "" : "none";
        }
      });
    }

    for (const item of figure.querySelectorAll(".classes li")) {
      const button = document.createElement("button");
      button.type = "button";
      button.setAttribute("aria-pressed", "false");
      button.append(...item.childNodes);
      item.append(button);
      button.addEventListener("click", () => {
        const label = item.dataset.class;
        if (!chosen.delete(label)) chosen.add(label);
        button.setAttribute("aria-pressed", String(chosen.has(label)));
        for (const apply of panels) apply();
      });
    }
    figure.querySelector(".hint").hidden = false;
  }
})();
