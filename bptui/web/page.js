// Keys are for the app at once: nobody has to click into it first.
const take = () => {
  const line = document.querySelector(".xterm-helper-textarea");
  if (line) line.focus();
  else setTimeout(take, 20);
};
addEventListener("load", take);
addEventListener("focus", take);
