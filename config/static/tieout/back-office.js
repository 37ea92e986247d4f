// What the back office does beyond links and forms; every page works without it.
(() => {
  "use strict";

  // Times are shown in the viewer's own zone from the next page on.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone) {
    document.cookie = `tieout_zone=${encodeURIComponent(zone)};path=/admin/;max-age=31536000;samesite=lax`;
  }

  // <… data-refresh="URL" data-every="seconds">: replaced by what the URL answers, again and again
  // while the answer asks for it with data-every.
  const refresh = async (element) => {
    try {
      const answer = await fetch(element.dataset.refresh, { credentials: "same-origin", headers: { "Tieout-By-Itself": "yes" } });
      if (!answer.ok || answer.redirected) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("[data-refresh]") || page.body.firstElementChild;
      if (!fresh) return;
      element.replaceWith(fresh);
      later(fresh);
    } catch { later(element); }
  };
  const later = (element) => {
    if (element.dataset.refresh && element.dataset.every) {
      setTimeout(refresh, 1000 * Number(element.dataset.every), element);
    }
  };

  // j and k walk down and up a list, Enter or o opens, x selects, / searches.
  const rows = () => [...document.querySelectorAll("#result_list tbody tr")];
  let at = -1;
  const walk = (step) => {
    const all = rows();
    if (!all.length) return;
    all[at]?.classList.remove("t-focused");
    at = Math.max(0, Math.min(all.length - 1, at + step));
    all[at].classList.add("t-focused");
    all[at].scrollIntoView({ block: "nearest" });
  };
  const act = {
    j: () => walk(1),
    k: () => walk(-1),
    o: () => rows()[at]?.querySelector("th a, td a")?.click(),
    Enter: () => rows()[at]?.querySelector("th a, td a")?.click(),
    x: () => rows()[at]?.querySelector("input.action-select")?.click(),
    "/": () => document.querySelector("#searchbar, #find")?.focus(),
  };
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input:not([type=checkbox]), textarea, select, button, a, [contenteditable]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || !(event.key in act)) return;
    event.preventDefault();
    act[event.key]();
  });

  document.addEventListener("DOMContentLoaded", () => {
    // An icon is a word in a font of pictures; beside other words nobody wants it read out.
    document.querySelectorAll(".material-symbols-outlined").forEach((icon) => {
      if (icon.parentElement.textContent.trim() !== icon.textContent.trim()) icon.ariaHidden = "true";
    });
    // What is wider than the screen is scrolled by keyboard too.
    document.querySelectorAll(".t-scroll").forEach((box) => {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    });
    document.querySelectorAll("[data-refresh]").forEach(later);
    document.querySelectorAll("[data-print]").forEach((button) => {
      button.hidden = false;
      button.addEventListener("click", () => window.print());
    });
  });
})();
