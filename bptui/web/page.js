// What Textual's page leaves to be done. It is read after Textual's script and before the page is there.

// Keys are for the app at once: nobody has to click into it first.
const take = () => document.querySelector(".xterm-helper-textarea")?.focus();
addEventListener("focus", take);

// The terminal measures its letters when it begins: they have to be there by then. And it is fitted to the window
// whenever the window's size changes, but with the letters' size as it was before that: so once more when they have
// another (a zoom), and the last lines are never below the window's end.
const begin = window.onload;
window.onload = async event => {
  await Promise.allSettled([...document.fonts].map(font => font.load()));
  begin(event);
  take();
  new ResizeObserver(() => window.onresize()).observe(document.querySelector(".xterm-screen"));
};

// How it ended decides what helps. Keys are for the browser again, so that F5 reloads.
const WHY = {1000: "-left", 1001: "-gone", 1011: "-broken", 1013: "-full"};
const ended = code => {
  document.querySelector("#terminal").inert = true;
  document.body.classList.add(WHY[code] ?? "-lost");
};
const Plain = window.WebSocket;
window.WebSocket = class extends Plain {
  constructor(...address) {
    super(...address);
    this.addEventListener("close", event => ended(event.code));
  }
};

// Pasting is the browser's, which the terminal would hand on as a letter.
addEventListener("keydown", event => {
  if (event.ctrlKey && !event.altKey && event.key.toLowerCase() === "v") event.stopPropagation();
}, true);
