
"use strict";
(() => {
  const root = document.documentElement;
  const articles = new Map([...document.querySelectorAll("article[lang]")].map((each) => [each.lang, each]));
  const links = [...document.querySelectorAll(".languages a")];

  // The section in view, so that the other language opens at the same place.
  const place = () => {
    const sections = articles.get(root.dataset.language).querySelectorAll("section[id]");
    let current = "";
    for (const section of sections) {
      if (section.getBoundingClientRect().top < 120) current = section.id.slice(3);
    }
    return current;
  };

  const show = (language) => {
    const article = articles.get(language);
    if (!article) return;
    root.dataset.language = language;
    root.lang = language;
    root.dir = article.dir;
    document.title = article.dataset.title;
    for (const link of links) {
      if (link.dataset.language === language) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  };

  for (const link of links) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      const here = place();
      show(link.dataset.language);
      const there = here && document.getElementById(`${link.dataset.language}-${here}`);
      if (there) there.scrollIntoView();
      else window.scrollTo(0, 0);
      const address = new URL(location.href);
      address.searchParams.set("lang", link.dataset.language);
      address.hash = "";
      try {
        history.replaceState(null, "", address);
      } catch {
        // Some browsers refuse this for files on disk; the page is switched all the same.
      }
    });
  }

  // Paper has nothing to unfold.
  const opened = [];
  addEventListener("beforeprint", () => {
    for (const each of document.querySelectorAll("details:not([open])")) {
      each.open = true;
      opened.push(each);
    }
  });
  addEventListener("afterprint", () => {
    for (const each of opened.splice(0)) each.open = false;
  });

  const hash = decodeURIComponent(location.hash.slice(1));
  const asked = articles.has(hash.slice(0, 2)) ? hash.slice(0, 2) : new URLSearchParams(location.search).get("lang");
  show(articles.has(asked) ? asked : root.dataset.language);
  if (hash) document.getElementById(hash)?.scrollIntoView();
})();
