// The page works without this file. With it, the page follows changes by itself,
// dialogs are modal, and a new token can be copied with one press.
"use strict";

const byId = (id) => document.getElementById(id);
const every = { changed: 1000, offline: 3000 }; // milliseconds between two looks

// morph turns the element or text "from" into "to" and touches only what differs,
// so that focus, an open menu and a selection stay where they are.
function morph(from, to) {
  if (from.isEqualNode(to)) return;
  if (from.nodeName !== to.nodeName || (from.id ?? "") !== (to.id ?? "")) {
    from.replaceWith(to);
    return;
  }
  if (from.nodeType !== Node.ELEMENT_NODE) {
    from.nodeValue = to.nodeValue;
    return;
  }
  const mine = (name) => name === "open" && from.nodeName === "DETAILS";
  for (const { name } of [...from.attributes]) if (!mine(name) && !to.hasAttribute(name)) from.removeAttribute(name);
  for (const { name, value } of to.attributes) if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  morphChildren(from, to);
}

function morphChildren(from, to) {
  const wanted = new Set([...to.children].map((child) => child.id).filter(Boolean));
  const kept = new Map();
  for (const child of [...from.children]) {
    if (!child.id) continue;
    if (wanted.has(child.id)) kept.set(child.id, child);
    else child.remove();
  }
  let at = from.firstChild;
  for (const next of [...to.childNodes]) {
    const same = kept.get(next.id);
    if (same) {
      while (at && at !== same && !at.id) at = drop(at);
      if (at !== same) from.insertBefore(same, at);
      at = same.nextSibling;
      morph(same, next);
    } else if (at && !at.id && !next.id) {
      const old = at;
      at = at.nextSibling;
      morph(old, next);
    } else {
      from.insertBefore(next, at);
    }
  }
  while (at) at = drop(at);
}

function drop(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}

// refresh brings the live part up to date.
let tag = "";
async function refresh() {
  const answer = await fetch("/_page/live", { cache: "no-store", headers: tag ? { "If-None-Match": tag } : {} });
  if (answer.status === 200) {
    const next = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
    tag = answer.headers.get("ETag") ?? "";
    if (next) morph(byId("live"), next);
  } else if (answer.status !== 304) {
    throw new Error(`answered ${answer.status}`);
  }
}

let timer = 0;
async function follow() {
  clearTimeout(timer);
  if (document.hidden) return; // visibilitychange starts it again
  let wait = every.changed;
  try {
    await refresh();
    byId("offline").hidden = true;
  } catch {
    byId("offline").hidden = false;
    wait = every.offline;
  }
  clearTimeout(timer);
  timer = setTimeout(follow, wait);
}
document.addEventListener("visibilitychange", follow);

// Dialogs. One that the server sent open becomes modal.
let opener = null;
function open(dialog, from) {
  opener = from;
  dialog.removeAttribute("open");
  dialog.showModal();
}
for (const dialog of document.querySelectorAll("dialog")) {
  dialog.addEventListener("close", () => {
    dialog.querySelector("form").reset();
    opener?.closest("details")?.removeAttribute("open");
    const back = opener?.closest("details")?.querySelector("summary") ?? opener;
    (back?.isConnected ? back : byId("new")).focus();
  });
  if (dialog.open) open(dialog, byId("new"));
}
document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.id === "new") {
    event.preventDefault();
    open(byId("generate"), button);
  } else if (button?.name === "revoke") {
    event.preventDefault();
    byId("revoke-name").textContent = button.dataset.name;
    byId("revoke").querySelector("[name=id]").value = button.value;
    open(byId("revoke"), button);
  }
});

// Menus close on Escape, and when something else is used.
const menus = () => document.querySelectorAll("details.menu[open]");
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || document.querySelector("dialog:modal")) return;
  for (const menu of menus()) {
    menu.removeAttribute("open");
    menu.querySelector("summary").focus();
  }
});
for (const kind of ["pointerdown", "focusin"]) {
  document.addEventListener(kind, (event) => {
    if (event.target.closest("dialog")) return;
    for (const menu of menus()) if (!menu.contains(event.target)) menu.removeAttribute("open");
  });
}

// The clock moves without leaving the page.
document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-stay]")) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(event.target, event.submitter));
  fetch(event.target.action, { method: "POST", body, redirect: "manual" }).then(follow, follow);
});

// A new token: copied on request, and gone when the page is left.
const secret = byId("secret");
if (secret) {
  byId("copy").hidden = false;
  byId("copy").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(secret.value);
      byId("copied").textContent = "Copied.";
    } catch {
      secret.select();
      byId("copied").textContent = "The browser does not let the page copy. The token is selected: copy it with the keyboard.";
    }
  });
  addEventListener("pagehide", () => byId("made").remove());
}

// A reload shows the list. It does not send a form again.
if (location.pathname + location.search !== "/") history.replaceState(null, "", "/");
follow();
