/* Folds and unfolds all code and marks the section in view; without it the page is whole. */
{
  const codes = [...document.querySelectorAll("details.code")];
  const button = document.getElementById("all-code");
  const texts = { true: button.dataset.hide, false: button.textContent };
  button.hidden = !codes.length;
  button.addEventListener("click", () => {
    const open = button.textContent === texts.false;
    codes.forEach((code) => { code.open = open; });
    button.textContent = texts[open];
  });

  const nav = document.querySelector("nav"), contents = nav.querySelector("details");
  const narrow = matchMedia("(max-width: 60rem)");
  narrow.addEventListener("change", () => { contents.open = !narrow.matches; });
  nav.addEventListener("click", (event) => {
    if (event.target.closest("a") && narrow.matches) contents.open = false;
  });
  const links = new Map([...nav.querySelectorAll("a[href^='#']")].map(
    (link) => [document.getElementById(decodeURIComponent(link.hash.slice(1))), link]
  ));
  const mark = () => {
    let current = null;
    for (const [place, link] of links) {
      if (place && place.getBoundingClientRect().top <= 120) current = link;
    }
    for (const link of links.values()) {
      if (link === current) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    if (current && !narrow.matches) {
      const box = current.getBoundingClientRect();
      if (box.top < 0 || box.bottom > innerHeight) current.scrollIntoView({ block: "center" });
    }
  };
  let waiting = false;
  addEventListener("scroll", () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; mark(); });
  }, { passive: true });
  mark();

  // The keyboard need not stop at what does not scroll.
  const stops = () => document.querySelectorAll(".scroll").forEach((box) => {
    const scrolls = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
    if (scrolls) box.tabIndex = 0; else box.removeAttribute("tabindex");
  });
  addEventListener("load", stops);
  addEventListener("resize", stops);
}
